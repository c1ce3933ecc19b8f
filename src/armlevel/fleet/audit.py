"""Whether a store is what its history says: the chain, what it points at, and every content against its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection

from armlevel.documents.frozen import read_frozen
from armlevel.documents.maps import ValuePool
from armlevel.documents.read import new_pool
from armlevel.documents.write import digest
from armlevel.errors import ArmlevelError
from armlevel.fleet import reading
from armlevel.fleet.contents import content_digest, parts_of, unpacked
from armlevel.fleet.events import ChainFault, Event, Head, chain_faults
from armlevel.fleet.values import Kind, Level

__all__ = ["ContentFault", "ContentFaultKind", "audit"]

#: ``content``: not what its digest says; ``no-event``: a row that no event tells of; ``no-row``: an event whose row is
#: gone; ``other-row``: the row says something else than its event.
ContentFaultKind = Literal["content", "no-event", "no-row", "other-row"]


@dataclass(frozen=True, slots=True)
class ContentFault:
    """What is wrong with a row: which table, which row (its digest, id or number)."""

    kind: ContentFaultKind
    table: str
    row: str


def audit(
    connection: Connection, kept: Head | None = None
) -> tuple[Head, tuple[ChainFault, ...], tuple[ContentFault, ...]]:
    """Hold a store against its history, and the history against a head that was kept elsewhere."""
    events = list(reading.events(connection))
    head, faults = chain_faults(events, kept)
    contents = [*_contents(connection), *_rows(connection, events)]
    return head, faults, tuple(contents)


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (ArmlevelError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _contents(connection: Connection) -> Iterator[ContentFault]:
    pool = new_pool()
    for table, row, check in _checks(connection, pool):
        if not _holds(check):
            yield ContentFault("content", table, row)


def _checks(connection: Connection, pool: ValuePool) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    for name, body in reading.evidence_bodies(connection):
        yield "evidence", name, partial(_is_evidence, name, body)
    for kind in reading.kinds(connection).values():
        yield "kind", kind.digest, partial(_is_kind, connection, kind, pool)
    for name, (_, body, _) in reading.guests(connection).items():
        yield "guest", name, partial(_is_guest, name, body)
    for level in reading.levels(connection):
        yield "level", level.id, partial(_is_level, level, pool)


def _is_evidence(name: str, body: bytes) -> bool:
    return content_digest("evidence", unpacked(body)) == name


def _is_guest(name: str, body: bytes) -> bool:
    return digest(unpacked(body)) == name


def _is_level(level: Level, pool: ValuePool) -> bool:
    return read_frozen(level.data, "", pool).digest == level.digest


def _is_kind(connection: Connection, kind: Kind, pool: ValuePool) -> bool:
    # All columns are what the content gives.
    host = reading.profile_of_kind(connection, kind.digest, "host", pool)
    return parts_of(host).kind == kind


def _rows(connection: Connection, events: Iterable[Event]) -> Iterator[ContentFault]:
    # What the rows say, by the number of the event that made them, against what that event says.
    by_action: dict[str, dict[int, Event]] = {}
    for event in events:
        by_action.setdefault(event.entry.action, {})[event.seq] = event
    hosts = reading.hosts(connection)
    seen = {one.event: (f"host:{host.id}", one.kind) for host in hosts for one in host.seen}
    yield from _held("observation", by_action.get("host-seen", {}), seen)
    levels = {one.event: (f"pool:{one.pool}", one.digest) for one in reading.levels(connection)}
    yield from _held("level", by_action.get("level-accepted", {}), levels)
    guests = {event: (f"guest:{name}", name) for name, (_, _, event) in reading.guests(connection).items()}
    yield from _held("guest", by_action.get("guest-added", {}), guests)
    last = {e.entry.subject: e for e in events if e.entry.action in ("pool-created", "pool-edited")}
    policies = {f"pool:{one.id}": one.policy.digest for one in reading.pools(connection)}
    yield from _latest("pool", last, policies)
    out = {e.entry.subject: e for e in events if e.entry.action in ("host-retired", "host-returned")}
    retired = {f"host:{one.id}": one.retired for one in hosts if one.retired or f"host:{one.id}" in out}
    yield from _latest("host", out, retired)


def _held(table: str, told: dict[int, Event], rows: dict[int, tuple[str, str]]) -> Iterator[ContentFault]:
    for seq, row in rows.items():
        if (event := told.get(seq)) is None:
            yield ContentFault("no-event", table, str(seq))
        elif (event.entry.subject, event.entry.after) != row:
            yield ContentFault("other-row", table, str(seq))
    for seq in told.keys() - rows.keys():
        yield ContentFault("no-row", table, str(seq))


def _latest(table: str, told: dict[str, Event], rows: dict[str, Any]) -> Iterator[ContentFault]:
    # What the last event about an object says, against its row.
    for name, value in rows.items():
        if name not in told:
            yield ContentFault("no-event", table, name)
        elif told[name].entry.after != value:
            yield ContentFault("other-row", table, name)
    for name in told.keys() - rows.keys():
        yield ContentFault("no-row", table, name)
