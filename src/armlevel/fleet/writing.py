"""Writing: rows and, with every one that matters, its event. Each function works in the transaction it is given."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.fleet import tables
from armlevel.fleet.contents import Parts, packed
from armlevel.fleet.events import Entry, Event, Head, follow
from armlevel.fleet.ids import ulid
from armlevel.fleet.proving import HEARD, RUNNING, actor_id, heard_state, running_state, state_of
from armlevel.fleet.reading import actor_called
from armlevel.fleet.values import FleetHost, Level, Pool, Seen, SeenEvidence, time_text

__all__ = [
    "Request",
    "append",
    "head",
    "heard_entry",
    "host_row",
    "insert_guest",
    "insert_level",
    "keep_parts",
    "kind_row",
    "new_id",
    "new_request",
    "pool_row",
    "running_entry",
    "state_of_host",
    "state_of_pool",
    "write_host",
    "write_pool",
]


def new_id() -> str:
    """Return a new ULID."""
    return ulid(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))


@dataclass(frozen=True, slots=True)
class Request:
    """One command: who (a name), when, and the id that all its events carry."""

    actor: str
    now: datetime
    id: str = field(default_factory=new_id)

    @property
    def at(self) -> str:
        """When, as rows have it."""
        return time_text(self.now)


def new_request(actor: str) -> Request:
    """Return a request of now."""
    return Request(actor, datetime.now(UTC))


def head(connection: Connection) -> Head:
    """Return the head of the chain."""
    row = connection.execute(
        sa.select(tables.event.c.seq, tables.event.c.digest).order_by(tables.event.c.seq.desc()).limit(1)
    ).first()
    return Head(0, None) if row is None else Head(row.seq, row.digest)


def append(connection: Connection, request: Request, entries: Sequence[Entry]) -> list[Event]:
    """Append events to the chain."""
    who = _actor(connection, request.actor)
    events = follow(head(connection), entries, at=request.at, actor=who, request=request.id)
    if events:
        connection.execute(sa.insert(tables.event), [_event_row(one) for one in events])
    return events


def _event_row(event: Event) -> dict[str, Any]:
    entry = event.entry
    return {
        "seq": event.seq,
        "at": event.at,
        "actor": event.actor,
        "request": event.request,
        "action": entry.action,
        "object": entry.subject,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "state": entry.state,
        "previous": event.previous,
        "digest": event.digest,
    }


def _actor(connection: Connection, name: str) -> str:
    if (found := actor_called(connection, name)) is not None:
        return found
    salt = os.urandom(16).hex()
    made = actor_id(time.time_ns() // 1_000_000, name, salt)
    connection.execute(sa.insert(tables.actor).values(id=made, name=name, salt=salt))
    return made


def _missing(connection: Connection, table: sa.Table, digests: Iterable[str]) -> set[str]:
    wanted = set(digests)
    ordered, there = sorted(wanted), set()
    for begin in range(0, len(ordered), 500):  # a statement takes so many values in every database
        some = sa.select(table.c.digest).where(table.c.digest.in_(ordered[begin : begin + 500]))
        there |= set(connection.execute(some).scalars())
    return wanted - there


def keep_parts(connection: Connection, parts: Sequence[Parts]) -> None:
    """Keep the views, evidence and kinds of profiles, each once."""
    by_view = {one.kind.view: one for one in parts}
    by_evidence = {one.evidence: one for one in parts}
    by_kind = {one.kind.digest: one for one in reversed(parts)}
    views = [
        {"digest": digest, "offers": packed(by_view[digest].offers)}
        for digest in sorted(_missing(connection, tables.view, by_view))
    ]
    bodies = [
        {"digest": digest, "body": packed(by_evidence[digest].body)}
        for digest in sorted(_missing(connection, tables.evidence, by_evidence))
    ]
    kinds = [kind_row(by_kind[digest]) for digest in sorted(_missing(connection, tables.kind, by_kind))]
    for table, rows in ((tables.view, views), (tables.evidence, bodies), (tables.kind, kinds)):
        if rows:
            connection.execute(sa.insert(table), rows)


def kind_row(parts: Parts) -> dict[str, Any]:
    """Return the row of a profile's kind."""
    kind = parts.kind
    return {
        "digest": kind.digest,
        "view": kind.view,
        "evidence": parts.evidence,
        "midrs": json.dumps(list(kind.midrs)),
        "kernel": kind.kernel,
        "cntfrq_hz": kind.cntfrq_hz,
        "dczid": kind.dczid,
        "gmid": kind.gmid,
        "page_size": kind.page_size,
        "capabilities": kind.capabilities,
    }


def host_row(host: FleetHost) -> dict[str, Any]:
    """Return the row of a host."""
    labels = json.dumps(dict(host.labels), sort_keys=True)
    return {"id": host.id, "name": host.name, "labels": labels, "retired_at": host.retired}


