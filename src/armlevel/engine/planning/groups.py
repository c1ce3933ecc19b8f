"""Which hosts do have a baseline together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from armlevel.arch import Catalogue
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.fields.conflicts import GROUP_LIMIT, by_kind, maximal_groups
from armlevel.engine.findings import Answer
from armlevel.engine.names import HostName
from armlevel.engine.planning.host_kinds import kinds_among
from armlevel.engine.planning.sets import Sets
from armlevel.engine.policy import Policy
from armlevel.engine.values import Value
from armlevel.profile import Host

__all__ = ["FEW", "Group", "Grouping", "groups_of"]

#: Among so many kinds of hosts every pair is levelled to tell which of those that are left open are certainly apart.
FEW = 12


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts that certainly share a baseline."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a set of hosts; ``complete`` says that every maximal group is there.

    ``left_open``  hosts of which too little is recorded to say of any guest CPU that they run it: they are in no group
    ``apart``      those of them that certainly share none with any other of the hosts
    """

    groups: tuple[Group, ...]
    complete: bool
    left_open: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


def groups_of(
    hosts: Sequence[Host],
    catalogue: Catalogue,
    policy: Policy | None = None,
    *,
    outcome: Baseline | None = None,
    known: Mapping[frozenset[str], Answer] = MappingProxyType({}),
) -> Grouping:
    """Return the maximal groups of hosts that certainly have a baseline: what is not known makes no group.

    ``outcome`` is the baseline of all hosts if it is already known, and ``known`` what levelling some of them answers,
    by names. Beyond ``GROUP_LIMIT`` different hosts, those that take the same part in every conflict stay together and
    groups are found greedily: each still has a baseline, but there may be others.
    """
    whole = outcome if outcome is not None else level(hosts, catalogue, policy)
    by_name = {host.name: host for host in hosts}
    if whole.answer == "runs":
        return Grouping((Group(tuple(by_name)),), complete=True)
    kinds = kinds_among(list(by_name.values()))
    sets = Sets([kind.host for kind in kinds], catalogue, policy or Policy(), known)
    places = {name: place for place, kind in enumerate(kinds) for name in kind.names}

    def answer(names: Sequence[str]) -> Answer:
        return sets.answer(places[name] for name in names)

    def works(some: Sequence[tuple[str, ...]]) -> bool:
        return answer([name for kind in some for name in kind]) == "runs"

    items = [kind.names for kind in kinds]
    exact = len(items) <= GROUP_LIMIT
    if not exact:
        alike = by_kind(list(by_name), _part_in(whole)).values()
        items = [part for kind in alike for part in ([kind] if works([kind]) else [(name,) for name in kind])]
    found = filter(None, maximal_groups([item for item in items if works([item])], works))
    groups = [
        Group(tuple(name for name in by_name if any(name in kind for kind in group))) for group in found
    ]
    left_open = tuple(name for kind in items for name in kind if answer([name]) == "unknown")
    few = len(kinds) <= FEW

    def never(one: str, two: str) -> bool:
        here, there = places[one], places[two]
        return sets.apart((here, there)) or (few and here != there and answer((one, two)) == "refused")

    lonely = tuple(one for one in left_open if all(never(one, two) for two in by_name if two != one))
    return Grouping(tuple(groups), exact, left_open, lonely)


def _part_in(whole: Baseline) -> Callable[[str], tuple[Value | None, ...]]:
    columns = [dict(finding.offers) for finding in whole.conflicts]
    return lambda name: tuple(column.get(HostName(name)) for column in columns)
