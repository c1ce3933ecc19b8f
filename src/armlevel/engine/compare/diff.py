"""Field by field, what differs between two hosts or guests, in which direction, and which features that moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from armlevel.arch import Catalogue, features_of, known_of, mentioned
from armlevel.engine.compare.around import around_of
from armlevel.engine.fields.domains import fields_of
from armlevel.engine.names import Name
from armlevel.engine.parts.machine_values import given_value
from armlevel.engine.passthrough import passthrough
from armlevel.engine.values import (
    Count,
    FieldValues,
    Implementations,
    Names,
    RegisterValue,
    State,
    Value,
    VectorLengths,
    named,
)
from armlevel.kvm import name_of
from armlevel.profile import Guest, Host, Implementation

__all__ = ["Change", "DiffPart", "diff", "events_of", "guest_to_compare"]

DiffPart = Literal["shape", "registers", "list", "firmware", "facts", "machine", "software", "state"]


Direction = Literal["less", "more", "other"]
_YES: Mapping[bool, State] = {True: State("yes"), False: State("no")}
_LISTED: Mapping[bool, State | None] = {True: State("listed"), False: None}
_DIRECTION: dict[str, Direction] = {"less": "less", "more": "more", "other": "other"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``before`` and ``after`` are None where that side has nothing.

    ``direction``  of ``after`` seen from ``before``: ``less``, ``more`` or ``other``
    ``features``   FEAT_ names that come (``+``) or go (``-``) with it
    """

    subject: Name
    part: DiffPart
    before: Value | None
    after: Value | None
    direction: Direction = "other"
    features: tuple[Name, ...] = ()

    @property
    def identity(self) -> bool:
        """Whether a guest's CPU differs; state is what runs on it, software only what shows it."""
        return self.part not in ("state", "software")


def diff(one: Host | Guest, two: Host | Guest, catalogue: Catalogue) -> tuple[Change, ...]:
    """Compare two hosts (by their passthrough profiles), two guests, or one of each.

    What only one of them records is no difference, and no match either: :func:`not_compared` tells it.

    Raises:
        UsageError: a host has no offer at all.

    """
    before, after = guest_to_compare(one, catalogue), guest_to_compare(two, catalogue)
    changes = [
        *_shape(before, after),
        *_registers(before, after, catalogue),
        *_possible(before, after, catalogue),
    ]
    if isinstance(one, Host) and isinstance(two, Host):
        changes += _cores(one, two, before, after)
    changes += _list(before, after)
    changes += _firmware(before.firmware, after.firmware)
    changes += _facts(before, after)
    changes += _machine(before, after)
    if isinstance(one, Host) and isinstance(two, Host):
        changes += _pages(one, two)
        changes += _around(one, two)
        changes += _events(one, two, before, after)
        changes += _software(one, two)
        changes += _state(one, two, before, after)
    return tuple(changes)


def guest_to_compare(item: Host | Guest, catalogue: Catalogue) -> Guest:
    """Return the guest by which a host is compared, and a guest as it is."""
    return passthrough(item, catalogue) if isinstance(item, Host) else item


def _shape(before: Guest, after: Guest) -> Iterator[Change]:
    for name in sorted(before.shape.features ^ after.shape.features):
        gone = name in before.shape.features
        direction: Direction = "less" if gone else "more"
        yield Change(Name(f"shape.{name}"), "shape", _YES[gone], _YES[not gone], direction)
    both = "sve" in before.shape.features & after.shape.features
    if before.sve_vls != after.sve_vls and not (both and None in (before.sve_vls, after.sve_vls)):
        yield Change(Name("sve_vls"), "shape", _vls(before.sve_vls), _vls(after.sve_vls))
    was, now = before.pmu_counters, after.pmu_counters
    if was is not None and now is not None and was != now:
        yield Change(Name("pmu.counters"), "shape", Count(was), Count(now))


