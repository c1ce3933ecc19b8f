"""What an event proves of the rows of its object: one digest over every column. Pure.

An event carries the digest of all that is known of its object after it: a host with everything it was, a pool with its
levels. So whatever is done to one of these rows, and to whichever column, differs from the newest event about it. Left
out is what moves without an event of the object: until when a host was seen. That is one digest over the fleet, in the
event that ends each request which heard of hosts; and so are the guests that run on them. The number of the event that
made a row is left out as well: rows and those events are held against each other one by one.

An actor has no event. Its id stands for the name: half of it is a digest of name and salt, which go when the name is
to be forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from armlevel.errors import StoreError
from armlevel.fleet.contents import content_digest, unpacked
from armlevel.fleet.ids import ulid

__all__ = [
    "HEARD",
    "LEFT_OUT",
    "RUNNING",
    "Row",
    "actor_id",
    "heard_state",
    "running_state",
    "stands_for",
    "state_of",
]

Row = Mapping[str, Any]

#: Columns that the state of an object leaves out, each proved otherwise.
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "observation": frozenset({"last_seen", "event"}),
    "observed_evidence": frozenset({"until"}),
    "level": frozenset({"event"}),
}

#: The object of the events that prove until when hosts were seen, and of those that prove what runs on them.
HEARD, RUNNING = "fleet", "guests"

_BITS = 80  # of an id that stands for a name


def state_of(rows: Mapping[str, Sequence[Row]]) -> str:
    """Return the digest of an object's rows, by table, each in the order of its events.

    A column without a value takes no part: so a table may get another column, and older events still prove it.
    """
    said = {table: [_told(table, row) for row in some] for table, some in rows.items() if some}
    return content_digest("state", said)


def _told(table: str, row: Row) -> dict[str, Any]:
    out = LEFT_OUT.get(table, frozenset())
    return {column: _value(value) for column, value in row.items() if column not in out and value is not None}


def _value(value: Any) -> Any:
    if not isinstance(value, bytes | memoryview):
        return value
    # What is compressed is proved as what it holds: another library may compress it otherwise.
    try:
        return {"holds": content_digest("packed", unpacked(bytes(value)))}
    except StoreError:
        return {"bytes": hashlib.sha256(value).hexdigest()}


def heard_state(seen: Iterable[tuple[str, str]], noted: Iterable[tuple[str, str, str]]) -> str:
    """Return the digest of until when every host was seen: of observations (id, until), of evidence (id, since, until).

    Both by these columns in order, so that it does not hang on the order of rows.
    """
    found = hashlib.sha256(b"armlevel fleet heard 1\n")
    for some in (seen, noted):
        for row in sorted(some):
            found.update(" ".join(row).encode())
            found.update(b"\n")
        found.update(b"\n")
    return f"sha256:{found.hexdigest()}"


def running_state(rows: Iterable[Row]) -> str:
    """Return the digest of every guest that runs on a host, or ran: all columns of its rows, in the order of ids."""
    found = hashlib.sha256(b"armlevel fleet running 1\n")
    for row in sorted(rows, key=lambda one: str(one["id"])):
        said = {column: value for column, value in sorted(row.items()) if value is not None}
        found.update(json.dumps(said).encode())
        found.update(b"\n")
    return f"sha256:{found.hexdigest()}"


def _commitment(name: str, salt: str) -> int:
    said = hashlib.sha256(f"armlevel actor 1\n{salt}\n{name}".encode()).digest()
    return int.from_bytes(said[: _BITS // 8], "big")


def actor_id(milliseconds: int, name: str, salt: str) -> str:
    """Return the id of an actor, which stands for the name.

    >>> made = actor_id(1469918176385, "ann", "0f" * 16)
    >>> stands_for(made, "ann", "0f" * 16), stands_for(made, "bob", "0f" * 16)
    (True, False)
    """
    return ulid(milliseconds, _commitment(name, salt))


def stands_for(identity: str, name: str, salt: str) -> bool:
    """Return whether an id stands for a name; what came before the salt (the time) takes no part."""
    return identity[-16:] == ulid(0, _commitment(name, salt))[-16:]
