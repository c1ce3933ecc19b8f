"""The fewest groups of hosts that share a baseline.

Pairs that certainly conflict are known first (:mod:`pairs`); a cover of the rest is searched, and each of its groups
is levelled in full. A group that has no baseline shows a smallest set of hosts that have none: with that known the
search is made again, until every group holds. What was learnt is true of the hosts, so the lower bound stays one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from armlevel.arch import Catalogue, features_of
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.fields.bundles import in_bundle
from armlevel.engine.parts.shape import PASSTHROUGH_FEATURES, passthrough_shape
from armlevel.engine.planning.cover import Cover, cover
from armlevel.engine.planning.groups import FEW
from armlevel.engine.planning.host_kinds import Kind, kinds_among
from armlevel.engine.planning.pairs import certain_conflicts
from armlevel.engine.policy import Policy
from armlevel.engine.screen.levels import Levels
from armlevel.errors import UsageError
from armlevel.profile import Host

__all__ = ["Plan", "PlanGroup", "Planner", "plan", "planned"]

_ROUNDS = 400


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Kinds of hosts that share a baseline, and what it costs each: the features it has by itself and loses.

    ``without`` are the shape features that the group had to give up; ``costs`` is in the order of ``kinds``.
    """

    kinds: tuple[Kind, ...]
    baseline: Baseline
    without: frozenset[str]
    costs: tuple[frozenset[str], ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of the group."""
        return tuple(name for kind in self.kinds for name in kind.names)


@dataclass(frozen=True, slots=True)
class Plan:
    """The groups, the largest first; ``least`` is proved: no plan has fewer. ``left`` are hosts beyond ``pools``.

    ``left_open`` are hosts of which too little is recorded to say of any guest CPU that they run it: they are in no
    group, and no bound counts them. ``apart`` are those of them that certainly share none with any other host.
    """

    pools: tuple[PlanGroup, ...]
    least: int
    left: tuple[Kind, ...] = ()
    left_open: tuple[Kind, ...] = ()
    apart: tuple[Kind, ...] = ()

    @property
    def optimal(self) -> bool:
        """Whether there are proved to be the fewest groups."""
        return len(self.pools) <= self.least


class Planner:
    """What was learnt about one fleet: conflicts, and the baseline of each group that was asked for."""

    def __init__(self, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy) -> None:
        """Merge the hosts into kinds and find what certainly conflicts."""
        if not hosts:
            raise UsageError("no hosts to plan for", hint="name at least one host profile")
        self.kinds = kinds_among(hosts)
        self.catalogue = catalogue
        self.policy = policy
        self.conflicts = certain_conflicts([kind.host for kind in self.kinds], catalogue, policy)
        self.sets: list[int] = []
        self.silent = 0
        self._certain = tuple(self.conflicts)
        self._hard = list(self.conflicts)
        self._soft: list[tuple[int, int]] = []
        self._known: dict[int, tuple[Baseline, frozenset[str]]] = {}
        self._works: dict[int, bool] = {}
        self._levels = Levels([kind.host for kind in self.kinds], catalogue, policy)
        self._features: dict[str, frozenset[str]] = {}

    def baseline(self, mask: int) -> tuple[Baseline, frozenset[str]]:
        """Level the kinds of ``mask``; where that is no yes, in the richest shape in which it is."""
        if mask not in self._known:
            self._known[mask] = self._level(mask)
        return self._known[mask]

    def _level(self, mask: int) -> tuple[Baseline, frozenset[str]]:
        hosts = [kind.host for kind in self.members(mask)]
        first = self.under(hosts, frozenset())
        if first.answer != "unknown":
            return first, first.dropped
        # What is not known of the richest shape may be known of a smaller one.
        choices = sorted(PASSTHROUGH_FEATURES["kvm"] - self.policy.without)
        given_up = frozenset(choices)
        last = self.under(hosts, given_up) if given_up else first
        if last.answer != "runs":
            return first, first.dropped
        for size in range(1, len(choices)):
            for some in combinations(choices, size):
                found = self.under(hosts, frozenset(some))
                if found.answer == "runs":
                    return found, frozenset(some)
        return last, given_up

    def under(self, hosts: Sequence[Host], without: frozenset[str]) -> Baseline:
        """Level hosts under the policy, without some more features of the shape."""
        policy = replace(self.policy, without=self.policy.without | without) if without else self.policy
        return level(hosts, self.catalogue, policy)

    def works(self, mask: int) -> bool:
        """Whether the kinds of ``mask`` certainly have a baseline: what is not known makes no group."""
        if mask not in self._works:
            told = None if mask in self._known else self._levels.answer(self._places(mask))
            # What is not known of the richest shape may be known of a smaller one.
            doubtful = told in (None, "unknown")
            self._works[mask] = self.baseline(mask)[0].answer == "runs" if doubtful else told == "runs"
        return self._works[mask]

    def _places(self, mask: int) -> list[int]:
        return [place for place in range(len(self.kinds)) if mask >> place & 1]

    def members(self, mask: int) -> list[Kind]:
        """The kinds of a mask, in order."""
        return [self.kinds[place] for place in self._places(mask)]

    def search(self) -> tuple[list[int], int]:
        """Return groups that all have a baseline, and how few groups there are at the least."""
        groups: tuple[int, ...] = ()
        for _ in range(_ROUNDS):
            groups = tuple(group for group in self._cover(self.conflicts, self.sets).groups if group)
            bad = [group for group in groups if not self.works(group)]
            if not bad:
                break
            for group in bad:
                self._learn(group)
        else:
            groups = tuple(part for group in groups for part in self._split(group) if self.works(part))
        return sorted(groups, key=lambda group: -group.bit_count()), min(self._least(), len(groups))

    def _cover(self, conflicts: Sequence[int], sets: Sequence[int] = ()) -> Cover:
        # Kinds of which nothing can be said take no part.
        if not self.silent:
            return cover(len(self.kinds), conflicts, sets)
        kept = [i for i in range(len(self.kinds)) if not self.silent >> i & 1]

        def packed(mask: int) -> int:
            return _union(1 << place for place, i in enumerate(kept) if mask >> i & 1)

        found = cover(
            len(kept),
            [packed(conflicts[i]) for i in kept],
            [packed(one) for one in sets if not one & self.silent],
        )
        groups = tuple(
            _union(1 << kept[place] for place in range(len(kept)) if group >> place & 1)
            for group in found.groups
        )
        return Cover(groups, found.least)

    def _split(self, group: int) -> Iterable[int]:
        return [group] if self.works(group) else [1 << i for i in range(len(self.kinds)) if group >> i & 1]

    def _learn(self, group: int) -> None:
        """Find smallest sets of kinds in a group that have no baseline, and keep them apart from now on."""
        left = group
        while left and not self.works(left):
            core = self._smallest(left)
            if core.bit_count() == 1:
                self._alone(core)
                left &= ~core
                continue
            self._keep_apart(core)
            left &= ~(core & -core)

    def _alone(self, core: int) -> None:
        if self.baseline(core)[0].answer != "unknown":
            raise UsageError(
                f"{self.members(core)[0].names[0]} has no baseline by itself under these choices",
                hint="leave it out, or ask for less",
            )
        self.silent |= core

    def _keep_apart(self, core: int) -> None:
        if core.bit_count() > 2:
            self.sets.append(core)
            return
        one, two = (i for i in range(len(self.kinds)) if core >> i & 1)
        _conflict(self.conflicts, one, two)
        if self.baseline(core)[0].answer == "unknown":
            return  # they are not put together, and nothing is proved of them
        if self._lasting(core):
            _conflict(self._hard, one, two)
        else:
            self._soft.append((one, two))

    def _least(self) -> int:
        # Where no third kind may be with both, none can help them agree.
        every = (1 << len(self.kinds)) - 1
        moved = True
        while moved:
            moved = False
            for one, two in list(self._soft):
                if not every & ~self._hard[one] & ~self._hard[two] & ~(1 << one) & ~(1 << two):
                    _conflict(self._hard, one, two)
                    self._soft.remove((one, two))
                    moved = True
        return self._cover(self._hard).least

    def _lasting(self, core: int) -> bool:
        # Two hosts may agree on a third one's paint or cache geometry, and a third one without AArch32 takes AArch32
        # out of the question; on anything else no third host helps.
        moot = {name for row in self.catalogue.no_meaning for name in row.registers}
        grave = (f for f in self.baseline(core)[0].findings if f.severity in ("stops", "breaks"))
        about = (finding.subject.register for finding in grave)
        return any(name not in moot and not in_bundle(self.catalogue, name) for name in about)

    def _smallest(self, group: int) -> int:
        """Return a smallest set of kinds that has no baseline: those the findings name, else found by halving."""
        index = {kind.host.name: 1 << i for i, kind in enumerate(self.kinds)}
        for finding in self.baseline(group)[0].conflicts:
            for some in sorted(finding.sets, key=len):
                mask = 0
                for name in some:
                    mask |= index.get(name, 0)
                if (
                    mask
                    and mask != group
                    and not mask & ~group
                    and mask.bit_count() < 4
                    and not self.works(mask)
                ):
                    return mask
        core = 0
        rest = [1 << i for i in range(len(self.kinds)) if group >> i & 1]
        while not core or self.works(core):
            # The shortest beginning that conflicts with what is known to belong: its last kind belongs too.
            low, high = 0, len(rest)
            while high - low > 1:
                middle = (low + high) // 2
                if self.works(core | _union(rest[:middle])):
                    low = middle
                else:
                    high = middle
            core |= rest[high - 1]
            rest = rest[: high - 1]
        return core

    def pool(self, mask: int) -> PlanGroup:
        """Return a group with its baseline and its cost."""
        outcome, without = self.baseline(mask)
        kinds = tuple(self.members(mask))
        guest = outcome.guest
        shown = self.features(guest.registers) if guest is not None else frozenset()
        costs = tuple(self.own(kind) - shown if guest is not None else frozenset() for kind in kinds)
        return PlanGroup(kinds, outcome, without, costs)

    def own(self, kind: Kind) -> frozenset[str]:
        """Return the features that a host's passthrough guest has, in the richest shape it was probed in."""
        if kind.digest not in self._features:
            shape = passthrough_shape(kind.host)
            offer = kind.host.offer(shape) if shape is not None else None
            registers = (offer or kind.host.offers[0]).limits
            self._features[kind.digest] = self.features(registers)
        return self._features[kind.digest]

    def features(self, registers: Mapping[str, int]) -> frozenset[str]:
        """Return the features that registers announce."""
        return frozenset(name for name, there in features_of(self.catalogue, registers).items() if there)

    def shown(self, mask: int) -> frozenset[str]:
        """Return the features of the common guest of some kinds."""
        guest = self.baseline(mask)[0].guest
        return self.features(guest.registers) if guest is not None else frozenset()

    def mask(self, kinds: Iterable[Kind]) -> int:
        """Return the mask of some of the kinds."""
        places = {kind.digest: 1 << i for i, kind in enumerate(self.kinds)}
        return _union(places[kind.digest] for kind in kinds)

    def apart(self) -> tuple[Kind, ...]:
        """The kinds that are left open and certainly share no guest CPU with any other host."""
        every = range(len(self.kinds))

        def never(one: int, two: int) -> bool:
            if self._certain[one] >> two & 1:
                return True
            return len(self.kinds) <= FEW and self.baseline(1 << one | 1 << two)[0].answer == "refused"

        return tuple(
            self.kinds[one]
            for one in every
            if self.silent >> one & 1
            and len(self.kinds[one].names) == 1
            and all(never(one, two) for two in every if two != one)
        )

    def certainly_not(self, mask: int) -> bool:
        """Whether some pair of a mask is known to conflict."""
        return any(mask >> i & 1 and self.conflicts[i] & mask for i in range(len(self.kinds)))


def _conflict(graph: list[int], one: int, two: int) -> None:
    graph[one] |= 1 << two
    graph[two] |= 1 << one


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def plan(
    hosts: Sequence[Host], catalogue: Catalogue, policy: Policy | None = None, *, pools: int | None = None
) -> Plan:
    """Put hosts into the fewest groups that share a baseline; with ``pools``, only the largest that many.

    Raises:
        UsageError: no hosts, no pools, or a host that has no baseline by itself under the policy.

    """
    if pools is not None and pools < 1:
        raise UsageError(f"{pools} pools hold no host", hint="ask for one pool at least")
    planner = Planner(hosts, catalogue, policy or Policy())
    return planned(planner, pools)


def planned(planner: Planner, pools: int | None = None) -> Plan:
    """Plan what a planner knows."""
    groups, least = planner.search()
    sizes = {mask: sum(len(kind.names) for kind in planner.members(mask)) for mask in groups}
    groups.sort(key=lambda mask: -sizes[mask])
    kept, rest = (groups, []) if pools is None else (groups[:pools], groups[pools:])
    left = tuple(kind for mask in rest for kind in planner.members(mask))
    left_open = tuple(planner.members(planner.silent))
    return Plan(tuple(map(planner.pool, kept)), least, left, left_open, planner.apart())
