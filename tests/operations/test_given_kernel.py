"""The kernel of a host that nobody recorded may be given, is never changed, and predicts what it predicts of others."""

from __future__ import annotations

import json

import pytest

from armlevel.documents import load
from armlevel.errors import UnknownName, UsageError
from armlevel.operations.given import given_facts, with_facts
from armlevel.operations.import_ import import_host
from armlevel.operations.named import hosts_named
from armlevel.operations.show import show
from armlevel.profile import Host

REGISTERS = {
    "MIDR_EL1": "0x413fd0c1",
    "ID_AA64ISAR0_EL1": "0x0000100010211120",
    "ID_AA64PFR0_EL1": "0x1100000011111112",
}


@pytest.fixture
def dump(tmp_path):
    path = tmp_path / "n1.json"
    path.write_text(json.dumps(REGISTERS))
    return str(path)


def test_a_kernel_is_given_to_import_show_and_any_verb_with_facts(dump):
    imported = import_host(dump, kernel="6.18.1").host
    shown = show([load(dump)], "6.18.1").shown[0].what
    (verb,), given = hosts_named([dump], ["n1:kernel=6.18.1"])
    assert isinstance(shown, Host)
    for host in (imported, shown, verb):
        assert host.software.kernel == "6.18.1"
        assert host.offers[0].default == "limit-only"
        assert host.offers == imported.offers
    assert [str(one) for one in given] == ["n1:kernel=6.18.1"]


def test_a_kernel_of_no_measured_line_predicts_nothing(dump):
    host = import_host(dump, kernel="6.15.0").host
    assert host.software.kernel == "6.15.0"
    assert host.offers[0].default == "unknown"


def test_a_kernel_says_nothing_of_registers_that_are_not_recorded(tmp_path):
    path = tmp_path / "n1.txt"
    path.write_text("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1:0x413fd0c1\n")
    host = import_host(str(path), kernel="6.18.1").host
    assert (len(host.offers), host.offers[0].default) == (1, "unknown")


@pytest.mark.parametrize("kernel", ["new", "", "6", "6.18.1 ; rm"])
def test_what_is_no_release_is_refused(dump, kernel):
    with pytest.raises(UsageError, match="not the release of a kernel"):
        hosts_named([dump], [f"n1:kernel={kernel}"])


def test_a_recorded_kernel_is_never_changed(tmp_path):
    path = tmp_path / "n1.json"
    path.write_text(json.dumps({**REGISTERS, "kernel": "6.1.0-50"}))
    for ask in (
        lambda: import_host(str(path), kernel="6.18.1"),
        lambda: hosts_named([str(path)], ["n1:kernel=6.18.1"]),
    ):
        with pytest.raises(UsageError, match=r"of n1 Linux 6\.1\.0-50 is recorded"):
            ask()
    assert hosts_named([str(path)], ["n1:kernel=6.1.0-50"])[0][0].software.kernel == "6.1.0-50"


@pytest.mark.parametrize(
    "fact", ["page_size=3", "dczid=64", "gmid=16", "cntfrq_hz=0", "cntfrq_hz=4294967296"]
)
def test_a_fact_that_no_host_has_is_refused(fact):
    with pytest.raises(UsageError, match="no arm64 host has"):
        given_facts([f"n1:{fact}"], ["n1"])


def test_a_fact_that_is_none_names_those_that_are():
    with pytest.raises(UnknownName, match="kernel"):
        given_facts(["n1:kernels=6.1"], ["n1"])


def test_given_facts_of_both_kinds_are_written_and_read_again(dump, tmp_path):
    from dataclasses import replace

    from armlevel.arch import load as load_catalogue
    from armlevel.documents import guest_object, pretty
    from armlevel.engine import passthrough

    hosts, given = hosts_named([dump], ["n1:kernel=6.18.1", "n1:cntfrq_hz=25000000"])
    guest = passthrough(with_facts(hosts, given)[0], load_catalogue())
    guest = replace(guest, made=replace(guest.made, given=given))
    path = tmp_path / "guest.json"
    path.write_text(pretty(guest_object(guest)))
    assert load(str(path)) == guest
