"""The kernel lines that tools/add_kernel.py recorded: whole, and known wherever a kernel is asked for."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from armlevel.arch import load
from armlevel.engine import diff
from armlevel.engine.compare.kernel_changes import known_between
from armlevel.operations.import_ import import_host
from armlevel.profile import Host
from armlevel.words.changes import change_text
from tests.fidelity.hosts import ADDED, CPUS, added_names, masks_of, read

#: The lines, and on how many of the ten CPU models each was tried at least.
LINES = {"6.17": 10, "7.0": 10}
REGISTERS = {
    "MIDR_EL1": "0x413fd0c1",
    "ID_AA64ISAR0_EL1": "0x0000100010211120",
    "ID_AA64PFR0_EL1": "0x1100000011111112",
}


@pytest.fixture(scope="module")
def added():
    found: dict[str, dict[str, Host]] = defaultdict(dict)
    for host in read(added_names()):
        cpu, _, line = host.name.partition("@")
        found[line][cpu] = host
    return found


@pytest.fixture
def dump(tmp_path):
    path = tmp_path / "n1.json"
    path.write_text(json.dumps(REGISTERS))
    return str(path)


def test_these_lines_were_added(added):
    assert set(added) >= set(LINES)
    assert ADDED.stat().st_size < 24 * 1024 * len(added)


@pytest.mark.parametrize("line", LINES)
def test_the_hosts_of_an_added_line_are_of_one_kernel_tried_whole_with_machine_and_masks(added, line):
    hosts = added[line]
    assert set(hosts) <= set(CPUS)
    assert len(hosts) >= LINES[line]
    assert len({host.software.kernel for host in hosts.values()}) == 1
    for host in hosts.values():
        own = load().line(host.software.kernel)
        assert own is not None
        assert own.name == line
        assert {offer.how for offer in host.offers} == {"tried"}
        assert host.machine is not None
        assert (masks_of(host) is not None, host.made.at) == (True, None)


@pytest.mark.parametrize("line", LINES)
def test_a_host_of_which_only_registers_and_an_added_kernel_are_known_is_predicted(dump, line):
    offer = import_host(dump, kernel=f"{line}.1").host.offers[0]
    assert (offer.how, offer.default) == ("predicted", "limit-only")
    assert sorted(offer.accepts["ID_AA64ISAR0_EL1.AES"].values or ()) == [0, 1, 2]
    assert "ID_AA64PFR0_EL1.SVE" not in offer.accepts


def test_7_0_differs_from_its_neighbours_in_one_listed_register_and_one_number_of_the_gic(added):
    def changes(one, two):
        found = [change for change in diff(one, two, load()) if change.identity]
        rows = known_between(one, two, found, load())
        texts = {
            str(change.subject): tuple(
                change_text(side, change.subject) for side in (change.before, change.after)
            )
            for change in found
        }
        return texts, [subject for _row, subjects in rows for subject in subjects]

    older, newer = read(["neoverse-n2@6.18", "neoverse-n2@7.x"])
    own = added["7.0"]["neoverse-n2"]
    assert changes(older, own) == ({"machine.gicd_iidr": ("3", "2 3")}, [])
    assert changes(own, newer) == ({"PMMIR_EL1": (None, "listed")}, ["PMMIR_EL1"])


def test_what_6_18_took_of_the_pmu_as_signed_7_0_refuses():
    for subject, kept in (("ID_AA64DFR0_EL1.PMUVer", range(7)), ("ID_DFR0_EL1.PerfMon", (0, 3, 4, 5, 6))):
        rule = load().write_rule(subject, "7.0")
        assert rule is not None
        assert rule.values(6) == tuple(kept)
        assert rule is not load().write_rule(subject, "6.18")


def test_6_17_is_6_18_but_for_three_fields_that_cannot_be_written():
    for subject in ("ID_AA64MMFR1_EL1.HCX", "ID_AA64MMFR1_EL1.TWED", "ID_AA64ISAR3_EL1.LSFE"):
        assert load().write_rule(subject, "6.17") is None
        assert load().write_rule(subject, "6.18") is not None
    same = [subject for subject in load().writable if load().write_rule(subject, "6.17") is None]
    older = [subject for subject in load().writable if load().write_rule(subject, "6.18") is None]
    assert set(same) - set(older) == {
        *("ID_AA64MMFR1_EL1.HCX", "ID_AA64MMFR1_EL1.TWED", "ID_AA64ISAR3_EL1.LSFE"),
    }
