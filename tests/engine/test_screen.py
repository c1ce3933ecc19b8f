"""The screen: what few hosts have, and that a value which was numbered later is never kept by accident."""

from __future__ import annotations

from dataclasses import replace

from armlevel.engine import Policy, check, passthrough
from armlevel.engine.moves.moves import judged_move
from armlevel.engine.screen.compiled import Screen
from armlevel.engine.screen.moves import MoveScreen, behaviour_of
from armlevel.profile import Accepts, Guest, Host
from tests.engine.kit import CATALOGUE, plain, up_to
from tests.engine.moves.test_predict import N2, RECORDED, TOLERANT, with_tcr2
from tests.laws.compiled import Screened

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


def agrees(guest: Guest, host: Host) -> None:
    """Hold the vectors of one guest on one host against the full judgement."""
    screen = Screen(CATALOGUE)
    found = screen.answers(screen.guest(guest), screen.host(host, host.offers[0]))
    assert found == check(guest, host, CATALOGUE).parts


def test_a_guest_that_breaks_what_kvm_enforces_between_fields_is_not_kept():
    fields = {f"ID_AA64MMFR3_EL1.{name}": 1 for name in ("TCRX", "S1PIE", "S1POE")}
    fields |= {"ID_AA64ISAR2_EL1.ATS1A": 1, "ID_AA64MMFR1_EL1.HPDS": 1}
    host = plain("host", fields, takes=up_to(*fields, most=1))
    host = replace(host, software=replace(host.software, kernel="7.3.4"))
    guest, field = passthrough(host, CATALOGUE), CATALOGUE.field("ID_AA64ISAR2_EL1.ATS1A")
    less = {**guest.registers, field.register: field.put(guest.registers[field.register], 0)}
    for kernel in ("7.3.4", "6.18.1", "7.9.0"):
        agrees(replace(guest, registers=less), replace(host, software=replace(host.software, kernel=kernel)))
    assert check(replace(guest, registers=less), host, CATALOGUE).arrive == "refused"


def test_a_cache_geometry_with_shorter_lines_is_not_kept():
    # Both hosts in one screen: what decides is the guest's own geometry, and each host's shortest line.
    hosts = []
    for name, shortest in (("long", 4), ("short", 3)):
        host = plain(name, {"CTR_EL0.DminLine": shortest})
        offer = host.offers[0]
        limits = {**offer.limits, "CCSIDR_EL1[0]": 0x1A}
        taken = dict.fromkeys(("CCSIDR_EL1[0].63:0", "CTR_EL0.DminLine"), Accepts.of(None))
        hosts.append(
            replace(host, offers=(replace(offer, limits=limits, accepts={**offer.accepts, **taken}),))
        )
    guest, screened = passthrough(hosts[0], CATALOGUE), Screened(hosts)
    answers = []
    for value in (0x1A, 0x1B, 0x19):
        changed = replace(guest, registers={**guest.registers, "CCSIDR_EL1[0]": value})
        for about, full, ours in screened.judged(changed, range(2)):
            assert ours == full, about
            answers.append(full["registers"][1])
    assert answers.count("refused") == 1, answers


def test_a_register_that_the_destination_hides_from_the_guest_ends_the_move():
    there = with_tcr2(N2["7.x"])
    unmeasured = replace(there, name="other", software=replace(there.software, kernel="6.15.1"))
    known, row = behaviour_of(TOLERANT, CATALOGUE)
    assert known
    moves = MoveScreen(CATALOGUE, Policy(), row)
    ends = [moves.end(host) for host in (RECORDED[N2["6.12"]], there, unmeasured)]
    for one in ends:
        for two in ends:
            move = judged_move(one.host, two.host, CATALOGUE, TOLERANT, None, Policy())
            assert moves.answers(one, two) == {
                part: arrive for part, (_, arrive) in move.verdict.parts.items()
            }
