"""What stands around a guest's vCPUs, as findings and differences hold it."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.engine.names import FieldName
from armlevel.engine.values import NOT_RECORDED, Count, NamedValues, RegisterValue, State, Value, named

__all__ = ["given_value"]


def given_value(value: object) -> Value:
    """Return one thing of a guest's record as a value: a truth, a name, a number, an address, or several by name.

    >>> given_value(None), given_value(True), given_value({})
    (State(code='not-recorded'), State(code='yes'), Names(names=()))
    """
    if value is None:
        return NOT_RECORDED
    if isinstance(value, bool):
        return State("yes" if value else "no")
    if isinstance(value, Mapping):
        pairs = tuple((FieldName(name), number) for name, number in value.items())
        return NamedValues(pairs) if pairs else named()
    if isinstance(value, int):
        return Count(value) if value < 1 << 20 else RegisterValue(value)
    return named(str(value))
