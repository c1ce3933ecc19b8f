"""Conflicts are minimal, and groups are as large as they can be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from armlevel.engine import groups_of, level
from armlevel.engine.fields.bundles import in_bundle
from armlevel.engine.fields.conflicts import GROUP_LIMIT, maximal_groups, minimal_sets
from armlevel.profile import Host
from tests.laws.fleet import catalogue
from tests.laws.strategies import QUICK, fleets


@st.composite
def grudges(draw, most: int = 8):
    """Some items, and the sets of them that cannot be together."""
    count = draw(st.integers(2, most))
    items = st.integers(0, count - 1)
    return count, draw(st.lists(st.frozensets(items, min_size=2, max_size=5), min_size=1, max_size=6))


def peaceful(some: Sequence[int], forbidden: Sequence[frozenset[int]]) -> bool:
    return not any(bad <= set(some) for bad in forbidden)


@settings(max_examples=300)
@given(grudges())
def test_each_conflict_set_conflicts_and_loses_its_conflict_with_any_member(case):
    count, forbidden = case
    kinds = {n: (str(n), f"{n} too") for n in range(count)}
    found = minimal_sets(kinds, lambda some: peaceful(some, forbidden))
    assert found
    for names in found:
        some = [int(name) for name in names]
        assert not peaceful(some, forbidden)
        for left_out in some:
            assert peaceful([n for n in some if n != left_out], forbidden)


@settings(max_examples=300)
@given(grudges())
def test_every_small_minimal_conflict_is_found(case):
    count, forbidden = case
    kinds = {n: (str(n),) for n in range(count)}
    found = {frozenset(map(int, s)) for s in minimal_sets(kinds, lambda some: peaceful(some, forbidden))}
    least = {bad for bad in forbidden if not any(other < bad for other in forbidden)}
    assert {bad for bad in least if len(bad) <= 3} <= found
    assert found <= least


@settings(max_examples=300)
@given(grudges())
def test_groups_work_and_none_can_be_extended_and_none_is_missing(case):
    count, forbidden = case
    items = range(count)
    found = maximal_groups(items, lambda some: peaceful(some, forbidden))
    every = [
        frozenset(some)
        for size in range(1, count + 1)
        for some in combinations(items, size)
        if peaceful(some, forbidden)
    ]
    assert {frozenset(group) for group in found} == {
        one for one in every if not any(one < two for two in every)
    }
    assert len(found) == len(set(found))
    assert [len(group) for group in found] == sorted(map(len, found), reverse=True)


@settings(max_examples=50)
@given(grudges(most=30).filter(lambda case: case[0] > GROUP_LIMIT))
def test_beyond_the_limit_groups_are_disjoint_and_work_and_leave_nobody_out(case):
    count, forbidden = case
    found = maximal_groups(range(count), lambda some: peaceful(some, forbidden))
    assert all(peaceful(group, forbidden) for group in found)
    assert sorted(item for group in found for item in group) == list(range(count))


@settings(max_examples=40, phases=QUICK)
@given(fleets(hosts=(2, 5), one_shape=True))
def test_groups_of_hosts_have_a_baseline_and_cannot_be_extended(fleet: tuple[Host, ...]):
    grouping = groups_of(fleet, catalogue())
    by_name = {host.name: host for host in fleet}

    def answer(names: Sequence[str]) -> str:
        return level([by_name[name] for name in names], catalogue()).answer

    assert grouping.complete
    for group in grouping.groups:
        assert answer(group.hosts) == "runs"
        for name in by_name.keys() - set(group.hosts):
            assert answer([*group.hosts, name]) != "runs", (group, name)
    for one, two in combinations(grouping.groups, 2):
        assert not set(one.hosts) <= set(two.hosts)
    alone = {name for name in by_name if answer([name]) == "runs"}
    assert {name for group in grouping.groups for name in group.hosts} == alone
    assert set(grouping.left_open) == {name for name in by_name if answer([name]) == "unknown"}


@settings(max_examples=25, phases=QUICK)
@given(fleets(hosts=(2, 4), one_shape=True))
def test_the_sets_a_conflict_names_have_no_baseline_and_their_parts_do(fleet: tuple[Host, ...]):
    by_name = {host.name: host for host in fleet}
    bundled = {name for offer in fleet[0].offers for name in offer.limits if in_bundle(catalogue(), name)}

    def stands(names: Sequence[str], subject: str, part: str) -> bool:
        outcome = level([by_name[name] for name in names], catalogue())
        subjects = bundled if subject in bundled else {subject}
        return not any(f.subject.key in subjects and f.part == part and f.sets for f in outcome.conflicts)

    # Only where it is certain: of what is not recorded on one host, that host alone says nothing. And not of
    # AArch32 views, which may mean nothing to fewer hosts, nor of a register that fewer hosts may leave behind.
    droppable = {row.register.partition("[")[0] for row in catalogue().drops}
    views = {name for row in catalogue().no_meaning for name in row.registers}
    for finding in level(fleet, catalogue()).conflicts:
        if finding.severity != "stops" or finding.subject.register in views:
            continue
        if finding.subject.key.partition("[")[0] in droppable:
            continue
        for names in finding.sets:
            assert not stands(names, finding.subject.key, finding.part), finding
            for left_out in names:
                rest = [name for name in names if name != left_out]
                assert not rest or stands(rest, finding.subject.key, finding.part), finding
