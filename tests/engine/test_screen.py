"""The screen: what few hosts have, and that a value which was numbered later is never kept by accident."""

from __future__ import annotations

from dataclasses import replace

from armlevel.engine import check, passthrough
from armlevel.engine.screen.compiled import Screen
from tests.engine.kit import CATALOGUE, plain, up_to

RNDR = "ID_AA64ISAR0_EL1.RNDR"


def test_a_guest_that_is_compiled_after_the_hosts_is_judged_by_all_its_values():
    screen = Screen(CATALOGUE)
    low, high = plain("low", {RNDR: 0}), plain("high", {RNDR: 1}, takes=up_to(RNDR, most=1))
    hosts = {host.name: screen.host(host, host.offers[0]) for host in (low, high)}
    for host in (low, high):
        guest = passthrough(host, CATALOGUE)
        vector = screen.guest(guest)
        for name, other in hosts.items():
            whole = check(guest, low if name == "low" else high, CATALOGUE)
            assert screen.answers(vector, other) == whole.parts
            assert screen.runs(vector, other) is (whole.arrive == "runs")
    assert screen.runs(screen.guest(passthrough(low, CATALOGUE)), hosts["high"])
    assert not screen.runs(screen.guest(passthrough(high, CATALOGUE)), hosts["low"])


def test_what_a_later_host_was_seen_to_change_is_looked_for_in_guests_that_were_there_before():
    screen = Screen(CATALOGUE)
    host = plain("host", {RNDR: 1}, takes=up_to(RNDR, most=1))
    guest = screen.guest(passthrough(host, CATALOGUE))
    assert screen.runs(guest, screen.host(host, host.offers[0]))
    odd = replace(host.offers[0], side_effects={f"{RNDR}=1": {"ID_AA64ISAR0_EL1.SHA1": None}})
    assert check(guest.view.guest, replace(host, offers=(odd,)), CATALOGUE).arrive == "refused"
    assert not screen.runs(guest, screen.host(replace(host, offers=(odd,)), odd))
