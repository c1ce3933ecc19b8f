"""Which kinds of hosts can never share a baseline, found without levelling each pair.

Hosts that say the same of a field are asked once, so a fleet of kinds costs what differs. Only what holds in every
shape, for every choice and whatever other hosts join is told here; the rest is found when a group is levelled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from itertools import combinations
from typing import TypeVar

from armlevel.arch import Catalogue, Field, NoMeaning, evaluate, known_of
from armlevel.engine.fields.bundles import in_bundle
from armlevel.engine.fields.choice import above
from armlevel.engine.fields.domains import Domain, domain_of
from armlevel.engine.fields.tolerance import tolerated_of
from armlevel.engine.names import register_of
from armlevel.engine.parts.registers_certain import kept_by, says_all
from armlevel.engine.parts.shape import PASSTHROUGH_FEATURES
from armlevel.engine.policy import Policy
from armlevel.profile import IMPLEMENTATION_REGISTERS, Host, Implementation, Shape

__all__ = ["certain_conflicts", "without_registers"]

_T = TypeVar("_T", bound=Hashable)
_FACTS = ("cntfrq_hz", "dczid")


def certain_conflicts(hosts: Sequence[Host], catalogue: Catalogue, policy: Policy) -> list[int]:
    """Return, for each host, the mask of the hosts with which it certainly has no baseline under any shape."""
    views = [_View(host, catalogue) for host in hosts]
    free = tolerated_of(policy.tolerate, catalogue, Shape())
    conflicts, depends = _by_fields(views, catalogue, free)
    for name in _FACTS:
        _mark(conflicts, [getattr(host.facts, name) for host in hosts], _differ)
    _mark(conflicts, [view.identity for view in views], _certainly_others)
    if not all(says_all(view.base, catalogue) for view in views):
        for subject in catalogue.certain.keeps.keys() - free:
            field = catalogue.fields[subject]
            _mark(conflicts, [view.kept(field) for view in views], frozenset.isdisjoint)
    moot = {name for row in catalogue.no_meaning for name in row.registers}
    _mark(conflicts, [view.lists for view in views], _lists_conflict(catalogue, {*free, *moot}))
    # Who hides features or pins fields may take registers out of the question: that is seen when a group is levelled.
    for row in () if policy.hide or policy.pins else catalogue.no_meaning:
        _join(conflicts, depends[row.name], _without_meaning(row, views, catalogue))
    return conflicts


def without_registers(hosts: Sequence[Host], catalogue: Catalogue, policy: Policy) -> list[int]:
    """Return, for each host, the mask of the hosts with which alone it has no common registers, in any shape.

    Two hosts that share no shape are none of them: of those it is not known.
    """
    views = [_View(host, catalogue) for host in hosts]
    conflicts, depends = _by_fields(views, catalogue, tolerated_of(policy.tolerate, catalogue, Shape()))
    for row in () if policy.hide or policy.pins else catalogue.no_meaning:
        helpers = _without_meaning(row, views, catalogue)
        for one, mask in enumerate(depends[row.name]):
            conflicts[one] |= 0 if helpers >> one & 1 else mask & ~helpers
    shapes: dict[frozenset[Shape], int] = {}
    for index, host in enumerate(hosts):
        key = frozenset(shape for shape in host.shapes if not shape.features & policy.without)
        shapes[key] = shapes.get(key, 0) | 1 << index
    for (some, ours), (others, theirs) in combinations(shapes.items(), 2):
        if not any(shape.features <= PASSTHROUGH_FEATURES["kvm"] for shape in some & others):
            for index in range(len(hosts)):
                conflicts[index] &= ~(theirs if ours >> index & 1 else ours if theirs >> index & 1 else 0)
    return conflicts


def _by_fields(
    views: Sequence[_View], catalogue: Catalogue, free: frozenset[str]
) -> tuple[list[int], dict[str, list[int]]]:
    # Conflicts over fields; and apart from them, by row, those over registers that may mean nothing.
    conflicts = [0] * len(views)
    moot = {name: row for row in catalogue.no_meaning for name in row.registers}
    depends: dict[str, list[int]] = {row.name: [0] * len(views) for row in catalogue.no_meaning}
    registers = {name for view in views for name in view.base.limits}
    for register in sorted(registers & catalogue.registers.keys()):
        if catalogue.registers[register].derived or in_bundle(catalogue, register):
            continue
        graph = depends[moot[register].name] if register in moot else conflicts
        for field in catalogue.registers[register].fields:
            if field.subject not in free:
                _mark(graph, [view.domain(field) for view in views], _never(field))
    return conflicts, depends


def _without_meaning(row: NoMeaning, views: Sequence[_View], catalogue: Catalogue) -> int:
    # The hosts beside which these registers mean nothing, or may.
    return sum(
        1 << index
        for index, view in enumerate(views)
        if evaluate(row.unless, known_of(catalogue, view.base.limits)) is not True
    )


def _join(conflicts: list[int], others: Sequence[int], helpers: int) -> None:
    # Two hosts conflict over registers that a third one could take out of the question, unless there is no such third.
    before = list(conflicts)
    for one, mask in enumerate(others):
        if helpers >> one & 1:
            continue
        for two in range(one):
            if mask >> two & 1 and not helpers >> two & 1 and not helpers & ~before[one] & ~before[two]:
                conflicts[one] |= 1 << two
                conflicts[two] |= 1 << one


def _mark(conflicts: list[int], answers: Sequence[_T | None], conflict: Callable[[_T, _T], bool]) -> None:
    masks: dict[_T, int] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            masks[answer] = masks.get(answer, 0) | 1 << index
    for (one, ours), (two, theirs) in combinations(masks.items(), 2):
        if conflict(one, two):
            _between(conflicts, ours, theirs)
            _between(conflicts, theirs, ours)


def _between(conflicts: list[int], ours: int, theirs: int) -> None:
    while ours:
        low = ours & -ours
        conflicts[low.bit_length() - 1] |= theirs
        ours ^= low


def _differ(one: object, two: object) -> bool:
    return one != two


def _certainly_others(one: Implementation, two: Implementation) -> bool:
    return one.same_as(two) is False


def _never(field: Field) -> Callable[[Domain, Domain], bool]:
    # No value that both may keep is at or below both limits. Whether it is architected is left open: a third host may
    # have it as its limit.
    def never(one: Domain, two: Domain) -> bool:
        both = one & two
        if both.possible is None:
            return False
        return not any(
            not any(above(field, value, limit) for limit in both.limits) for value in both.possible
        )

    return never


class _View:
    # What one host says in whatever shape it is asked.

    def __init__(self, host: Host, catalogue: Catalogue) -> None:
        self._host, self._catalogue = host, catalogue
        self.base = host.offers[0]
        self._accepts = self.base.accepts
        self._open = _shape_decides(host, catalogue)
        self._seen: dict[str, Domain] = {}
        self.identity = self._shown(host)
        self.lists = _listed(host)

    def domain(self, field: Field) -> Domain | None:
        """The domain of a field, None where it is not known or depends on the shape."""
        if field.subject in self._open or field.register not in self.base.limits:
            return None
        return domain_of(self.base, field)

    def kept(self, field: Field) -> frozenset[int] | None:
        """What may be kept of a field of which little is recorded; None where any, or it depends on the shape."""
        if field.subject in self._open:
            return None
        return kept_by(self._host, self.base, field, self._catalogue)

    def _shown(self, host: Host) -> Implementation | None:
        # Where the implementation cannot be written, only hosts of one implementation share a baseline; of a host that
        # was not probed it is not known whether it can.
        if self.base.default == "unknown" or any(offer.shape.imp_id_writable for offer in host.offers):
            return None
        if any(register_of(subject) in IMPLEMENTATION_REGISTERS for subject in self._accepts):
            return None
        return Implementation.from_registers(self.base.limits)


def _shape_decides(host: Host, catalogue: Catalogue) -> frozenset[str]:
    # The fields of which some shape of the host says something else than its first offer does.
    base = host.offers[0]
    decided: set[str] = set()
    for offer in host.offers[1:]:
        if offer.like is None or offer.default != base.default:
            names: Iterable[str] = {*base.limits, *offer.limits}
            decided |= {
                s for s in {*base.accepts, *offer.accepts} if base.accepts.get(s) != offer.accepts.get(s)
            }
        else:
            names = offer.limits
            decided |= {s for s, accepts in offer.accepts.items() if base.accepts.get(s) != accepts}
        for name in names:
            ours, theirs = base.limits.get(name), offer.limits.get(name)
            if ours != theirs and name in catalogue.registers:
                decided |= {
                    field.subject
                    for field in catalogue.registers[name].fields
                    if ours is None or theirs is None or field.get(ours) != field.get(theirs)
                }
    return frozenset(decided)


def _listed(host: Host) -> tuple[frozenset[int], frozenset[int]] | None:
    # The registers listed in every shape, and those listed in some.
    always: frozenset[int] | None = None
    ever: frozenset[int] = frozenset()
    for shape in host.shapes:
        whole = _list_of(host, shape)
        if whole is None:
            return None
        always = whole if always is None else always & whole
        ever |= whole
    return (always or frozenset(), ever)


def _list_of(host: Host, shape: Shape) -> frozenset[int] | None:
    index = host.shapes.index(shape)
    added: set[int] = set()
    gone: set[int] = set()
    while True:
        offer = host.offers[index]
        if offer.like is None:
            return None if offer.register_list is None else frozenset(offer.register_list) - gone | added
        added |= set(offer.register_list or ()) - gone
        gone |= set(offer.register_list_without)
        index = offer.like


def _lists_conflict(
    catalogue: Catalogue, free: Collection[str]
) -> Callable[[tuple[frozenset[int], frozenset[int]], tuple[frozenset[int], frozenset[int]]], bool]:
    # A register that one host always lists and the other never does needs a row that lets it be left behind.
    known = {register for row in catalogue.drops for register in row.kvm_ids}
    names = {register_of(subject) for subject in free}
    known |= {row.kvm_id for name, row in catalogue.registers.items() if name in names}

    def conflict(
        one: tuple[frozenset[int], frozenset[int]], two: tuple[frozenset[int], frozenset[int]]
    ) -> bool:
        return bool((one[0] - two[1] | two[0] - one[1]) - known)

    return conflict
