"""In which order to roll the hosts of a pool, so that no guest is left without a way. Pure.

To roll a host its guests go elsewhere; it goes down, and comes back as another kind. A guest may go from one host to
another where that is certain, and what is certain hangs on both kinds: under most VMMs a guest carries on what the host
that it was on lists, so it may go where it cannot come back from. Room is not looked at.

Every order is searched. Hosts that are alike are three: the first that is rolled, those between, and the last; what
lies between changes nothing, for there is always one of both sorts beside it. An order with the fewest guests that lose
their way is found, of these one with the fewest that are left with one host in the end. Where there are too many states
the search ends with the best that it found, and says so (``proven``).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Rider", "Rolled", "RolloutOrder", "RolloutStep", "Travel", "order_of"]

#: Whether a guest (its key) that is on a host of the first kind certainly may go to one of the second.
Way = Callable[[str, str, str], bool]

_MOST_STATES = 2_000
_ALIKE = 3


@dataclass(frozen=True, slots=True)
class Rolled:
    """A host: the kind that it is, and the one that it is to be; the same, if it is left alone."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rider:
    """Guests that are alike, on one host: a key that says which, and how many."""

    guest: str
    host: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Travel:
    """Guests that go from a host to another (any of those that are named), before a step."""

    rider: Rider
    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """Hosts that are rolled, one after the other: who goes where before, and whose guests have to be stopped."""

    hosts: tuple[str, ...]
    travels: tuple[Travel, ...] = ()
    lost: tuple[Rider, ...] = ()


@dataclass(frozen=True, slots=True)
class RolloutOrder:
    """An order; ``cornered`` are guests that in the end may be on one host only. ``proven``: no order is better."""

    steps: tuple[RolloutStep, ...]
    cornered: tuple[Rider, ...]
    proven: bool

    @property
    def lost(self) -> tuple[Rider, ...]:
        """The guests that have to be stopped."""
        return tuple(one for step in self.steps for one in step.lost)