def _vls(vls: Sequence[int] | None) -> VectorLengths | None:
    return None if vls is None else VectorLengths(tuple(vls))


def _registers(before: Guest, after: Guest, catalogue: Catalogue) -> Iterator[Change]:
    # The implementation comes last.
    ours, theirs = ({**guest.registers, **guest.id_registers} for guest in (before, after))
    moved = _moved_features(ours, theirs, catalogue)
    for name in ours:
        if name in theirs and ours[name] != theirs[name]:
            yield from _fields(name, ours[name], theirs[name], moved, catalogue)


def _possible(before: Guest, after: Guest, catalogue: Catalogue) -> Iterator[Change]:
    # Of a register that one does not record, what it may hold can still leave out all that the other has.
    ours, theirs = _may_have(before, catalogue), _may_have(after, catalogue)
    for subject in sorted({*before.possible, *after.possible} & {*ours} & {*theirs}):
        if not ours[subject] & theirs[subject]:
            yield Change(Name(subject), "registers", _any_of(ours[subject]), _any_of(theirs[subject]))


def _may_have(guest: Guest, catalogue: Catalogue) -> dict[str, frozenset[int]]:
    known = {**known_of(catalogue, guest.registers), **guest.id_registers}
    return {**guest.possible, **{subject: frozenset({value}) for subject, value in known.items()}}


def _any_of(values: Iterable[int]) -> FieldValues:
    return FieldValues(tuple(sorted(values)))


def _cores(one: Host, two: Host, before: Guest, after: Guest) -> Iterator[Change]:
    # Where it hangs on the CPU which one a guest is told, the hosts themselves are compared.
    if "MIDR_EL1" in before.id_registers and "MIDR_EL1" in after.id_registers:
        return
    if "MIDR_EL1" in before.possible or "MIDR_EL1" in after.possible:
        return
    ours, theirs = ({each.midr for each in host.implementations} for host in (one, two))
    if ours and theirs and ours != theirs and None not in ours | theirs:
        yield Change(Name("MIDR_EL1"), "registers", _cores_of(ours), _cores_of(theirs))


def _cores_of(midrs: Iterable[int | None]) -> Implementations:
    return Implementations(tuple(map(Implementation, sorted(midr for midr in midrs if midr is not None))))


def _moved_features(
    ours: Mapping[str, int], theirs: Mapping[str, int], catalogue: Catalogue
) -> dict[str, tuple[Name, ...]]:
    # REG.FIELD -> features that come or go and that this field announces.
    had, has = features_of(catalogue, ours), features_of(catalogue, theirs)
    by_subject: dict[str, set[str]] = {}
    for name, now in has.items():
        if now is None or had.get(name) is None or had[name] == now:
            continue
        for condition in catalogue.features[name].conditions:
            for subject in mentioned(condition):
                by_subject.setdefault(subject, set()).add(("+" if now else "-") + name)
    return {subject: tuple(map(Name, sorted(names))) for subject, names in by_subject.items()}


def _fields(
    name: str, ours: int, theirs: int, moved: Mapping[str, tuple[Name, ...]], catalogue: Catalogue
) -> Iterator[Change]:
    if name not in catalogue.registers:
        yield Change(Name(name), "registers", RegisterValue(ours), RegisterValue(theirs))
        return
    for field in fields_of(catalogue, name, (ours, theirs)):
        was, now = field.get(ours), field.get(theirs)
        if was != now:
            direction = _DIRECTION[field.compare(now, was)]
            features = moved.get(field.subject, ())
            yield Change(
                Name(field.subject), "registers", _any_of([was]), _any_of([now]), direction, features
            )


def _list(before: Guest, after: Guest) -> Iterator[Change]:
    if before.register_list is None or after.register_list is None:
        return
    ours, theirs = set(before.register_list), set(after.register_list)
    for register in sorted(ours ^ theirs):
        here = register in ours
        direction: Direction = "less" if here else "more"
        yield Change(Name(name_of(register)), "list", _LISTED[here], _LISTED[not here], direction)


