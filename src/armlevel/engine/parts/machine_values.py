"""What stands around a guest's vCPUs, as findings and differences hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from armlevel.engine.findings import Cause, Finding, Remedy, Severity, Side
from armlevel.engine.names import FieldName, HostName, Message
from armlevel.engine.reasons import Reason, ReasonCode
from armlevel.engine.subjects import about_machine
from armlevel.engine.values import NOT_RECORDED, Count, NamedValues, RegisterValue, State, Value, named

if TYPE_CHECKING:
    from armlevel.arch import Around

__all__ = ["BOTH", "block_finding", "given_value", "machine_finding", "printed"]

#: A finding that concerns starting and arriving.
BOTH: tuple[Side, ...] = ("start", "arrive")


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


def machine_finding(  # noqa: PLR0913 - what a finding holds
    name: str,
    severity: Severity,
    needs: object,
    host: str,
    offer: Value,
    *,
    because: tuple[Reason, ...] = (),
    cause: Cause = "not known",
    applies: tuple[Side, ...] = BOTH,
    remedies: tuple[Remedy, ...] = (),
    messages: tuple[Message, ...] = (),
) -> Finding:
    """Return a finding about one thing around a guest's vCPUs; ``needs`` is what its record has of it."""
    return Finding(
        about_machine(name),
        "machine",
        severity,
        (given_value(needs),),
        ((HostName(host), offer),),
        cause,
        applies,
        because,
        remedies,
        messages=messages,
    )


def block_finding(  # noqa: PLR0913, PLR0917 - what a finding holds
    name: str, was: int, now: int, host: str, why: ReasonCode, cause: Cause, messages: tuple[Message, ...]
) -> Finding:
    """Return that a block of memory of ``was`` bytes does not fit where it arrives, for ``now`` is the size there."""
    return machine_finding(
        name,
        "stops",
        was,
        host,
        given_value(now),
        because=(Reason(why),),
        cause=cause,
        applies=("arrive",),
        messages=messages,
    )


def printed(row: Around, event: str, **texts: object) -> tuple[Message, ...]:
    """Return the lines that a VMM prints of an event, filled in."""
    return tuple(Message(text.format(**texts)) for text in dict(row.messages).get(event, ()))
