"""The fewest groups that cover items of which some may not be together: exact, or with how far it can be off.

Items are bits. Covering with the fewest groups is colouring the graph of conflicts; the problem falls apart into the
connected parts of what may be together, items that join wherever another one does are set aside, and what is left is
searched branch by branch (saturation order), against a lower bound of items that all conflict with one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Cover", "cover"]


@dataclass(frozen=True, slots=True)
class Cover:
    """Groups as bit masks, and ``least``: no cover has fewer. It is optimal if there are as many groups."""

    groups: tuple[int, ...]
    least: int

    @property
    def optimal(self) -> bool:
        """Whether this is proved to be the fewest."""
        return len(self.groups) == self.least


def cover(count: int, conflicts: Sequence[int], sets: Sequence[int] = (), effort: int = 20_000) -> Cover:
    """Cover ``count`` items with few groups.

    ``conflicts[i]`` is the mask of the items that may not be with ``i``; ``sets`` are masks of items that may not all
    be together. ``effort`` is how many steps of search each connected part gets; the result does not depend on a clock.

    >>> cover(4, [0b0010, 0b0001, 0b1000, 0b0100])
    Cover(groups=(5, 10), least=2)
    >>> cover(3, [0, 0, 0], [0b111]).groups
    (3, 4)
    """
    every = (1 << count) - 1
    friends = [every & ~conflicts[i] & ~(1 << i) for i in range(count)]
    groups: list[int] = []
    least = 0
    for part in _parts(every, friends):
        inside = [one for one in sets if not one & ~part]
        found, bound = _cover_part(part, conflicts, friends, inside, effort)
        groups += found
        least += bound
    return Cover(tuple(groups), least)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _parts(every: int, friends: Sequence[int]) -> Iterator[int]:
    rest = every
    while rest:
        part, frontier = 0, rest & -rest
        while frontier:
            part |= frontier
            reached = 0
            for i in _bits(frontier):
                reached |= friends[i]
            frontier = reached & ~part
        yield part
        rest &= ~part


def _cover_part(
    part: int, conflicts: Sequence[int], friends: Sequence[int], sets: Sequence[int], effort: int
) -> tuple[list[int], int]:
    followers: list[tuple[int, int]] = []
    bound_by_sets = 0
    for one in sets:
        bound_by_sets |= one
    left, moved = part, True
    while moved:
        moved = False
        for i in list(_bits(left)):
            if not left >> i & 1:
                continue
            mine = friends[i] & left | 1 << i
            for j in _bits(friends[i] & left & ~bound_by_sets):
                if not mine & ~(friends[j] | 1 << j):  # wherever i may be, j may be too
                    followers.append((j, i))
                    left &= ~(1 << j)
                    mine &= ~(1 << j)
                    moved = True
    least = _apart(left, conflicts)
    groups = _Search(left, conflicts, sets, least, effort).run()
    bound = min(len(groups), least)
    if len(groups) > least:
        searched = _Search(left, conflicts, sets, least, effort)
        groups, bound = searched.improved(groups)
    for j, i in reversed(followers):
        at = next(k for k, group in enumerate(groups) if group >> i & 1)
        groups[at] |= 1 << j
    return groups, bound


def _apart(items: int, conflicts: Sequence[int]) -> int:
    """Return the size of a large set of items that all conflict with one another."""
    best = 0
    for first in _bits(items):
        may, size = conflicts[first] & items, 1
        while may:
            pick = max(_bits(may), key=lambda i: (conflicts[i] & may).bit_count())
            may &= conflicts[pick]
            size += 1
        best = max(best, size)
    return best


class _Search:
    # Items are put one by one into a group that may take them, or into a new one.

    def __init__(
        self, items: int, conflicts: Sequence[int], sets: Sequence[int], least: int, effort: int
    ) -> None:
        self._items = items
        self._conflicts = conflicts
        self._sets: dict[int, list[int]] = {i: [one for one in sets if one >> i & 1] for i in _bits(items)}
        self._least = least
        self._effort = effort
        self._best: list[int] = []
        self._spent = False

    def run(self) -> list[int]:
        """Return a first cover, without going back."""
        groups: list[int] = []
        left = self._items
        while left:
            item = self._next(left, groups)
            left &= ~(1 << item)
            at = next((k for k, group in enumerate(groups) if self._fits(item, group)), None)
            if at is None:
                groups.append(1 << item)
            else:
                groups[at] |= 1 << item
        return groups

    def improved(self, groups: list[int]) -> tuple[list[int], int]:
        """Return the best cover found, and a proved lower bound: its size if the search went through."""
        self._best = groups
        self._grow(self._items, [])
        return self._best, self._least if self._spent else len(self._best)

    def _grow(self, left: int, groups: list[int]) -> None:
        if self._spent or len(groups) >= len(self._best) or len(self._best) == self._least:
            return
        if not left:
            self._best = list(groups)
            return
        self._effort -= 1
        if self._effort < 0:
            self._spent = True
            return
        item = self._next(left, groups)
        rest = left & ~(1 << item)
        for k, group in enumerate(groups):
            if self._fits(item, group):
                groups[k] |= 1 << item
                self._grow(rest, groups)
                groups[k] = group
        if len(groups) + 1 < len(self._best):
            self._grow(rest, [*groups, 1 << item])

    def _next(self, left: int, groups: Sequence[int]) -> int:
        # The item that the fewest groups may take; of those, the one with the most conflicts left.
        best, key = -1, (-1, -1)
        for item in _bits(left):
            conflicts = self._conflicts[item]
            closed = sum(1 for group in groups if conflicts & group)
            if (mine := (closed, (conflicts & left).bit_count())) > key:
                best, key = item, mine
        return best

    def _fits(self, item: int, group: int) -> bool:
        if self._conflicts[item] & group:
            return False
        whole = group | 1 << item
        return all(one & ~whole for one in self._sets[item])