def _firmware(ours: Mapping[str, int], theirs: Mapping[str, int]) -> Iterator[Change]:
    for name in sorted({*ours} & {*theirs}):
        if ours[name] != theirs[name]:
            direction: Direction = "more" if theirs[name] > ours[name] else "less"
            yield Change(
                Name(name), "firmware", RegisterValue(ours[name]), RegisterValue(theirs[name]), direction
            )


def _facts(before: Guest, after: Guest) -> Iterator[Change]:
    for name in ("cntfrq_hz", "dczid", "gmid"):
        was, now = getattr(before.facts, name), getattr(after.facts, name)
        if was is not None and now is not None and was != now:
            yield Change(Name(f"facts.{name}"), "facts", _any_of([was]), _any_of([now]))


def _machine(before: Guest, after: Guest) -> Iterator[Change]:
    # What was given to both and is not the same; what it was asked with is evidence, and no difference.
    if before.machine is None or after.machine is None:
        return
    ours, theirs = before.machine.content(), after.machine.content()
    for name in ours:
        if name in theirs and ours[name] != theirs[name] and not name.endswith("_asked"):
            was, now = given_value(ours[name]), given_value(theirs[name])
            yield Change(Name(f"machine.{name}"), "machine", was, now)


def _pages(one: Host, two: Host) -> Iterator[Change]:
    was, now = one.facts.page_size, two.facts.page_size
    if was is not None and now is not None and was != now:
        yield Change(Name("facts.page_size"), "facts", _any_of([was]), _any_of([now]))


def _around(one: Host, two: Host) -> Iterator[Change]:
    for name, was, now in around_of(one, two):
        yield Change(name, "machine", was, now, _towards(was, now))


def _towards(was: Value, now: Value) -> Direction:
    # Only what has a direction for every guest: a size, and whether there is something at all.
    if isinstance(was, Count) and isinstance(now, Count):
        return "more" if now.number > was.number else "less"
    if State("yes") in (was, now):
        return "more" if now == State("yes") else "less"
    return "other"


def _events(one: Host, two: Host, before: Guest, after: Guest) -> Iterator[Change]:
    # The events that a guest with a PMU is told of, where both hosts record them.
    ours, theirs = (events_of(host, guest) for host, guest in ((one, before), (two, after)))
    for name in sorted({*ours} & {*theirs}):
        if ours[name] != theirs[name]:
            yield Change(Name(f"pmu.{name}"), "shape", RegisterValue(ours[name]), RegisterValue(theirs[name]))


def events_of(host: Host, guest: Guest) -> dict[str, int]:
    """Return the bitmaps of PMU events that a host records for a guest of this shape."""
    offer = host.offer(guest.shape)
    if offer is None or "pmu_v3" not in guest.shape.features:
        return {}
    return {name: value for name, value in offer.pmu.items() if name != "counters"}


def _software(one: Host, two: Host) -> Iterator[Change]:
    if one.software.kernel != two.software.kernel:
        kernels = _software_name(one.software.kernel), _software_name(two.software.kernel)
        yield Change(Name("software.kernel"), "software", *kernels)
    for name in sorted({*one.software.vmms} | {*two.software.vmms}):
        was, now = one.software.vmms.get(name), two.software.vmms.get(name)
        if was != now:
            yield Change(Name(f"software.vmms.{name}"), "software", _software_name(was), _software_name(now))


def _software_name(name: str | None) -> Names | None:
    return None if name is None else named(name)


def _state(one: Host, two: Host, before: Guest, after: Guest) -> Iterator[Change]:
    ours, theirs = one.offer(before.shape), two.offer(after.shape)
    if ours is None or theirs is None:
        return
    for name in ours.state:
        if name in theirs.state and ours.state[name] != theirs.state[name]:
            yield Change(
                Name(name), "state", RegisterValue(ours.state[name]), RegisterValue(theirs.state[name])
            )
