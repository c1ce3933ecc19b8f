"""The text of KVM's idregs, /proc/cpuinfo with sysfs, and a plain map of registers."""

from __future__ import annotations

import json

import pytest

from armlevel.documents import load, load_hosts
from armlevel.errors import BadDocument, NotRecognised
from armlevel.formats import read_foreign, recognise
from armlevel.profile import Cpu, Host, Implementation, Shape

IDREGS = """\
        SYS_MIDR_EL1:\t00000000410fd0c1
      SYS_REVIDR_EL1:\t0000000000000002
          S3_0_0_3_3:\t0000000000000000
 SYS_ID_AA64PFR0_EL1:\t1100000011111112
        SYS_AIDR_EL1:\t0000000000000000
         SYS_CTR_EL0:\t000000008444c004
"""

CPU = """\
processor\t: {cpu}
BogoMIPS\t: {bogomips}
Features\t: fp asimd evtstrm sve
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: {part}
CPU revision\t: 1

"""


def cpuinfo(parts=("0xd40", "0xd40"), bogomips="2100.00"):
    return "".join(CPU.format(cpu=cpu, part=part, bogomips=bogomips) for cpu, part in enumerate(parts))


SYSFS = """\
/sys/devices/system/cpu/cpu0/regs/identification/midr_el1:0x00000000411fd401
/sys/devices/system/cpu/cpu0/regs/identification/revidr_el1:0x0000000000000001
/sys/devices/system/cpu/cpu1/regs/identification/midr_el1:0x00000000411fd401
/sys/devices/system/cpu/cpu1/regs/identification/revidr_el1:0x0000000000000001
"""


def read(text, name="x"):
    return read_foreign(text.encode(), "x.txt", name)


def test_idregs_gives_the_registers_of_one_vm_on_an_unknown_kernel():
    host = read(IDREGS)
    offer = host.offer(Shape())
    assert offer.limits["ID_AA64PFR0_EL1"] == 0x1100000011111112
    assert offer.limits["S3_0_0_3_3"] == 0
    assert offer.register_list is None
    assert (offer.how, offer.default) == ("predicted", "unknown")
    assert [cpu.implementation for cpu in host.cpus] == [Implementation(0x410FD0C1, 2, 0)]


def test_idregs_is_known_by_its_content_in_any_dress():
    plain = "\n".join(
        line.strip().removeprefix("SYS_").replace("\t", "   0x") for line in IDREGS.splitlines()
    )
    assert read(plain + "\n").offers[0].limits == read(IDREGS).offers[0].limits
    found = recognise(IDREGS.replace("\n", "\r\n").encode())
    assert found is not None
    assert found.name == "KVM debugfs idregs"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("1100000011111112", "11000000111111g2", "line 4: 'SYS_ID_AA64PFR0_EL1:"),
        ("1100000011111112", "1" * 17, "line 4: '11111111111111111' does not fit in 64 bits"),
        ("SYS_AIDR_EL1", "SYS_MIDR_EL1", "line 5: SYS_MIDR_EL1 stands twice"),
    ],
)
def test_idregs_with_a_fault_says_which(old, new, sentence):
    with pytest.raises(BadDocument, match="the text of KVM's idregs was expected") as caught:
        read(IDREGS.replace(old, new))
    assert sentence in str(caught.value)


def test_cpuinfo_tells_the_cpus_and_the_counter_and_nothing_about_kvm():
    host = read(cpuinfo() + SYSFS)
    assert [(cpu.implementation, cpu.count) for cpu in host.cpus] == [(Implementation(0x411FD401, 1), 2)]
    assert host.facts.cntfrq_hz == 1_050_000_000
    assert host.facts.sources == {"cntfrq_hz": "BogoMIPS x 500000"}
    (offer,) = host.offers
    assert offer.default == "unknown"
    assert offer.limits == {"MIDR_EL1": 0x411FD401, "REVIDR_EL1": 1}
    assert "every field is unknown" in host.made.source
    assert "fp asimd evtstrm sve" in host.made.source


def test_cpuinfo_alone_knows_which_cores_and_neither_revidr_nor_aidr():
    host = read(cpuinfo())
    assert host.cpus == (Cpu(Implementation(0x411FD401), 2),)
    assert host.offers[0].limits == {"MIDR_EL1": 0x411FD401}


def test_a_processor_of_which_only_some_registers_were_read_is_counted_with_what_was_read():
    part = SYSFS.replace("cpu1/regs/identification/revidr_el1", "cpu1/regs/identification/aidr_el1")
    host = read(cpuinfo() + part)
    assert [(cpu.implementation, cpu.count, cpu.numbers) for cpu in host.cpus] == [
        (Implementation(0x411FD401, None, 1), 1, (1,)),
        (Implementation(0x411FD401, 1), 1, (0,)),
    ]
    assert host.offers[0].limits == {}


