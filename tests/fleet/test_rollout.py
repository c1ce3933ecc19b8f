"""Laws of a rollout's order, by brute force over every order of small fleets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random

import pytest

from armlevel.fleet.rollout import Rider, Rolled, RolloutOrder, order_of

Ways = frozenset[tuple[str, str, str]]


def kind_of(host: Rolled, rolled: frozenset[str]) -> str:
    return host.after if host.name in rolled else host.before


def spread(there: frozenset[str], hosts: Sequence[Rolled], rolled: frozenset[str], guest: str, ways: Ways):
    by_name = {host.name: host for host in hosts}
    found, left = set(there), list(there)
    while left:
        here = by_name[left.pop()]
        for other in hosts:
            way = (guest, kind_of(here, rolled), kind_of(other, rolled))
            if other.name not in found and way in ways:
                found.add(other.name)
                left.append(other.name)
    return frozenset(found)


def loses(order: Sequence[str], hosts: Sequence[Rolled], rider: Rider, ways: Ways) -> tuple[int, int]:
    """Whether guests have to be stopped, and whether they are cornered in the end, whatever way they take."""
    there, rolled = frozenset([rider.host]), frozenset[str]()
    for name in order:
        there = spread(there, hosts, rolled, rider.guest, ways) - {name}
        rolled |= {name}
        if not there:
            return 1, 0
    there = spread(there, hosts, rolled, rider.guest, ways)
    by_name = {host.name: host for host in hosts}
    free = any(
        (rider.guest, kind_of(by_name[here], rolled), kind_of(other, rolled)) in ways
        for here in there
        for other in hosts
        if other.name != here
    )
    return 0, int(not free)


def cost(
    order: Sequence[str], hosts: Sequence[Rolled], riders: Sequence[Rider], ways: Ways
) -> tuple[int, int]:
    each = [(one.count, loses(order, hosts, one, ways)) for one in riders]
    return sum(n * lost for n, (lost, _) in each), sum(n * alone for n, (_, alone) in each)


def best(hosts: Sequence[Rolled], riders: Sequence[Rider], ways: Ways) -> tuple[int, int]:
    moving = [host.name for host in hosts if host.before != host.after]
    return min(cost(order, hosts, riders, ways) for order in permutations(moving))


def fleet_at_random(chance: Random, most: int) -> tuple[list[Rolled], list[Rider], Ways]:
    silicon = chance.randint(1, 3)
    kinds = [f"{letter}{age}" for letter in "abc"[:silicon] for age in ("old", "new")]
    hosts = []
    for number in range(chance.randint(2, most)):
        letter = chance.choice("abc"[:silicon])
        after = "new" if chance.random() < 0.85 else "old"
        hosts.append(Rolled(f"h{number}", f"{letter}old", f"{letter}{after}"))
    riders = list(
        {
            Rider(chance.choice("xyz"), chance.choice(hosts).name, chance.randint(1, 3)): None
            for _ in range(chance.randint(1, 4))
        }
    )
    likely = chance.choice((0.3, 0.5, 0.8))
    ways = {
        (guest, here, there)
        for guest in "xyz"
        for here in kinds
        for there in kinds
        if (chance.random() < 0.9 if here == there else chance.random() < likely)
    }
    return hosts, riders, frozenset(ways)


def told(hosts: Sequence[Rolled], riders: Sequence[Rider], ways: Ways) -> RolloutOrder:
    return order_of(hosts, riders, lambda *way: way in ways)


def order_in(found: RolloutOrder) -> list[str]:
    return [name for step in found.steps for name in step.hosts]


def hold(seed: int, most: int) -> tuple[int, int]:
    hosts, riders, ways = fleet_at_random(Random(seed), most)
    found = told(hosts, riders, ways)
    assert found.proven
    order = order_in(found)
    assert sorted(order) == sorted(host.name for host in hosts if host.before != host.after)
    assert len(set(riders)) == len(riders)
    ours = cost(order, hosts, riders, ways)
    assert ours == (sum(o.count for o in found.lost), sum(o.count for o in found.cornered)), seed
    assert ours == best(hosts, riders, ways), seed
    return ours


def test_no_order_keeps_a_way_that_this_one_takes_from_a_guest(tell):
    costs = [hold(seed, 4) for seed in range(250)]
    lost, cornered = sum(lost > 0 for lost, _ in costs), sum(alone > 0 for _, alone in costs)
    tell(f"rollout: {len(costs)} fleets, guests are lost in {lost}, cornered in {cornered}")
    assert 10 < lost < 200
    assert cornered > 10


@pytest.mark.slow
def test_no_order_keeps_a_way_that_this_one_takes_from_a_guest_in_larger_fleets(tell):
    costs = [hold(seed, 6) for seed in range(10_000, 10_600)]
    tell(
        f"rollout: {len(costs)} fleets of up to six hosts, {sum(lost > 0 for lost, _ in costs)} with lost guests"
    )


def test_guests_go_where_they_are_told_to_and_only_where_they_may():
    travels = 0
    for seed in range(250):
        hosts, riders, ways = fleet_at_random(Random(seed), 4)
        found = told(hosts, riders, ways)
        by_name = {host.name: host for host in hosts}
        at: dict[Rider, str] = {one: one.host for one in riders}
        rolled = frozenset[str]()
        for step in found.steps:
            (name,) = step.hosts if len(step.hosts) == 1 else (step.hosts[0],)
            if len(step.hosts) > 1:
                break  # several hosts at one place: which of them is taken is left open
            for one in step.travels:
                assert at[one.rider] in one.source
                (target,) = one.target if len(one.target) == 1 else (one.target[0],)
                assert target in spread(frozenset([at[one.rider]]), hosts, rolled, one.rider.guest, ways), (
                    seed,
                    one,
                )
                at[one.rider] = target
                travels += 1
            gone = {one for one, place in at.items() if place == name and one not in step.lost}
            assert not gone, (seed, name)
            at = {one: place for one, place in at.items() if one not in step.lost}
            rolled |= {name}
        assert by_name
    assert travels > 100


def test_orders_that_differ_are_told_apart_and_the_trap_is_avoided():
    # Guests of b go up to a's new kind and never come back: a first, then b.
    hosts = [Rolled("b", "bold", "bnew"), Rolled("a", "aold", "anew")]
    ways = frozenset({("g", "bold", "anew"), ("g", "anew", "bnew")})
    found = told(hosts, [Rider("g", "b")], ways)
    assert (order_in(found), found.lost) == (["a", "b"], ())
    assert cost(["b", "a"], hosts, [Rider("g", "b")], ways) == (1, 0)


def test_a_thousand_hosts_are_three_places_a_kind():
    hosts = [Rolled(f"h{n:04}", "old", "new") for n in range(1000)]
    riders = [Rider(f"g{n % 7}", host.name) for n, host in enumerate(hosts)]
    found = order_of(hosts, riders, lambda _, here, there: (here, there) != ("new", "old"))
    assert [len(step.hosts) for step in found.steps] == [1, 998, 1]
    assert (found.lost, found.cornered, found.proven) == ((), (), True)
    down = order_of(hosts, riders, lambda _, here, there: here == there)
    assert len(down.lost) == 1000


def test_where_there_are_too_many_orders_one_is_told_and_that_it_may_not_be_the_best():
    hosts = [Rolled(f"h{n}", f"old{n}", "new") for n in range(23)]
    riders = [Rider(f"g{n % 3}", host.name) for n, host in enumerate(hosts)]
    found = order_of(
        hosts, riders, lambda guest, here, there: here == there or (guest, there) == ("g0", "new")
    )
    assert sorted(order_in(found)) == sorted(host.name for host in hosts)
    assert not found.proven


def test_of_nothing_nothing_is_rolled():
    assert order_of([Rolled("a", "old", "old")], [Rider("g", "a")], lambda *_: True).steps == ()
