"""Removing a recorded number never helps: no answer becomes yes, nothing becomes equal, nothing becomes different."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st

from armlevel.documents import host_object
from armlevel.engine import check, diff, level, not_compared, passthrough
from armlevel.profile import (
    IMPLEMENTATION_REGISTERS,
    Cpu,
    Facts,
    Guest,
    Host,
    Implementation,
    ShownImplementation,
    alike,
)
from tests.laws.fleet import catalogue
from tests.laws.strategies import QUICK, implementations, pairs_of_hosts


def less_recorded(host: Host) -> Iterator[Host]:
    """The host without one of the numbers that it records: of its implementation, or a fact."""
    base, *rest = host.offers
    for register in IMPLEMENTATION_REGISTERS:
        if register in base.limits:
            limits = {name: value for name, value in base.limits.items() if name != register}
            cpus = tuple(
                replace(cpu, implementation=_less(cpu.implementation, register)) for cpu in host.cpus
            )
            yield replace(host, offers=(replace(base, limits=limits), *rest), cpus=cpus)
    yield from (replace(host, facts=facts) for facts in _less_known(host.facts))


def _less(one: Implementation, register: str) -> Implementation:
    kept = {name: value for name, value in one.registers().items() if name != register}
    return Implementation.from_registers(kept) or Implementation()


def less_recorded_guests(guest: Guest) -> Iterator[Guest]:
    """The guest without one of the numbers of its implementation, or one of its facts."""
    if guest.implementation is not None:
        for register in guest.implementation.shown.registers():
            shown = _less(guest.implementation.shown, register)
            yield replace(guest, implementation=ShownImplementation(shown, guest.implementation.targets))
    yield from (replace(guest, facts=facts) for facts in _less_known(guest.facts))


def _less_known(facts: Facts) -> list[Facts]:
    less = [replace(facts, cntfrq_hz=None), replace(facts, dczid=None)]
    return [one for one in less if one != facts]


@settings(max_examples=40, phases=QUICK)
@given(pairs_of_hosts())
def test_what_is_not_recorded_makes_no_answer_a_yes(fleet: tuple[Host, ...]):
    home, there = fleet
    guest = passthrough(home, catalogue())
    asked = [(guest, less) for less in less_recorded(there)]
    asked += [(less, there) for less in less_recorded_guests(guest)]
    event(f"numbers: {len(asked)}")
    for some, host in asked:
        found = check(some, host, catalogue())
        assert (found.start, found.arrive) != ("runs", "runs"), (host, some.facts, some.implementation)


@settings(max_examples=25, phases=QUICK)
@given(pairs_of_hosts())
def test_what_is_not_recorded_makes_no_baseline(fleet: tuple[Host, ...]):
    home, there = fleet
    for less in less_recorded(there):
        assert level([home, less], catalogue()).answer != "runs", less


@settings(max_examples=40, phases=QUICK)
@given(pairs_of_hosts())
def test_what_is_not_recorded_is_never_equal_and_never_different(fleet: tuple[Host, ...]):
    home, there = fleet
    known = set(diff(home, there, catalogue()))
    for less in less_recorded(there):
        found = diff(home, less, catalogue())
        assert set(found) <= known
        event("compared less" if set(found) < known else "as much")
        assert not_compared(home, less, catalogue())


@given(implementations(), implementations())
def test_of_two_implementations_no_more_is_said_where_less_is_recorded(
    one: Implementation, two: Implementation
):
    full = one.same_as(two)
    assert full == two.same_as(one) == alike([one], [two])
    for register in one.registers():
        less = _less(one, register).same_as(two)
        assert less is None or (less is False and full is False)


@given(st.lists(implementations(), max_size=8))
def test_implementations_have_an_order_whatever_is_recorded(some: list[Implementation]):
    ordered = sorted(some)
    some.reverse()
    assert sorted(some) == ordered
    assert all(not after < before for before, after in pairwise(ordered))


def test_a_missing_count_of_cpus_is_written_as_missing():
    host = Host("a", cpus=(Cpu(Implementation(1)), Cpu(Implementation(2, 0, 0), 4)))
    assert [cpu.get("count") for cpu in host_object(host)["cpus"]] == [None, 4]
