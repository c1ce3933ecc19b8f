"""The two sides of a difference in words."""

from __future__ import annotations

from armlevel.arch import Catalogue
from armlevel.engine.values import FieldValues, RegisterValue, Value
from armlevel.words.subjects import value_text as named_value
from armlevel.words.values import field_numbers, value_text

__all__ = ["change_text", "side_text", "values_named"]


def change_text(value: Value | None, subject: str) -> str | None:
    """Return one side of a difference in words, None where that side has nothing: a field in decimal, else in hex.

    >>> (
    ...     change_text(FieldValues((0, 1, 2)), "ID_AA64PFR0_EL1.GIC"),
    ...     change_text(FieldValues((65,)), "MIDR_EL1"),
    ... )
    ('0..2', '0x41')
    """
    if not isinstance(value, FieldValues):
        return None if value is None else value_text(value)
    numbers = value.values
    texts = [str(number) if "." in subject else f"{number:#x}" for number in numbers]
    run = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{texts[0]}..{texts[-1]}" if run else " ".join(texts)


def side_text(value: Value | None, subject: str, catalogue: Catalogue, *, names: bool = False) -> str:
    """Return one side as a table shows it, a level of firmware by its name; ``names``: a field's value as well."""
    row, field = catalogue.firmware.get(subject), catalogue.fields.get(subject)
    if row is not None and isinstance(value, RegisterValue):
        return row.name_of(value.value)
    if names and field is not None and value is not None and len(field_numbers(value)) == 1:
        return named_value(field, field_numbers(value)[0])
    return change_text(value, subject) or "-"


def values_named(sides: tuple[Value | None, Value | None], subject: str, catalogue: Catalogue) -> list[str]:
    """Return the names that the rows give to the values of a field, one a side; none if a side has several.

    >>> from armlevel.arch import load
    >>> values_named((FieldValues((0,)), FieldValues((1,))), "ID_AA64PFR0_EL1.RAS", load())
    ['NI', 'FEAT_RAS']
    """
    field = catalogue.fields.get(subject)
    numbers = [field_numbers(side) for side in sides if side is not None]
    if field is None or any(len(some) != 1 for some in numbers):
        return []
    return [field.values.get(some[0], "") for some in numbers]