def _observation_row(host: FleetHost, seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.id,
        "host": host.id,
        "kind": seen.kind,
        "first_seen": seen.first_seen,
        "last_seen": seen.last_seen,
        "event": seen.event,
    }


def _evidence_row(seen: Seen, noted: SeenEvidence) -> dict[str, Any]:
    return {
        "observation": seen.id,
        "since": noted.since,
        "until": noted.until,
        "evidence": noted.evidence,
        "document": noted.document,
    }


def state_of_host(host: FleetHost) -> str:
    """Return the digest of a host's rows, for the events about it."""
    return state_of(
        {
            "host": [host_row(host)],
            "observation": [_observation_row(host, seen) for seen in host.seen],
            "observed_evidence": [
                _evidence_row(seen, noted) for seen in host.seen for noted in seen.evidence
            ],
        }
    )


def write_host(connection: Connection, before: FleetHost | None, after: FleetHost, event: int = 0) -> None:
    """Write what differs between two states of a host; ``event`` is the number of the one that begins an interval."""
    if before is None:
        connection.execute(sa.insert(tables.host).values(host_row(after)))
        before = replace(after, seen=())
    elif host_row(before) != host_row(after):
        connection.execute(sa.update(tables.host).where(tables.host.c.id == after.id).values(host_row(after)))
    known = {seen.id: seen for seen in before.seen}
    for seen in after.seen:
        there = known.get(seen.id)
        if there is None:
            row = _observation_row(after, replace(seen, event=event))
            connection.execute(sa.insert(tables.observation).values(row))
        elif there.last_seen != seen.last_seen:
            where = tables.observation.c.id == seen.id
            connection.execute(sa.update(tables.observation).where(where).values(last_seen=seen.last_seen))
        _write_evidence(connection, there, seen)


def _write_evidence(connection: Connection, before: Seen | None, after: Seen) -> None:
    table = tables.observed_evidence
    known = {noted.since: noted for noted in before.evidence} if before is not None else {}
    for noted in after.evidence:
        row = _evidence_row(after, noted)
        if (there := known.get(noted.since)) is None:
            connection.execute(sa.insert(table).values(row))
        elif there != noted:
            where = table.c.observation == after.id, table.c.since == noted.since
            connection.execute(sa.update(table).where(*where).values(row))


def heard_entry(connection: Connection) -> Entry:
    """Return the event that proves until when every host was seen, as the rows have it now."""
    seen, noted = tables.observation.c, tables.observed_evidence.c
    state = heard_state(
        [tuple(row) for row in connection.execute(sa.select(seen.id, seen.last_seen))],
        [tuple(row) for row in connection.execute(sa.select(noted.observation, noted.since, noted.until))],
    )
    return Entry(action="hosts-heard", subject=HEARD, state=state)


def insert_guest(connection: Connection, digest: str, name: str, body: Any, event: int) -> None:
    """Keep a guest profile."""
    connection.execute(
        sa.insert(tables.guest).values(digest=digest, name=name, body=packed(body), event=event)
    )


def running_entry(connection: Connection) -> Entry:
    """Return the event that proves which guests run on hosts, and ran, as the rows have it now."""
    rows = map(dict, connection.execute(sa.select(tables.instance)).mappings())
    return Entry(action="guests-proved", subject=RUNNING, state=running_state(rows))


def pool_row(pool: Pool) -> dict[str, Any]:
    """Return the row of a pool."""
    return {"id": pool.id, "name": pool.name, "policy": pool.policy.text, "created_at": pool.created_at}


def write_pool(connection: Connection, pool: Pool, *, new: bool) -> None:
    """Write a pool."""
    if new:
        connection.execute(sa.insert(tables.pool).values(pool_row(pool)))
    else:
        connection.execute(sa.update(tables.pool).where(tables.pool.c.id == pool.id).values(pool_row(pool)))


def _level_row(level: Level) -> dict[str, Any]:
    return {
        "id": level.id,
        "pool": level.pool,
        "version": level.version,
        "digest": level.digest,
        "cpu": level.cpu,
        "data": level.data,
        "inputs": packed({kind: list(hosts) for kind, hosts in level.inputs.items()}),
        "policy": level.policy.text,
        "catalogue": level.catalogue,
        "engine": level.engine,
        "event": level.event,
    }


def state_of_pool(connection: Connection, pool: Pool, *more: Level) -> str:
    """Return the digest of a pool's rows, for the events about it; ``more`` are levels that are yet to be written."""
    table = tables.level
    wanted = sa.select(table).where(table.c.pool == pool.id).order_by(table.c.event)
    levels = [*map(dict, connection.execute(wanted).mappings()), *(_level_row(level) for level in more)]
    return state_of({"pool": [pool_row(pool)], "level": levels})


def insert_level(connection: Connection, level: Level) -> None:
    """Write an accepted level."""
    connection.execute(sa.insert(tables.level).values(_level_row(level)))
