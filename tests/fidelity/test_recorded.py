"""What was recorded of the emulated hosts, held against the claims that need no emulator."""

from __future__ import annotations

import lzma
from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.engine import diff
from armlevel.formats.predict import predict_offers
from armlevel.kvm.vm import mask_index
from armlevel.profile import Shape
from armlevel.words.changes import change_text
from tests.fidelity import hosts as recordings
from tests.fidelity.fields import Tally, compare_host, judge
from tests.fidelity.hosts import ARCHIVE, HOSTS, SAMPLE, added_names, alike, masks_of, read, write
from tests.fidelity.masks import compare_masks

BY_LISTS = {
    "6.1": 345,
    "6.12": 362,
    "6.18": 360,
    "7.x": 361,
}
# The one value these take besides their limit is that of the silicon, which no view of KVM shows: rows say so.
BY_ROW = {"ID_AA64MMFR2_EL1.NV", "ID_AA64PFR0_EL1.MPAM", "ID_AA64PFR1_EL1.MPAM_frac"}
# What masks leave open on a kernel that nobody measured: fields that are writable and have no entry in Linux's feature
# tables, so that no rule is measured; and fields with which the measured kernels do different things.
NO_RULE = {
    *(
        f"ID_AA64ISAR2_EL1.{name}"
        for name in ("PRFMSLC", "SYSINSTR_128", "SYSREG_128", "PAC_frac", "PCDPHINT")
    ),
    *("ID_AA64MMFR1_EL1.CMOW", "ID_AA64MMFR1_EL1.nTLBPA", "ID_AA64PFR0_EL1.RME", "ID_AA64PFR1_EL1.CSV2_frac"),
    *("ID_DFR0_EL1.TraceFilt", "ID_ISAR5_EL1.VCMA", "ID_MMFR5_EL1.nTLBPA", "ID_PFR2_EL1.RAS_frac"),
    *("ID_PFR0_EL1.RAS", "ID_PFR0_EL1.AMU"),
}
DIFFERS = {"ID_AA64PFR0_EL1.EL0", "ID_AA64PFR0_EL1.EL1", "ID_DFR0_EL1.PerfMon", "ID_AA64DFR0_EL1.PMUVer"}
LARGEST = Shape(frozenset({"pmu_v3", "ptrauth", "sve"}))


@pytest.fixture(scope="module")
def hosts():
    return {host.name: host for host in read()}


@pytest.fixture(scope="module")
def every(hosts):
    return hosts | {host.name: host for host in read(added_names())}


def n2(hosts, one, two):
    """Say what differs between two kernels on one Neoverse N2, apart from what only software shows."""
    changes = diff(hosts[f"neoverse-n2@{one}"], hosts[f"neoverse-n2@{two}"], load())
    found: dict[str, dict[str, tuple]] = {}
    for change in changes:
        if change.identity:
            found.setdefault(change.part, {})[change.subject] = tuple(
                change_text(side, change.subject) for side in (change.before, change.after)
            )
    return found


def test_four_kernels_and_ten_cpus_are_recorded_small(hosts):
    assert tuple(hosts) == HOSTS
    plain = {tuple(name.split("@")) for name in HOSTS if "," not in name}
    assert len({line for _, line in plain}) == 4
    assert len({cpu for cpu, _ in plain}) == 10
    assert len(plain) == 40
    assert ARCHIVE.stat().st_size < 64 * 1024
    assert set(SAMPLE) <= set(HOSTS)


def test_recorded_hosts_were_tried_and_survive_writing(hosts, tmp_path):
    write(hosts.values(), tmp_path / "again.xz")
    again = read(HOSTS, tmp_path / "again.xz")
    assert lzma.decompress((tmp_path / "again.xz").read_bytes()) == lzma.decompress(ARCHIVE.read_bytes())
    for host in again:
        assert alike(host, hosts[host.name])
        assert {offer.how for offer in host.offers} == {"tried"}
        assert host.made.at is None


def test_a_host_is_written_into_the_recording_that_has_it(hosts, tmp_path, monkeypatch):
    whole, added = tmp_path / "lab.xz", tmp_path / "lines.xz"
    monkeypatch.setattr(recordings, "ARCHIVE", whole)
    monkeypatch.setattr(recordings, "ADDED", added)
    one, two = hosts["neoverse-n1@6.18"], hosts["neoverse-n1@7.x"]
    write([one])
    write([two], added)
    write([replace(one, name="other"), replace(two, facts=replace(two.facts, cntfrq_hz=7))])
    assert [sorted(recordings.documents_of(path)) for path in (whole, added)] == [
        sorted([one.name, "other"]),
        [two.name],
    ]
    assert [host.facts.cntfrq_hz for host in read([two.name])] == [7]


def test_rows_predict_what_every_recorded_host_did(every, tell):
    catalogue, total = load(), Tally()
    for host in every.values():
        total.add(compare_host(host, catalogue))
    tell(f"fidelity, {len(every)} recorded hosts: {total}")
    assert total.wrong_yes == []
    assert total.wrong_no == []
    assert total.compared > 3_000_000
    assert total.was["unknown"] == 0
    assert set(total.unknown) <= BY_ROW