@dataclass(frozen=True, slots=True)
class _Unit:
    # Hosts that are rolled at one place of the order.
    before: str
    after: str
    hosts: tuple[str, ...]
    behind: int | None = None  # the unit that has to be rolled before

    @property
    def moves(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class _Group:
    # Riders that go the same ways from the same unit.
    riders: tuple[Rider, ...]
    unit: int
    ways: frozenset[tuple[str, str]]

    @property
    def count(self) -> int:
        return sum(one.count for one in self.riders)


def order_of(hosts: Sequence[Rolled], riders: Sequence[Rider], way: Way) -> RolloutOrder:
    """Return the order in which to roll hosts; those that stay what they are can take guests.

    >>> hosts = [Rolled("a", "old", "new"), Rolled("b", "old", "new")]
    >>> up = lambda guest, here, there: (here, there) != ("new", "old")
    >>> [step.hosts for step in order_of(hosts, [Rider("g", "a")], up).steps]
    [('b',), ('a',)]
    """
    kinds = sorted({kind for one in hosts for kind in (one.before, one.after)})
    ways = {
        guest: frozenset((here, there) for here in kinds for there in kinds if way(guest, here, there))
        for guest in {one.guest for one in riders}
    }
    units = tuple(_units(hosts, riders, ways))
    fleet = _Fleet(units, tuple(_groups(units, riders, ways)))
    order, proven = fleet.searched()
    return fleet.told(order, proven=proven)


def _units(
    hosts: Sequence[Rolled], riders: Iterable[Rider], ways: Mapping[str, frozenset[tuple[str, str]]]
) -> Iterator[_Unit]:
    at: dict[str, list[Rider]] = {}
    for rider in riders:
        at.setdefault(rider.host, []).append(rider)

    def first(host: Rolled) -> tuple[int, int, str]:
        # Hosts whose guests cannot go to another of their kind are not the first ones.
        there = at.get(host.name, ())
        stuck = sum(one.count for one in there if (host.before, host.before) not in ways[one.guest])
        return stuck, sum(one.count for one in there), host.name

    alike: dict[tuple[str, str], list[Rolled]] = {}
    for host in hosts:
        alike.setdefault((host.before, host.after), []).append(host)
    number = 0
    for (before, after), some in sorted(alike.items()):
        names = [one.name for one in sorted(some, key=first)]
        many = len(names) > _ALIKE
        parts = [names[:1], names[1:-1], names[-1:]] if many else [[name] for name in names]
        for place, part in enumerate(parts):
            yield _Unit(before, after, tuple(part), number - 1 if place and many else None)
            number += 1


def _groups(
    units: Sequence[_Unit], riders: Iterable[Rider], ways: Mapping[str, frozenset[tuple[str, str]]]
) -> Iterator[_Group]:
    at = {name: place for place, unit in enumerate(units) for name in unit.hosts}
    alike: dict[tuple[int, frozenset[tuple[str, str]]], list[Rider]] = {}
    for rider in riders:
        alike.setdefault((at[rider.host], ways[rider.guest]), []).append(rider)
    for (unit, known), some in sorted(alike.items(), key=lambda one: (one[0][0], sorted(one[0][1]))):
        yield _Group(tuple(some), unit, known)


@dataclass(frozen=True, slots=True)
class _Fleet:
    units: tuple[_Unit, ...]
    groups: tuple[_Group, ...]
    cache: dict[tuple[int, int, int, int], int] = field(default_factory=dict)

    def kind(self, unit: int, rolled: int) -> str:
        one = self.units[unit]
        return one.after if rolled >> unit & 1 else one.before

    def spread(self, group: int, rolled: int, there: int, down: int = -1) -> int:
        # Everywhere that guests of a group can be who can be there; as bits of units. One unit of several hosts is a
        # way of its own, for there is another host like it; ``down`` is one of whose hosts one is about to go down.
        key = (group, rolled, there, down)
        if (known := self.cache.get(key)) is not None:
            return known
        ways, left, found = self.groups[group].ways, there, there
        while left:
            here = (left & -left).bit_length() - 1
            left &= left - 1
            for other in range(len(self.units)):
                if not found >> other & 1 and (self.kind(here, rolled), self.kind(other, rolled)) in ways:
                    found |= 1 << other
                    left |= 1 << other
        self.cache[key] = found
        return found

    def leave(self, group: int, rolled: int, there: int, unit: int) -> int:
        # Where guests of a group can be when the hosts of a unit have been down, one after the other.
        return self.spread(group, rolled, there) & ~(1 << unit)

    def searched(self) -> tuple[tuple[int, ...], bool]:
        moving = [place for place, unit in enumerate(self.units) if unit.moves]
        start = tuple(1 << group.unit for group in self.groups)
        heap: list[tuple[int, int, int, tuple[int, ...], int, tuple[int, ...], bool]]
        heap = [(0, 0, len(moving), (), 0, start, False)]
        seen: set[tuple[int, tuple[int, ...], int]] = set()
        while heap:
            lost, cornered, _, order, rolled, places, ended = heapq.heappop(heap)
            if ended:
                return order, len(seen) <= _MOST_STATES
            if len(seen) <= _MOST_STATES and (rolled, places, lost) in seen:
                continue
            seen.add((rolled, places, lost))
            left = [unit for unit in moving if not rolled >> unit & 1]
            done = [unit for unit in moving if rolled >> unit & 1]
            if not left:
                last = self.cornered(rolled, places)
                heapq.heappush(heap, (lost, last, 0, order, rolled, places, True))
                continue
            if len(seen) > _MOST_STATES:  # from here on the best child alone
                heap.clear()
            children = [
                (lost + gone, cornered, len(left) - 1, (*order, unit), rolled | 1 << unit, then, False)
                for unit in left
                if self.units[unit].behind in (None, *done)
                for gone, then in [self.step(rolled, places, unit)]
            ]
            for child in [min(children)] if len(seen) > _MOST_STATES else children:
                heapq.heappush(heap, child)
        raise AssertionError("an order is always found")

    def step(self, rolled: int, places: Sequence[int], unit: int) -> tuple[int, tuple[int, ...]]:
        gone, then = 0, []
        for number, group in enumerate(self.groups):
            there = places[number] and self.leave(number, rolled, places[number], unit)
            gone += group.count if places[number] and not there else 0
            then.append(there)
        return gone, tuple(then)

    def cornered(self, rolled: int, places: Sequence[int]) -> int:
        return sum(
            group.count
            for number, group in enumerate(self.groups)
            if places[number] and self.alone(number, rolled, places[number])
        )

    def alone(self, group: int, rolled: int, there: int) -> bool:
        # Whether guests of a group have, wherever they can be, no other host to go to.
        ways = self.groups[group].ways
        found = self.spread(group, rolled, there)
        for here in range(len(self.units)):
            if not found >> here & 1:
                continue
            kind = self.kind(here, rolled)
            several = len(self.units[here].hosts) > 1 and (kind, kind) in ways
            if several or any(
                (kind, self.kind(other, rolled)) in ways for other in range(len(self.units)) if other != here
            ):
                return False
        return True

    def told(self, order: Sequence[int], *, proven: bool) -> RolloutOrder:
        travels: list[list[Travel]] = [[] for _ in order]
        lost: list[list[Rider]] = [[] for _ in order]
        cornered: list[Rider] = []
        every = sum(1 << unit for unit in order)
        for number, group in enumerate(self.groups):
            path, end, after = self.path(number, order)
            for step, (source, target) in path.items():
                hosts = self.units[target].hosts
                names = tuple(hosts if target != source else ())
                travels[step] += [Travel(rider, self.units[source].hosts, names) for rider in group.riders]
            if end is None:
                lost[after] += group.riders
            elif self.alone(number, every, 1 << end):
                cornered += group.riders
        steps = tuple(
            RolloutStep(self.units[unit].hosts, tuple(travels[place]), tuple(lost[place]))
            for place, unit in enumerate(order)
        )
        return RolloutOrder(steps, tuple(cornered), proven)

    def reached(self, group: int, order: Sequence[int]) -> list[int]:
        rolled, there = 0, 1 << self.groups[group].unit
        found = [there]
        for unit in order:
            there = there and self.leave(group, rolled, there, unit)
            rolled |= 1 << unit
            found.append(there)
        return found

    def path(self, group: int, order: Sequence[int]) -> tuple[dict[int, tuple[int, int]], int | None, int]:
        # Step -> from where to where, so that the guests are somewhere as long as they can be, and in the end not in a
        # corner if they need not be; where they are in the end, and after how many steps that is.
        reached = self.reached(group, order)
        steps = next((place for place, there in enumerate(reached) if not there), len(reached)) - 1
        rolled = [sum(1 << unit for unit in order[:place]) for place in range(steps + 1)]
        good = self.last_places(group, reached[steps], rolled[steps], whole=steps == len(order))
        goals = [0] * (steps + 1)
        goals[steps] = good
        for place in reversed(range(steps)):
            left = goals[place + 1] & ~(1 << order[place])
            goals[place] = sum(
                1 << unit
                for unit in range(len(self.units))
                if self.spread(group, rolled[place], 1 << unit) & left
            )
        here, found = self.groups[group].unit, dict[int, tuple[int, int]]()
        for place in range(steps):
            wanted = goals[place + 1] & ~(1 << order[place])
            if not wanted >> here & 1:
                can = self.spread(group, rolled[place], 1 << here) & wanted
                there = (can & -can).bit_length() - 1
                found[place] = (here, there)
                here = there
        return found, here if steps == len(order) else None, steps

    def last_places(self, group: int, there: int, rolled: int, *, whole: bool) -> int:
        if not whole:
            return there
        spread = self.spread(group, rolled, there)
        free = sum(
            1 << unit
            for unit in range(len(self.units))
            if there >> unit & 1 and not self.alone(group, rolled, 1 << unit)
        )
        return free or there & spread
