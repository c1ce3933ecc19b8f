"""The recorded machines: whole, with their provenance, and showing what is known about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rfc8785

from armlevel.arch import load as load_catalogue
from armlevel.documents import canonical, host_object, load_hosts, pretty, read_host, verify_digest
from armlevel.kvm import group_of, id_of, name_of
from armlevel.machines import folder, names
from armlevel.profile import Host, Offer, Shape

HISTORY = Path(__file__).with_name("hosts")
FILES = {
    name: Path(str(Path(__file__).parents[2] / "src/armlevel/machines" / f"{name}.json")) for name in names()
}
FILES |= {path.stem: path for path in sorted(HISTORY.glob("*.json"))}
BASE = Shape()
CORES = {"graviton2": 0x413FD0C1, "graviton3": 0x411FD401, "graviton4": 0x410FD4F1}


def host(name: str) -> Host:
    return read_host(FILES[name].read_bytes(), name)


def base(name: str) -> Offer:
    offer = host(name).offer(BASE)
    assert offer is not None
    return offer


def changes(before: str, after: str) -> dict[str, tuple[int, int]]:
    """Return the fields of ID registers that changed."""
    old, new = base(before).limits, base(after).limits
    found = {}
    for register in load_catalogue().registers.values():
        for field in register.fields:
            pair = (field.get(old.get(register.name, 0)), field.get(new.get(register.name, 0)))
            if pair[0] != pair[1]:
                found[field.subject] = pair
    return found


def listed(before: str, after: str) -> tuple[set[str], set[str]]:
    """Return the registers that one list has and the other has not."""
    old, new = set(base(before).register_list or ()), set(base(after).register_list or ())
    return {name_of(i) for i in old - new}, {name_of(i) for i in new - old}


def test_the_nine_graviton_hosts_are_there():
    assert set(names()) >= {f"{soc}-{kernel}" for soc in CORES for kernel in ("5.10", "6.1", "6.18")}
    with folder() as path:
        hosts = load_hosts(
            [str(path)] if not (path / "__init__.py").exists() else sorted(map(str, path.glob("*.json")))
        )
    assert len({one.name for one in hosts}) == len(names())


@pytest.mark.parametrize("name", FILES)
def test_a_recorded_machine_survives_reading_and_writing(name):
    data = FILES[name].read_bytes()
    read = read_host(data, name)
    document = host_object(read)
    assert pretty(document).encode() == data
    assert read_host(canonical(document), name) == read
    assert canonical(document) == rfc8785.dumps(json.loads(data))
    assert verify_digest(data, name) == document["digest"]


@pytest.mark.parametrize("name", FILES)
def test_a_recorded_machine_says_where_everything_came_from(name):
    read = host(name)
    soc = name.split("-")[0]
    assert read.name == name.replace("-", "@", 1)
    assert "firecracker-microvm/firecracker at " in (read.made.source or "")
    assert "Apache-2.0" in (read.made.source or "")
    assert (
        read.facts.cntfrq_hz
        == {"graviton2": 121_875_000, "graviton3": 1_050_000_000, "graviton4": 10**9}[soc]
    )
    assert read.facts.dczid == 4
    assert read.facts.gmid is None
    assert set(read.facts.sources) == {"cntfrq_hz", "dczid"}
    assert all("github.com/" in source for source in read.facts.sources.values())
    assert [cpu.implementation.midr for cpu in read.cpus] == [CORES[soc]]
    assert FILES[name].stat().st_size <= 40 * 1024


@pytest.mark.parametrize("name", FILES)
def test_every_register_of_a_recorded_machine_has_its_place(name):
    offer = base(name)
    assert offer.how == "predicted"
    assert all(register in load_catalogue().registers or "CCSIDR" in register for register in offer.limits)
    recorded = {id_of(one) for part in (offer.limits, offer.firmware, offer.state) for one in part}
    assert set(offer.register_list or ()) - recorded == {id_of("PC"), id_of("CNTVCT_EL0")}
    assert {group_of(id_of(one)) for one in offer.firmware} <= {"firmware", "bitmap"}


def test_only_a_kernel_that_can_has_writable_implementation_ids():
    for name in names():
        painted = [offer for offer in host(name).offers if offer.shape.imp_id_writable]
        assert len(painted) == (1 if name.endswith("6.18") else 0)
        for offer in painted:
            whole = host(name).offer(offer.shape)
            assert whole is not None
            assert whole.accepts["MIDR_EL1.PartNum"].values is None
            assert "MIDR_EL1.PartNum" not in base(name).accepts


def test_kernels_before_6_5_take_only_their_limit():
    for soc in CORES:
        for kernel in ("5.10", "6.1"):
            offer = base(f"{soc}-{kernel}")
            assert offer.default == "limit-only"
            assert set(offer.accepts) == {"ID_AA64PFR0_EL1.CSV2", "ID_AA64PFR0_EL1.CSV3"}


def test_what_6_18_takes_is_what_was_measured_on_6_18():
    accepts = base("graviton3-6.18").accepts

    def kept(subject: str) -> set[int]:
        return set(accepts[subject].values or ())

    assert kept("ID_AA64ISAR0_EL1.RNDR") == {0, 1}
    assert kept("ID_AA64PFR0_EL1.EL0") == {1, 2}
    assert kept("ID_AA64DFR0_EL1.DebugVer") == {6, 7, 8, 9}
    assert kept("ID_AA64DFR0_EL1.DoubleLock") == set(range(8, 16))
    assert accepts["ID_AA64DFR0_EL1.PMUVer"].kept(15) == 0
    assert kept("ID_AA64MMFR0_EL1.TGRAN4_2") == {0, 1}
    assert accepts["ID_AA64MMFR2_EL1.NV"].outcome(2) == "unknown"
    assert not accepts["ID_AA64MMFR2_EL1.NV"].may_keep(2)
    assert accepts["CLIDR_EL1.LoC"].values is None
    assert accepts["CCSIDR_EL1[0].63:0"].values is None
    for fixed in ("FWB", "IDS", "EVT", "CCIDX"):
        assert f"ID_AA64MMFR2_EL1.{fixed}" not in accepts


def test_one_cpu_shows_other_fields_under_another_kernel():
    assert changes("graviton2-5.10", "graviton2-6.1") == {
        "ID_AA64DFR0_EL1.DebugVer": (8, 6),
        "ID_AA64DFR0_EL1.PMUVer": (4, 0),
        "ID_AA64DFR0_EL1.PMSVer": (1, 0),
        "ID_DFR0_EL1.PerfMon": (4, 0),
    }
    assert changes("graviton3-6.1", "graviton3-6.18").items() >= {
        ("ID_AA64PFR0_EL1.MPAM", (1, 0)),
        ("ID_AA64MMFR2_EL1.NV", (2, 0)),
        ("ID_AA64DFR0_EL1.DebugVer", (6, 9)),
    }
    assert changes("graviton4-5.10", "graviton4-6.1").items() >= {("ID_AA64MMFR1_EL1.ECBHB", (0, 1))}


def test_a_stable_update_took_ccidx_away():
    assert changes("graviton3-6.1.59", "graviton3-6.1.66") == {
        "ID_AA64MMFR2_EL1.CCIDX": (1, 0),
        "ID_MMFR4_EL1.CCIDX": (1, 0),
    }


def test_a_stable_update_made_the_list_grow():
    timer = {"CNTP_CTL_EL0", "CNTP_CVAL_EL0"}
    assert listed("graviton2-6.1.84", "graviton2-6.1.129") == (set(), timer)
    assert listed("graviton2-5.10.214", "graviton2-5.10.234") == (set(), timer)


def test_a_newer_kernel_lists_other_registers():
    gone, new = listed("graviton2-5.10", "graviton2-6.1")
    assert len(gone) == 74
    assert {one.removeprefix("KVM_REG_ARM_") for one in new} == {
        "OSLSR_EL1",
        "STD_BMAP",
        "STD_HYP_BMAP",
        "VENDOR_HYP_BMAP",
    }
    gone, new = listed("graviton2-6.1", "graviton2-6.18")
    assert gone == set()
    assert {one.removeprefix("KVM_REG_ARM_") for one in new} == {
        "VENDOR_HYP_BMAP_2",
        *(f"CCSIDR_EL1[{n}]" for n in range(3, 14)),
    }
