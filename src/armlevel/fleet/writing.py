"""Writing: rows and, with every one that matters, its event. Each function works in the transaction it is given."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.fleet import tables
from armlevel.fleet.contents import Parts, packed
from armlevel.fleet.events import Entry, Event, Head, follow
from armlevel.fleet.ids import ulid
from armlevel.fleet.values import FleetHost, Level, PoolPolicy, Seen, time_text

__all__ = [
    "Request",
    "append",
    "change_host",
    "head",
    "insert_guest",
    "insert_level",
    "keep_parts",
    "new_id",
    "new_request",
    "open_observation",
    "see_again",
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
        "previous": event.previous,
        "digest": event.digest,
    }


def _actor(connection: Connection, name: str) -> str:
    found = connection.execute(sa.select(tables.actor.c.id).where(tables.actor.c.name == name)).scalar()
    if found is not None:
        return str(found)
    made = new_id()
    connection.execute(sa.insert(tables.actor).values(id=made, name=name))
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
    kinds = [_kind_row(by_kind[digest]) for digest in sorted(_missing(connection, tables.kind, by_kind))]
    for table, rows in ((tables.view, views), (tables.evidence, bodies), (tables.kind, kinds)):
        if rows:
            connection.execute(sa.insert(table), rows)


def _kind_row(parts: Parts) -> dict[str, Any]:
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


def open_observation(  # noqa: PLR0913 (what a row holds)
    connection: Connection, host: FleetHost, parts: Parts, at: str, event: int, *, new: bool
) -> None:
    """Begin an interval: a host is of a kind from now on; ``new`` if nothing was known of the host."""
    if new:
        connection.execute(
            sa.insert(tables.host).values(id=host.id, name=host.name, labels=json.dumps(dict(host.labels)))
        )
    observation = new_id()
    connection.execute(
        sa.insert(tables.observation).values(
            id=observation, host=host.id, kind=parts.kind.digest, first_seen=at, last_seen=at, event=event
        )
    )
    _note_evidence(connection, observation, parts, at)


def see_again(connection: Connection, seen: Seen, parts: Parts, at: str) -> None:
    """Move the end of an interval: the host is still of its kind; other evidence begins a line of its own."""
    observation = tables.observation
    connection.execute(sa.update(observation).where(observation.c.id == seen.id).values(last_seen=at))
    last = seen.evidence[-1]
    noted = tables.observed_evidence
    if last.since == at:  # of one moment the last word counts
        connection.execute(
            sa.update(noted)
            .where(noted.c.observation == seen.id, noted.c.since == at)
            .values(evidence=parts.evidence, document=parts.document)
        )
    elif last.evidence == parts.evidence:
        connection.execute(
            sa.update(noted)
            .where(noted.c.observation == seen.id, noted.c.since == last.since)
            .values(until=at)
        )
    else:
        _note_evidence(connection, seen.id, parts, at)


def _note_evidence(connection: Connection, observation: str, parts: Parts, at: str) -> None:
    connection.execute(
        sa.insert(tables.observed_evidence).values(
            observation=observation, since=at, until=at, evidence=parts.evidence, document=parts.document
        )
    )


def change_host(
    connection: Connection,
    host: FleetHost,
    *,
    labels: Mapping[str, str] | None = None,
    retired: str | None = None,
) -> None:
    """Write the labels of a host, and when it was retired (None: it is not)."""
    said = dict(host.labels if labels is None else labels)
    connection.execute(
        sa.update(tables.host)
        .where(tables.host.c.id == host.id)
        .values(labels=json.dumps(said, sort_keys=True), retired_at=retired)
    )


def insert_guest(connection: Connection, digest: str, name: str, body: Any, event: int) -> None:
    """Keep a guest profile."""
    connection.execute(
        sa.insert(tables.guest).values(digest=digest, name=name, body=packed(body), event=event)
    )


def write_pool(
    connection: Connection, identity: str, name: str, policy: PoolPolicy, created_at: str | None = None
) -> None:
    """Write a pool: a new one if ``created_at`` says when."""
    if created_at is not None:
        connection.execute(
            sa.insert(tables.pool).values(id=identity, name=name, policy=policy.text, created_at=created_at)
        )
        return
    connection.execute(sa.update(tables.pool).where(tables.pool.c.id == identity).values(policy=policy.text))


def insert_level(connection: Connection, level: Level) -> None:
    """Write an accepted level."""
    connection.execute(
        sa.insert(tables.level).values(
            id=level.id,
            pool=level.pool,
            version=level.version,
            digest=level.digest,
            cpu=level.cpu,
            data=level.data,
            inputs=packed({kind: list(hosts) for kind, hosts in level.inputs.items()}),
            policy=level.policy.text,
            catalogue=level.catalogue,
            engine=level.engine,
            event=level.event,
        )
    )
