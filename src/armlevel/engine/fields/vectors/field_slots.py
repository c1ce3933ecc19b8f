"""The bits of fields: what a host does with each value that a guest may hold of a field.

A field of a register that means nothing in a guest has bits of its own, for a host may do what it likes with it. Runs
of reserved bits are fields here: who has them as the row says is no different from who has them otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from armlevel.arch import Catalogue, Field
from armlevel.engine.fields.domains import accepts_of, fields_of, raw_field
from armlevel.engine.fields.partial import may_keep
from armlevel.engine.fields.vectors.bits import REFUSED, RUNS, UNKNOWN, Kept, Marks, Numbering, Slot
from armlevel.profile import Offer

__all__ = ["ANY", "FieldSlots", "FieldView", "field_marks", "held_values"]

# Fields that only software of these levels can use make no difference to a guest without them.
_ABOVE_GUEST = ("el2", "el3")
_NOTHING = Marks(RUNS, RUNS)
# Fields up to this width are enumerated; of wider ones a value that nobody named stands for all others.
_ENUMERATED = 8
#: A value that no row and no probe named; no field has it.
ANY = -1


@dataclass(frozen=True, slots=True)
class FieldView:
    """What of an offer decides about its fields.

    ``changed``    ``REG.FIELD`` -> what KVM itself makes of the limit before a VM first runs
    ``spoken_of``  whether the rows about every kernel hold of the host's
    """

    offer: Offer
    changed: Mapping[str, int]
    spoken_of: bool

    def key(self, register: str, subjects: Collection[str]) -> Hashable:
        """Return what tells apart views that answer otherwise about a register with these fields."""
        offer = self.offer
        return (
            offer.limits.get(register),
            offer.default,
            self.spoken_of,
            tuple(map(offer.accepts.get, subjects)),
            tuple(map(self.changed.get, subjects)) if self.changed else (),
        )


def field_marks(view: FieldView, field: Field, value: int, catalogue: Catalogue, *, gone: bool) -> Marks:
    """Return what a host does with a value of a field; a register that it does not show is another question.

    What the findings of :mod:`armlevel.engine.parts.registers_judged` come to, for one field without a tolerance.
    """
    limit = view.offer.limits.get(field.register)
    if limit is None:
        return _NOTHING
    top = field.get(limit)
    if value == top:
        becomes = view.changed.get(field.subject, top)
        return _NOTHING if gone or field.derived or becomes == top else Marks(REFUSED, REFUSED)
    accepts = accepts_of(view.offer, field, top)
    outcome = accepts.outcome(value)
    if outcome == "same":
        return _NOTHING
    if outcome == "changed" or value in accepts.unsure:
        arrive = UNKNOWN if value in accepts.unsure else RUNS
        if arrive == RUNS and not (gone or field.who in _ABOVE_GUEST or _harmless(field.subject, catalogue)):
            arrive = REFUSED
        return Marks(RUNS if gone else REFUSED, arrive)
    mark = REFUSED
    if outcome == "unknown":
        said = view.spoken_of and field.subject in catalogue.certain.keeps
        mark = REFUSED if said and value not in may_keep(field, {top}, catalogue) else UNKNOWN
    return Marks(RUNS if gone else mark, mark)


def held_values(view: FieldView, field: Field, catalogue: Catalogue) -> tuple[frozenset[int], frozenset[int]]:
    """Return the values that a guest on a host may hold of a field, and those of them that one certainly may.

    Of what the host keeps, no CPU is known that shows a value which no architecture names, but for its own.

    >>> from armlevel.arch import load
    >>> from armlevel.profile import Accepts, Shape
    >>> field = load().field("ID_AA64ISAR0_EL1.RNDR")
    >>> offer = Offer(
    ...     Shape(), limits={field.register: 0}, accepts={field.subject: Accepts.of([0], others="unknown")}
    ... )
    >>> possible, certain = held_values(FieldView(offer, {}, False), field, load())
    >>> len(possible), sorted(certain)
    (16, [0])
    """
    top = field.get(view.offer.limits[field.register])
    accepts, few = accepts_of(view.offer, field, top), field.width <= _ENUMERATED
    every = frozenset(range(1 << field.width)) if few else frozenset({top, ANY})
    kept = every if accepts.values is None else accepts.values
    certain = frozenset(
        value for value in kept if value == top or (value != ANY and field.architected(value))
    )
    if accepts.values is None or accepts.others != "unknown":
        return kept, certain
    possible = kept | {value for value in every if accepts.may_keep(value)}
    if view.spoken_of and field.subject in catalogue.certain.keeps:
        possible &= kept | may_keep(field, {top}, catalogue)
    return possible, certain


def _harmless(subject: str, catalogue: Catalogue) -> bool:
    row = next((row for row in catalogue.ignored if row.field == subject), None)
    return row is not None and row.harmless


@lru_cache(maxsize=4096)
def slots_of(catalogue: Catalogue, register: str) -> Mapping[str, Field]:
    """Return the fields of a register and its runs of reserved bits, by ``REG.FIELD``."""
    known = catalogue.registers.get(register)
    if known is None:
        fields = fields_of(catalogue, register)
    else:
        runs = (run for run in known.reserved if run.value is not None)
        fields = (*known.fields, *(raw_field(register, run.msb, run.lsb) for run in runs))
    return {field.subject: field for field in fields}


class FieldSlots:
    """The bits of all fields of a set of hosts; what alike registers come to is worked out once."""

    def __init__(self, catalogue: Catalogue, numbering: Numbering) -> None:
        """Start with no value."""
        self._catalogue = catalogue
        self._numbering = numbering
        self._values: dict[str, dict[tuple[str, int, bool], int]] = {}
        self._guests: dict[tuple[str, int, bool], int] = {}
        self._hosts: dict[tuple[str, Hashable], tuple[int, Kept, Kept]] = {}
        self._held: dict[tuple[str, bool, Hashable], tuple[int, int]] = {}

    def guest(self, register: str, value: int, *, gone: bool, free: frozenset[str] = frozenset()) -> int:
        """Return the bits of a guest that holds ``value`` in a register, but for the fields that are ``free``."""
        key = (register, value, gone)
        found = None if free else self._guests.get(key)
        if found is None:
            found = 0
            for subject, field in slots_of(self._catalogue, register).items():
                if subject not in free:
                    found |= self.bit(register, subject, field.get(value), gone=gone)
            if not free:
                self._guests[key] = found
        return found

    def bit(self, register: str, subject: str, value: int, *, gone: bool) -> int:
        """Return the bit of one value of a field."""
        values = self._values.setdefault(register, {})
        key = (subject, value, gone)
        found = values.get(key)
        if found is None:
            found = values[key] = self._numbering.bit(Slot(subject, value, gone), "registers")
        return found

    def held(self, view: FieldView, *, gone: frozenset[str]) -> tuple[int, int]:
        """Return the bits of all values that guests on a host may hold, and of those that one certainly may."""
        possible = certain = 0
        for register in view.offer.limits:
            slots = slots_of(self._catalogue, register)
            key = (register, register in gone, view.key(register, slots))
            if key not in self._held:
                some = sure = 0
                for subject, field in slots.items():
                    values, known = held_values(view, field, self._catalogue)
                    for value in values:
                        bit = self.bit(register, subject, value, gone=register in gone)
                        some |= bit
                        sure |= bit if value in known else 0
                self._held[key] = some, sure
            possible |= self._held[key][0]
            certain |= self._held[key][1]
        return possible, certain

    def host(self, view: FieldView) -> tuple[Kept, Kept]:
        """Return what a host keeps of every value that was met, when a guest starts there and when it arrives."""
        start, arrive = Kept(), Kept()
        for register in self._values:
            one, two = self._register(view, register)
            start.certain |= one.certain
            start.possible |= one.possible
            arrive.certain |= two.certain
            arrive.possible |= two.possible
        return start, arrive

    def _register(self, view: FieldView, register: str) -> tuple[Kept, Kept]:
        values, slots = self._values[register], slots_of(self._catalogue, register)
        key = (register, view.key(register, slots))
        known, start, arrive = self._hosts.get(key) or (0, Kept(), Kept())
        if known < len(values):
            for (subject, value, gone), bit in islice(values.items(), known, None):
                marks = field_marks(view, slots[subject], value, self._catalogue, gone=gone)
                start.add(bit, marks.start)
                arrive.add(bit, marks.arrive)
            self._hosts[key] = (len(values), start, arrive)
        return start, arrive
