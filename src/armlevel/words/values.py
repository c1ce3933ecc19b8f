"""Values in words: what a guest needs and what a host offers."""

from __future__ import annotations

from armlevel.arch import Catalogue
from armlevel.engine.subjects import Subject
from armlevel.engine.values import (
    Bound,
    Cores,
    Count,
    Events,
    FieldValues,
    Frequency,
    Implementations,
    Lowered,
    NamedValues,
    Names,
    Others,
    RegisterValue,
    State,
    StateCode,
    Value,
    VectorLengths,
)
from armlevel.words.subjects import number_text

__all__ = ["STATES", "cell_text", "field_numbers", "offer_text", "value_text"]

#: The word of each state.
STATES: dict[StateCode, str] = {
    "not-recorded": "not recorded",
    "any": "any",
    "listed": "listed",
    "not-listed": "not listed",
    "carried": "carried",
    "hidden": "hidden",
    "no": "no",
    "yes": "yes",
    "not-shown": "does not show it",
    "not-counted": "not counted",
    "refused": "refused",
    "changed": "changed",
    "unknown": "unknown",
    "of-hardware": "what the hardware has",
}
_OTHERS: dict[Others, str] = {"refused": "", "kept": ", others too", "unknown": ", others not known"}
_MANY = 8


def value_text(value: Value) -> str:  # noqa: PLR0911 - one for each kind of value
    """Return a value in words.

    >>> value_text(FieldValues((0, 1), open=True)), value_text(Frequency(62_500_000)), value_text(Names(()))
    ('0 1, others not known', '62.5 MHz', 'none')
    """
    if isinstance(value, State):
        return STATES[value.code]
    if isinstance(value, FieldValues):
        return _run(value.values, _MANY) + (_OTHERS["unknown"] if value.open else "")
    if isinstance(value, NamedValues):
        return ", ".join(f"{name}={number:#x}" for name, number in value.values) + _OTHERS[value.others]
    if isinstance(value, Bound):
        return f"{value.field} {'>=' if value.limit == 'at-least' else '<='} {value.value}"
    if isinstance(value, Frequency):
        return f"{value.hz / 1_000_000:g} MHz"
    if isinstance(value, RegisterValue):
        return f"{value.value:#x}"
    return _many_text(value)


def _many_text(value: VectorLengths | Count | Events | Lowered | Implementations | Cores | Names) -> str:
    if isinstance(value, Count):
        return str(value.number)
    if isinstance(value, Lowered):
        return ", ".join(f"{one.field.rpartition('.')[2]} {one.own}->{one.told}" for one in value.fields)
    if isinstance(value, Implementations):
        return ", ".join("not recorded" if one.midr is None else f"{one.midr:#x}" for one in value.shown)
    if isinstance(value, Events):
        return " ".join(f"{number:#x}" for number in value.numbers)
    if isinstance(value, Cores):
        return " ".join(f"{who:#x}/{part:#x}" for who, part in value.parts)
    return " ".join(map(str, value.bits if isinstance(value, VectorLengths) else value.names)) or "none"


def _run(values: tuple[int, ...], many: int) -> str:
    run = len(values) > many and values == tuple(range(values[0], values[-1] + 1))
    return f"{values[0]}..{values[-1]}" if run else " ".join(map(str, values))


def cell_text(value: Value, subject: Subject, catalogue: Catalogue) -> str:
    """Return a value as short as a table needs it: ``0..3`` of a field, levels of firmware by their names.

    >>> from armlevel.arch import load
    >>> from armlevel.engine.subjects import about_field
    >>> cell_text(FieldValues((0, 1, 2), open=True), about_field("ID_AA64ISAR0_EL1.AES"), load())
    '0..2 ?'
    """
    firmware = catalogue.firmware.get(subject.key)
    if isinstance(value, RegisterValue) and firmware is not None:
        return firmware.name_of(value.value)
    if isinstance(value, NamedValues):
        own = next((number for name, number in value.values if name == subject.key), None)
        return value_text(value) if own is None else f"{own:#x}"
    return (
        _field_text(value, known=subject.key in catalogue.fields)
        if isinstance(value, FieldValues)
        else value_text(value)
    )


def _field_text(value: FieldValues, *, known: bool) -> str:
    # Of bits that no row names as a field, a single value is read in hex.
    values = value.values
    if not known:
        return f"{values[0]:#x}" if len(values) == 1 and not value.open else value_text(value)
    if len(values) > _MANY and value.open:
        return value_text(value)
    run = len(values) > 2 and values == tuple(range(values[0], values[-1] + 1))
    text = f"{values[0]}..{values[-1]}" if run else " ".join(map(number_text, values))
    return text + (" ?" if value.open else "")


def offer_text(value: Value, hosts: str) -> str:
    """Return who offers a value: ``not recorded for n1``, ``not shown by n1``."""
    return f"not shown by {hosts}" if value == State("not-shown") else f"{value_text(value)} for {hosts}"


def field_numbers(value: Value) -> tuple[int, ...]:
    """Return the values of a field that a value names; none if it is of another kind."""
    return value.values if isinstance(value, FieldValues) else ()