@pytest.mark.parametrize("stranger", [False, True])
def test_masks_and_rows_foretell_what_every_recorded_host_did(every, tell, stranger):
    catalogue, total = load(), Tally()
    for host in every.values():
        tables = [masks_of(host)] * len(host.shapes)
        total.add(compare_masks(host, tables, catalogue, stranger=stranger))
    tell(f"fidelity, masks{' of an unmeasured kernel' if stranger else ''}: {total}")
    assert total.wrong_yes == []
    assert total.wrong_no == []
    assert total.compared > 3_000_000
    assert set(total.unknown) == (BY_ROW | NO_RULE | DIFFERS if stranger else BY_ROW)
    assert total.unknown.total() < total.compared * (0.06 if stranger else 0.01)


def test_a_mask_that_opens_too_much_or_too_little_is_found(hosts):
    catalogue, host = load(), hosts["neoverse-n2@6.12"]
    table = masks_of(host)
    assert table is not None
    for register, mask, kind in (("ID_AA64PFR0_EL1", ~0, "wrong_yes"), ("ID_AA64ISAR0_EL1", 0, "wrong_no")):
        wrong = list(table)
        wrong[mask_index(catalogue.registers[register].encoding)] = mask
        tally = compare_masks(host, [wrong] * len(host.shapes), catalogue, stranger=True)
        assert (bool(tally.wrong_yes), bool(tally.wrong_no)) == (kind == "wrong_yes", kind == "wrong_no")


def test_a_planted_wrong_row_is_found(hosts):
    catalogue = load()
    host = hosts["neoverse-n2@6.18"]
    offer = host.offer(LARGEST)
    said = predict_offers(offer, "7.3.4", catalogue)[0].accepts["ID_AA64DFR0_EL1.PMUVer"]
    was = offer.accepts["ID_AA64DFR0_EL1.PMUVer"]
    assert {value for value in range(16) if judge(said, was, value) == "no"} == set(range(8, 15))
    assert {value for value in range(16) if judge(was, said, value) == "yes"} == set(range(8, 15))


@pytest.mark.parametrize("line", BY_LISTS)
def test_each_kernel_lists_its_own_number_of_registers(hosts, line):
    assert len(hosts[f"neoverse-n2@{line}"].offer(LARGEST).register_list) == BY_LISTS[line]


def test_one_cpu_differs_between_7_x_and_6_12_as_measured(hosts):
    assert n2(hosts, "7.x", "6.12") == {
        "registers": {"ID_AA64MMFR2_EL1.NV": ("0", "2")},
        "list": {
            "PMMIR_EL1": ("listed", None),
            "KVM_REG_ARM_VENDOR_HYP_BMAP_2": ("listed", None),
            "TCR2_EL1": (None, "listed"),
            "PIRE0_EL1": (None, "listed"),
            "PIR_EL1": (None, "listed"),
        },
        "firmware": {"KVM_REG_ARM_PSCI_VERSION": ("0x10003", "0x10001")},
    }


def test_one_cpu_differs_between_7_x_and_6_18_in_one_listed_register(hosts):
    assert n2(hosts, "7.x", "6.18") == {
        "list": {"PMMIR_EL1": ("listed", None)},
        # 6.18 takes every revision without an error, and keeps its own.
        "machine": {"machine.gicd_iidr": ("2 3", "3")},
    }


def test_one_cpu_differs_between_7_x_and_6_1_as_measured(hosts):
    found = n2(hosts, "7.x", "6.1")
    caches = {f"CCSIDR_EL1[{n}]" for n in range(3, 14)}
    timer = {"CNTPCT_EL0", "CNTP_CTL_EL0", "CNTP_CVAL_EL0"}
    assert found["list"] == dict.fromkeys(
        caches | timer | {"PMMIR_EL1", "KVM_REG_ARM_VENDOR_HYP_BMAP_2"}, ("listed", None)
    )
    assert found["firmware"] == {"KVM_REG_ARM_PSCI_VERSION": ("0x10003", "0x10001")}
    fields = {name: pair for name, pair in found["registers"].items() if "CLIDR" not in name}
    assert fields == {
        "CCSIDR_EL1[0]": ("0x2", "0x1a"),
        "CCSIDR_EL1[1]": ("0x2", "0x1a"),
        "CCSIDR_EL1[2]": ("0x2", "0x3a"),
        "ID_AA64MMFR2_EL1.NV": ("0", "2"),
        "ID_AA64MMFR2_EL1.CCIDX": ("0", "1"),
        "ID_MMFR4_EL1.CCIDX": ("0", "1"),
        "ID_AA64DFR0_EL1.DebugVer": ("9", "6"),
        "ID_AA64DFR0_EL1.PMUVer": ("6", "5"),
        "ID_DFR0_EL1.PerfMon": ("6", "5"),
    }
    limits = [hosts[f"neoverse-n2@{line}"].offer(LARGEST).limits["CLIDR_EL1"] for line in ("7.x", "6.1")]
    assert limits == [0x1000004, 0x1482000023]
