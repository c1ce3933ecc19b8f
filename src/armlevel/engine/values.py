"""What a guest needs and what a host offers instead, as findings hold it: each kind of value a type of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from armlevel.engine.names import FieldName, HostName, Name, RegisterName
from armlevel.profile import Implementation

__all__ = [
    "ANY",
    "NOT_RECORDED",
    "Bound",
    "Cores",
    "Count",
    "Events",
    "FieldValues",
    "Frequency",
    "Implementations",
    "Lowered",
    "Lowering",
    "NamedValues",
    "Names",
    "Offers",
    "Others",
    "RegisterValue",
    "State",
    "StateCode",
    "Value",
    "VectorLengths",
    "named",
    "offered",
]

StateCode = Literal[
    "not-recorded",
    "any",
    "listed",
    "not-listed",
    "carried",
    "hidden",
    "no",
    "yes",
    "not-shown",
    "not-counted",
    "refused",
    "changed",
    "unknown",
    "of-hardware",
]


Others = Literal["refused", "kept", "unknown"]


@dataclass(frozen=True, slots=True)
class State:
    """What is said instead of a number: nothing was recorded, any value is taken, a register is listed or not."""

    code: StateCode


#: No recording says it. It equals no value, and no empty set of values.
NOT_RECORDED = State("not-recorded")
#: Every value is kept as written.
ANY = State("any")


@dataclass(frozen=True, slots=True)
class FieldValues:
    """Values of one field, ascending. ``open``: whether others are kept too is not known.

    >>> FieldValues(()) == NOT_RECORDED
    False
    """

    values: tuple[int, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class RegisterValue:
    """The whole value of one register or fact."""

    value: int


@dataclass(frozen=True, slots=True)
class NamedValues:
    """Values of several registers or fields that go together, and whether ``others`` are kept in their place."""

    values: tuple[tuple[RegisterName | FieldName, int], ...]
    others: Others = "refused"


@dataclass(frozen=True, slots=True)
class Bound:
    """A field is at least, or at most, a value."""

    field: FieldName
    limit: Literal["at-least", "at-most"]
    value: int


@dataclass(frozen=True, slots=True)
class Lowering:
    """A field whose host has ``own`` and whose guest is told ``told``."""

    field: FieldName
    own: int
    told: int


@dataclass(frozen=True, slots=True)
class Lowered:
    """Fields of which a guest is told less than its host has."""

    fields: tuple[Lowering, ...]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A counter frequency."""

    hz: int


@dataclass(frozen=True, slots=True)
class VectorLengths:
    """SVE vector lengths, in bits."""

    bits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of what the subject names."""

    number: int


@dataclass(frozen=True, slots=True)
class Events:
    """PMU events by their numbers."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Implementations:
    """What CPUs call themselves."""

    shown: tuple[Implementation, ...]


@dataclass(frozen=True, slots=True)
class Cores:
    """Kinds of core: implementer and part number."""

    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Names:
    """Features, shapes, VMMs or errata by name."""

    names: tuple[Name, ...]


Value = (
    State
    | FieldValues
    | RegisterValue
    | NamedValues
    | Bound
    | Lowered
    | Frequency
    | VectorLengths
    | Count
    | Events
    | Implementations
    | Cores
    | Names
)
#: Who offers what; a host may stand in it more than once.
Offers = tuple[tuple[HostName, Value], ...]


def offered(*offers: tuple[str, Value]) -> Offers:
    """Return what hosts offer, as a finding holds it.

    >>> offered(("n1", NOT_RECORDED))
    (('n1', State(code='not-recorded')),)
    """
    return tuple((HostName(host), value) for host, value in offers)


def named(*names: str) -> Names:
    """Return names as a value."""
    return Names(tuple(map(Name, names)))