def test_a_processor_without_any_midr_is_counted_as_not_recorded():
    alone = "/sys/devices/system/cpu/cpu7/regs/identification/revidr_el1:0x0000000000000001\n"
    host = read(cpuinfo() + SYSFS + alone)
    assert host.cpus == (
        Cpu(Implementation(None, 1), 1, (7,)),
        Cpu(Implementation(0x411FD401, 1), 2, (0, 1)),
    )


def test_cpus_of_two_kinds_have_no_common_identity():
    host = read(
        cpuinfo(("0xd40", "0xd0c"))
        + SYSFS.replace(
            "cpu1/regs/identification/midr_el1:0x00000000411fd401",
            "cpu1/regs/identification/midr_el1:0x00000000411fd0c1",
        )
    )
    assert [cpu.count for cpu in host.cpus] == [1, 1]
    assert host.offers[0].limits == {}


def test_a_frequency_that_two_decimals_cut_is_not_known():
    assert read(cpuinfo(bogomips="166.66") + SYSFS).facts.cntfrq_hz is None
    assert read(cpuinfo(bogomips="243.75") + SYSFS).facts.cntfrq_hz == 121_875_000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (cpuinfo().replace("0xd40", "zz"), "processor 0: CPU part is 'zz', which is no number of 12 bits"),
        (cpuinfo() + cpuinfo(), "processor '0' is no new number"),
        (cpuinfo(("0xd0c",)) + SYSFS, "processor 0: /proc/cpuinfo and midr_el1 name different CPUs"),
        (cpuinfo() + SYSFS.replace("0x0000000000000001", "one"), "'one' is no number in base 16"),
    ],
)
def test_cpuinfo_with_a_fault_says_which(text, sentence):
    with pytest.raises(BadDocument) as caught:
        read(text)
    assert sentence in str(caught.value)


def test_a_directory_with_copies_of_both_trees_is_one_host(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(cpuinfo())
    for cpu in (0, 1):
        place = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/regs/identification"
        place.mkdir(parents=True)
        (place / "midr_el1").write_text("0x00000000411fd401\n")
        (place / "revidr_el1").write_text("0x0000000000000001\n")
    host = load(str(tmp_path))
    assert isinstance(host, Host)
    assert host.name == tmp_path.name
    assert host.cpus == read(cpuinfo() + SYSFS).cpus
    assert load_hosts([str(tmp_path)]) == [host]


def test_a_plain_map_is_a_host_of_an_unknown_kernel():
    values = {
        "MIDR_EL1": "0x411fd401",
        "revidr_el1": "1",
        "ID_AA64PFR0_EL1": "0x1101000021111112",
        "TCR_EL1": "0x0",
    }
    host = read_foreign(json.dumps(values).encode(), "x.json", "x")
    assert host.offers[0].limits == {
        "MIDR_EL1": 0x411FD401,
        "REVIDR_EL1": 1,
        "ID_AA64PFR0_EL1": 0x1101000021111112,
    }
    assert host.offers[0].state == {"TCR_EL1": 0}
    assert host.offers[0].default == "unknown"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"MIDR_EL1": "0x1", "midr_el1": "0x1"}, "midr_el1: the same register stands twice"),
        ({"MIDR_EL1": "0x1", "CTR_EL0": "0xx"}, "CTR_EL0: '0xx' is no number in base 16"),
        ({"MIDR_EL1": "0x1", "CTR_EL0": 3.5}, "CTR_EL0: 3.5 is no number in base 16"),
        ({"MIDR_EL1": "0x1", "CTR_EL0": -3}, "CTR_EL0: is a number that no register of 64 bits holds"),
        ({"MIDR_EL1": "0x1", "DCZID_EL0": "0x40"}, "DCZID_EL0: 0x40 cannot be dczid"),
    ],
)
def test_a_plain_map_with_a_fault_says_which(values, sentence):
    with pytest.raises(BadDocument) as caught:
        read_foreign(json.dumps(values).encode(), "x.json", "x")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("data", [b"{}", b"[]", b"hosts\n", b'{"a": 1}', b"[1, 2]", b"3"])
def test_what_no_importer_knows_is_refused(data):
    assert recognise(data) is None
    with pytest.raises(NotRecognised, match="known: Firecracker fingerprint, "):
        read_foreign(data, "x", "x")
