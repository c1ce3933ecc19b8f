"""What would change a plan: who holds a group back, what merges two, and where a guest or a new host could go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from armlevel.arch import Catalogue
from armlevel.engine.findings import Answer
from armlevel.engine.planning.host_kinds import Kind
from armlevel.engine.planning.plan import PlanGroup, Planner
from armlevel.engine.twins import is_twin
from armlevel.engine.verdict import check
from armlevel.profile import Host

__all__ = ["Holdout", "Joining", "Merge", "holdouts", "joining", "merges", "one_way"]

_LARGEST_CHANGE = 3
_CANDIDATES = 12
_POOLS = 12


@dataclass(frozen=True, slots=True)
class Holdout:
    """Hosts without which the rest of a group would have more; ``by`` is ``host``, or the kernel that they share."""

    by: str
    hosts: tuple[str, ...]
    gains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Two groups, by their places in the plan, that would be one if hosts ran the kernel of another host like them.

    ``upgrades`` are (host, kernel now, kernel then, the host whose recording shows it).
    """

    one: int
    two: int
    upgrades: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Joining:
    """What a host would do to a group: may it join, and which features would that cost the group."""

    pool: int
    answer: Answer
    loses: tuple[str, ...]


def holdouts(planner: Planner, pools: Sequence[PlanGroup]) -> list[Holdout | None]:
    """Return for each group the host, or the hosts of one kernel, whose leaving gives the rest the most features."""
    return [_holdout(planner, pool) for pool in pools]


def _holdout(planner: Planner, pool: PlanGroup) -> Holdout | None:
    if len(pool.kinds) < 2 or pool.baseline.guest is None:
        return None
    own = [planner.own(kind) for kind in pool.kinds]
    lost = frozenset().union(*pool.costs)
    lacking = {name: frozenset(i for i, have in enumerate(own) if name not in have) for name in lost}
    sides: list[tuple[str, frozenset[int]]] = [("host", frozenset({i})) for i in range(len(pool.kinds))]
    kernels: dict[str | None, set[int]] = {}
    for i, kind in enumerate(pool.kinds):
        kernels.setdefault(kind.host.software.kernel, set()).add(i)
    sides += [(name, frozenset(some)) for name, some in kernels.items() if name is not None and len(some) > 1]
    sides = [side for side in sides if len(side[1]) < len(pool.kinds)]

    def worth(side: tuple[str, frozenset[int]]) -> tuple[int, int]:
        return sum(1 for some in lacking.values() if some <= side[1]), -len(side[1])

    for by, some in sorted(sides, key=worth, reverse=True)[:2]:
        rest = planner.mask(kind for i, kind in enumerate(pool.kinds) if i not in some)
        if gains := planner.shown(rest) - planner.shown(planner.mask(pool.kinds)):
            names = tuple(name for i in sorted(some) for name in pool.kinds[i].names)
            return Holdout(by, names, tuple(sorted(gains)))
    return None


def merges(planner: Planner, pools: Sequence[PlanGroup]) -> list[Merge]:
    """Return the pairs of groups that become one by the smallest set of kernel upgrades.

    What an upgraded host would offer is not guessed: it is what another host of the same CPUs and facts offers on that
    kernel. Of more than twelve groups, the largest twelve are looked at.
    """
    found = []
    for one, two in combinations(range(min(len(pools), _POOLS)), 2):
        kinds = (*pools[one].kinds, *pools[two].kinds)
        for changed in _changes(planner, kinds):
            kept = [changed.get(kind.digest, kind) for kind in kinds]
            mask = planner.mask(kept)
            if not planner.certainly_not(mask) and planner.works(mask):
                found.append(Merge(one, two, tuple(_upgrades(kinds, changed))))
                break
    return found


def _changes(planner: Planner, kinds: Sequence[Kind]) -> Iterator[dict[str, Kind]]:
    # Every choice of a few kinds that have a twin under another kernel, the fewest first.
    twins = [
        (kind, twin)
        for kind in kinds
        for twin in planner.kinds
        if is_twin(kind.host, twin.host) and twin not in kinds
    ]
    both = [(kind, twin) for kind in kinds for twin in kinds if is_twin(kind.host, twin.host)]
    pairs = [*both, *twins][:_CANDIDATES]
    for size in range(1, _LARGEST_CHANGE + 1):
        for some in combinations(pairs, size):
            if len({kind.digest for kind, _ in some}) == size:
                yield {kind.digest: twin for kind, twin in some}


def _upgrades(kinds: Sequence[Kind], changed: dict[str, Kind]) -> Iterator[tuple[str, str, str, str]]:
    for kind in kinds:
        twin = changed.get(kind.digest)
        now, then = (one.host.software.kernel if one is not None else None for one in (kind, twin))
        if twin is not None and now is not None and then is not None:
            for name in kind.names:
                yield name, now, then, twin.host.name


def joining(planner: Planner, pools: Sequence[PlanGroup], host: Host) -> list[Joining]:
    """Return, for each group, whether a host that is not in the plan could join it and what that costs the group."""
    found = []
    for place, pool in enumerate(pools):
        outcome = planner.under([*(kind.host for kind in pool.kinds), host], pool.without)
        loses: frozenset[str] = frozenset()
        if outcome.answer == "runs" and outcome.guest is not None:
            now = planner.features(outcome.guest.registers)
            loses = planner.shown(planner.mask(pool.kinds)) - now
        found.append(Joining(place, outcome.answer, tuple(sorted(loses))))
    return found


def one_way(pools: Sequence[PlanGroup], catalogue: Catalogue) -> list[tuple[int, int]]:
    """Return (from, to): the common guest of one group arrives on every host of the other, by itself.

    Of more than twelve groups, the largest twelve are looked at.
    """
    some = pools[:_POOLS]
    return [
        (i, j)
        for i, source in enumerate(some)
        for j, target in enumerate(some)
        if i != j
        and (guest := source.baseline.guest) is not None
        and all(check(guest, kind.host, catalogue).arrive == "runs" for kind in target.kinds)
    ]
