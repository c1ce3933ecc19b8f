"""Conflicts: the smallest sets that already have no baseline, and the groups that do."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeVar

__all__ = ["GROUP_LIMIT", "by_kind", "maximal_groups", "minimal_sets"]

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)

#: Up to so many kinds of hosts, groups are complete; beyond, each host is put into one group, greedily.
GROUP_LIMIT = 16
_LARGEST_SET = 3


def by_kind(names: Sequence[str], kind: Callable[[str], _K]) -> dict[_K, tuple[str, ...]]:
    """Group names by a key, in order of first appearance.

    >>> by_kind(["n1", "n2", "v1"], lambda name: name[0])
    {'n': ('n1', 'n2'), 'v': ('v1',)}
    """
    kinds: dict[_K, list[str]] = {}
    for name in names:
        kinds.setdefault(kind(name), []).append(name)
    return {key: tuple(members) for key, members in kinds.items()}


def minimal_sets(
    kinds: Mapping[_K, Sequence[_T]], agree: Callable[[Sequence[_K]], bool]
) -> tuple[tuple[_T, ...], ...]:
    """Return the smallest sets of kinds that do not agree, each by the first host of the kind.

    Sets of more than three kinds are looked for only if there is no smaller one: then one is found by leaving
    kinds out while the rest still conflicts.

    >>> minimal_sets({0: ("a",), 1: ("b", "c")}, lambda some: len(set(some)) < 2)
    (('a', 'b'),)
    """
    found: list[frozenset[_K]] = []
    keys = list(kinds)
    for size in range(1, min(_LARGEST_SET, len(keys)) + 1):
        for some in combinations(keys, size):
            if not any(known <= set(some) for known in found) and not agree(some):
                found.append(frozenset(some))
    if not found:
        rest = list(keys)
        for key in keys:
            without = [k for k in rest if k != key]
            if without and not agree(without):
                rest = without
        found.append(frozenset(rest))
    return tuple(tuple(kinds[key][0] for key in keys if key in some) for some in found)


def maximal_groups(items: Sequence[_T], works: Callable[[Sequence[_T]], bool]) -> tuple[tuple[_T, ...], ...]:
    """Return the groups of items that work together and to which no item can be added, largest first.

    Every subset of a working group must work. Beyond ``GROUP_LIMIT`` items the groups are disjoint and found
    greedily; each still works, and no item could be added to the one it was refused by.

    >>> maximal_groups([1, 2, 3, 6], lambda some: max(some) % min(some) == 0 and len(some) < 3)
    ((1, 2), (1, 3), (1, 6), (2, 6), (3, 6))
    """
    if len(items) > GROUP_LIMIT:
        return _greedy(items, works)
    indices = range(len(items))
    pairs = {(i, j): works([items[i], items[j]]) for i, j in combinations(indices, 2)}
    groups = _settle(list(_cliques(list(indices), pairs)), lambda some: works([items[i] for i in some]))
    ordered = sorted(groups, key=lambda some: (-len(some), sorted(some)))
    return tuple(tuple(items[i] for i in sorted(some)) for some in ordered)


def _greedy(items: Sequence[_T], works: Callable[[Sequence[_T]], bool]) -> tuple[tuple[_T, ...], ...]:
    groups: list[list[_T]] = []
    for item in items:
        for group in groups:
            if works([*group, item]):
                group.append(item)
                break
        else:
            groups.append([item])
    return tuple(tuple(group) for group in sorted(groups, key=len, reverse=True))


def _cliques(indices: list[int], pairs: Mapping[tuple[int, int], bool]) -> Iterator[frozenset[int]]:
    # Bron and Kerbosch, without pivoting: there are few kinds of hosts.
    friends = {i: {j for j in indices if i != j and pairs[min(i, j), max(i, j)]} for i in indices}

    def grow(chosen: frozenset[int], may: set[int], seen: set[int]) -> Iterator[frozenset[int]]:
        if not may and not seen:
            yield chosen
        for i in sorted(may):
            yield from grow(chosen | {i}, may & friends[i], seen & friends[i])
            may = may - {i}
            seen = seen | {i}

    yield from grow(frozenset(), set(indices), set())


def _settle(groups: list[frozenset[int]], works: Callable[[frozenset[int]], bool]) -> set[frozenset[int]]:
    # Pairs that work do not always make a group that works: split until it does, then keep the maximal ones.
    settled: set[frozenset[int]] = set()
    tried: set[frozenset[int]] = set()
    while groups:
        group = groups.pop()
        if group in tried:
            continue
        tried.add(group)
        if len(group) < 3 or works(group):
            settled.add(group)
        else:
            groups.extend(group - {i} for i in group)
    return {group for group in settled if not any(group < other for other in settled)}
