"""The baseline of hosts near real ones: what it must be whatever the hosts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from armlevel.arch import Field, known_of
from armlevel.engine import Baseline, check, level, passthrough
from armlevel.engine.fields.domains import fields_of
from armlevel.engine.names import EVERY_HOST
from armlevel.profile import Guest, Host, Offer
from tests.laws import reference
from tests.laws.fleet import catalogue, make_fleet, recorded
from tests.laws.strategies import QUICK, fleets, pairs_of_hosts


def offers_of(fleet: Sequence[Host], outcome: Baseline) -> list[Offer]:
    assert outcome.shape is not None
    offers = [host.offer(outcome.shape) for host in fleet]
    assert all(offers)
    return [offer for offer in offers if offer is not None]


def content(outcome: Baseline) -> tuple[object, ...]:
    """A baseline without the names of its hosts."""
    guest = outcome.guest
    kept = sorted(map(str, outcome.kept))
    return outcome.shape, dict(outcome.parts), guest and replace(guest, name="", starts_on=()), kept


def ordered(values: dict[str, int]) -> dict[str, Field]:
    fields = catalogue().fields
    return {name: fields[name] for name in values if fields[name].order.total}


def test_enough_fleets_have_a_guest_for_the_laws_to_say_something(tell):
    fleets_tried = 100
    guests = sum(
        level(make_fleet(Random(seed)), catalogue()).guest is not None for seed in range(fleets_tried)
    )
    tell(f"laws: {guests} of {fleets_tried} random fleets give a guest")
    assert guests >= fleets_tried // 2


@settings(max_examples=60, phases=QUICK)
@given(fleets(hosts=(2, 4)))
def test_neither_order_nor_duplicates_of_hosts_matter(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    event(f"answer: {outcome.answer}")
    back = level(fleet[::-1], catalogue())
    assert content(back) == content(outcome)
    twins = tuple(replace(host, name=f"{host.name} again") for host in fleet)
    both = level([*fleet, *twins], catalogue())
    assert content(both) == content(outcome)
    if outcome.guest is not None:
        assert back.guest is not None
        assert both.guest is not None
        born = set(outcome.guest.starts_on)
        assert set(back.guest.starts_on) == born
        assert set(both.guest.starts_on) == born | {f"{name} again" for name in born}


@settings(max_examples=150, phases=QUICK)
@given(fleets())
def test_what_is_levelled_arrives_everywhere_and_starts_where_it_is_born(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    event(f"answer: {outcome.answer}")
    if outcome.guest is None:
        return
    for host in fleet:
        verdict = check(outcome.guest, host, catalogue())
        for part, answer in outcome.parts.items():
            start, arrive = verdict.parts[part]
            if answer != "refused":
                assert arrive != "refused", (host.name, part, verdict.findings)
            if answer == "runs":
                assert arrive == "runs", (host.name, part, verdict.findings)
            if host.name in outcome.guest.starts_on and answer != "refused":
                assert start != "refused", (host.name, part, verdict.findings)
                assert start == "runs" or answer == "unknown", (host.name, part, verdict.findings)


@settings(max_examples=100, phases=QUICK)
@given(fleets())
def test_a_baseline_is_never_above_any_host(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    if outcome.guest is None:
        return
    values = known_of(catalogue(), outcome.guest.registers)
    for offer in offers_of(fleet, outcome):
        limits = known_of(catalogue(), offer.limits)
        for name, field in ordered(values).items():
            assert field.register.startswith("CLIDR") or not reference.above(
                field, values[name], limits[name]
            )


@settings(max_examples=100, phases=QUICK)
@given(fleets())
def test_every_host_keeps_each_value_as_written(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    if outcome.guest is None:
        return
    for offer in offers_of(fleet, outcome):
        assert (
            outcome.parts["registers"] == "unknown" or outcome.guest.registers.keys() <= offer.limits.keys()
        )
        for name, value in outcome.guest.registers.items():
            for field in (
                fields_of(catalogue(), name, (value, offer.limits[name])) if name in offer.limits else ()
            ):
                assert reference.accepts(offer, field).outcome(field.get(value)) == "same"


@settings(max_examples=100, phases=QUICK)
@given(fleets(hosts=(2, 4)))
def test_adding_a_host_never_raises_a_field_that_has_an_order(fleet: tuple[Host, ...]):
    before, after = level(fleet[:-1], catalogue()), level(fleet, catalogue())
    if before.guest is None or after.guest is None or before.shape != after.shape:
        return
    free = {rule.field for rule in after.kept}
    while more := {rule.field for rule in catalogue().field_rules if rule.then in free} - free:
        free |= more
    # What the shape rules out is capped where it can be, and stays where a host shows it all the same.
    free |= {name for row in catalogue().couplings if isinstance(row.when, str) for name in row.then}
    was, now = (known_of(catalogue(), guest.registers) for guest in (before.guest, after.guest))
    bundled = ("CLIDR_EL1",)
    for name, field in ordered(now).items():
        limits = [field.get(offer.limits[field.register]) for offer in offers_of(fleet, after)]
        odd = (
            field.derived
            or name in free
            or field.register in bundled
            or not all(map(field.architected, limits))
        )
        if name in was and not odd:
            assert not reference.above(field, now[name], was[name]), name


@settings(max_examples=100, phases=QUICK)
@given(fleets())
def test_a_baseline_breaks_no_field_rule_that_none_of_its_hosts_broke(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    if outcome.guest is None:
        return
    fields = catalogue().fields
    values = known_of(catalogue(), outcome.guest.registers)
    hosts = [known_of(catalogue(), offer.limits) for offer in offers_of(fleet, outcome)]
    for rule in catalogue().field_rules:
        if not reference.keeps(rule, values, fields):
            assert any(not reference.keeps(rule, limits, fields) for limits in hosts), rule


@settings(max_examples=100, phases=QUICK)
@given(fleets(hosts=(1, 1)))
def test_of_one_host_alone_the_limits_are_taken(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    guest = outcome.guest
    if guest is None:
        # KVM itself would change what this host is said to show.
        assert any(EVERY_HOST in dict(f.offers) for f in outcome.conflicts)
        return
    (offer,) = offers_of(fleet, outcome)
    free = {name for row in catalogue().couplings for name in row.then}
    for name, value in guest.registers.items():
        for field in fields_of(catalogue(), name, (value, offer.limits[name])):
            assert field.get(value) == field.get(offer.limits[name]) or field.subject in free
    missing = offer.limits.keys() - guest.registers.keys()
    assert missing <= {*_aarch32(), "MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"}
    assert outcome.parts["list"] != "refused"
    assert outcome.parts["firmware"] != "refused"
    assert outcome.parts["facts"] != "refused"


def _aarch32() -> set[str]:
    return {name for row in catalogue().no_meaning for name in row.registers}


@settings(max_examples=60, phases=QUICK)
@given(fleets(hosts=(2, 4)))
def test_what_has_no_meaning_takes_no_part(fleet: tuple[Host, ...]):
    # Guests without AArch32 at any level: the AArch32 views neither conflict nor are carried nor are promised.
    known = catalogue()
    only64 = tuple(_without_aarch32(host, blank=bool(n % 2)) for n, host in enumerate(fleet))
    outcome = level(only64, known)
    for finding in outcome.findings:
        assert finding.subject.register not in _aarch32(), finding
    if outcome.guest is not None:
        assert not _aarch32() & outcome.guest.registers.keys()
        ids = {known.registers[name].kvm_id for name in _aarch32()}
        assert not ids & set(outcome.guest.register_list or ())
        for host in only64:
            subjects = {f.subject.register for f in check(outcome.guest, host, known).findings}
            assert not subjects & _aarch32()


def _without_aarch32(host: Host, *, blank: bool) -> Host:
    offer = host.offers[0]
    pfr0 = offer.limits.get("ID_AA64PFR0_EL1", 0) & ~0xFFFF | 0x1111
    limits = {**offer.limits, "ID_AA64PFR0_EL1": pfr0}
    kept = {name: taken for name, taken in offer.accepts.items() if not name.startswith("ID_AA64PFR0_EL1.EL")}
    if blank:
        limits |= {name: 0 for name in _aarch32() if name in limits}
        kept = {name: taken for name, taken in kept.items() if name.partition(".")[0] not in _aarch32()}
    return replace(host, offers=(replace(offer, limits=limits, accepts=kept),))


@given(st.sampled_from(sorted(catalogue().registers)), st.integers(0, (1 << 64) - 1))
def test_encoding_what_was_decoded_gives_the_value_again(name: str, value: int):
    register = catalogue().registers[name]
    fields = register.decode(value)
    assert register.encode(fields, value & register.reserved_mask) == value
    assert register.encode(fields) == value & ~register.reserved_mask
    for field in register.fields:
        assert field.put(value, field.get(value)) == value


def test_encoding_what_was_decoded_gives_the_value_again_in_every_register():
    for register in catalogue().registers.values():
        for value in (0, (1 << 64) - 1, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210):
            assert register.encode(register.decode(value), value & register.reserved_mask) == value


def test_every_recorded_machine_alone_has_a_baseline_that_arrives_at_home(tell):
    for host in recorded():
        outcome = level([host], catalogue())
        assert outcome.answer == "runs"
        assert isinstance(outcome.guest, Guest)
        verdict = check(outcome.guest, host, catalogue())
        assert (verdict.start, verdict.arrive) == ("runs", "runs")
    tell(f"laws: {len(recorded())} recorded machines, each alone at its limits, start and arrive at home")


@settings(max_examples=150, phases=QUICK)
@given(pairs_of_hosts())
def test_no_guest_starts_where_levelling_the_two_hosts_leaves_something_open(fleet: tuple[Host, ...]):
    home, there = fleet
    guest = passthrough(home, catalogue())
    starts = check(guest, there, catalogue()).start
    outcome = level([home, there], catalogue())
    event(f"starts: {starts}, levelled: {outcome.answer}")
    if starts == "runs":
        assert outcome.answer == "runs", outcome.conflicts
