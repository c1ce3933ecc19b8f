"""What a guest reads from the hardware is said where rows know of it, and refuses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.engine import check, passthrough
from armlevel.engine.passthrough import guest_of_offer
from armlevel.probe.apply import Difference
from armlevel.probe.untrapped import leaked, nothing_to_clean
from armlevel.profile import Host
from tests.fidelity.hosts import HOSTS, read


@pytest.fixture(scope="module")
def hosts() -> dict[str, Host]:
    return {host.name: host for host in read(HOSTS)}


def said(host: Host) -> list[tuple[str, str]]:
    catalogue = load()
    verdict = check(passthrough(host, catalogue), host, catalogue)
    assert (verdict.start, verdict.arrive) == ("runs", "runs")
    return [
        (one.severity, one.subject.key) for one in verdict.findings if one.subject.key.startswith("CTR_EL0")
    ]


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("cortex-a76@6.1", [("note", "CTR_EL0.IDC")]),
        ("a64fx@6.1", [("note", "CTR_EL0.IDC")]),
        ("cortex-a76@6.12", []),  # traps: no FEAT_EVT
        ("a64fx@7.x", []),
        ("cortex-a72@6.1", []),  # IDC = 0 is shown: there is nothing less
        ("neoverse-n2@6.1", [("note", "CTR_EL0.IDC")]),
        ("neoverse-n2@7.x", []),  # FEAT_EVT: read from the hardware, which has IDC = 1
    ],
)
def test_a_field_that_may_be_read_from_the_hardware_is_noted(hosts, name, findings):
    assert said(hosts[name]) == findings


def test_a_register_that_is_not_as_the_host_shows_it_is_trapped(hosts):
    catalogue, host = load(), hosts["neoverse-n2@6.1"]
    guest = passthrough(host, catalogue)
    idc = catalogue.fields["CTR_EL0.IDC"]
    lower = {**guest.registers, "CTR_EL0": idc.put(guest.registers["CTR_EL0"], 0)}
    verdict = check(replace(guest, registers=lower), host, catalogue)
    assert verdict.arrive == "refused"  # and 6.1 takes no other
    assert {one.severity for one in verdict.findings if one.subject.key.startswith("CTR_EL0")} == {"stops"}


@pytest.mark.parametrize("line", ["6.12", "6.18", "7.x"])
def test_the_tag_line_is_a_risk_for_a_guest_with_tags_only(hosts, line):
    catalogue, host = load(), hosts[f"max@{line},mte=on"]
    for shape in host.shapes:
        offer = host.offer(shape)
        verdict = check(guest_of_offer(host, offer, catalogue), host, catalogue)
        found = [(one.severity, one.subject.key) for one in verdict.findings if "TminLine" in one.subject.key]
        assert found == ([("risk", "CTR_EL0.TminLine")] if "mte" in shape.features else [])


def test_a_kernel_of_no_measured_line_says_nothing(hosts):
    host = hosts["cortex-a76@6.1"]
    assert said(replace(host, software=replace(host.software, kernel="6.4.1"))) == []


def test_only_what_rows_name_is_forgiven_in_a_guest_that_runs():
    clidr = {"CLIDR_EL1": 0x82000023}
    assert leaked(Difference("CTR_EL0.IDC", "differs", "guest", 1, 0), clidr)
    assert leaked(Difference("CTR_EL0.TminLine", "differs", "guest", 0, 4), {})
    assert not leaked(Difference("CTR_EL0.IDC", "differs", "kvm", 1, 0), clidr)
    assert not leaked(
        Difference("CTR_EL0.IDC", "differs", "guest", 0, 1), clidr
    )  # it would not clean, and must
    assert not leaked(Difference("CTR_EL0.IDC", "differs", "guest", 1, 0), {"CLIDR_EL1": 0xA200023})
    assert not leaked(Difference("CTR_EL0.IDC", "differs", "guest", 1, 0), {})
    assert not leaked(Difference("CTR_EL0.DIC", "differs", "guest", 1, 0), clidr)
    assert {row.field for row in load().leaks} == {"CTR_EL0.IDC", "CTR_EL0.TminLine"}


def test_nothing_is_to_be_cleaned_without_levels_to_clean_to():
    fields = load().registers["CLIDR_EL1"].fields
    by_name = {one.name: one for one in fields}
    for loc, louis, louu in ((0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 0, 1), (2, 1, 1)):
        value = 0
        for name, level in (("LoC", loc), ("LoUIS", louis), ("LoUU", louu)):
            value = by_name[name].put(value, level)
        assert nothing_to_clean(value) is (loc == 0 or louis == louu == 0)
