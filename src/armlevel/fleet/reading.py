"""Reading: rows to values. Each function works in the transaction it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.documents.maps import ValuePool
from armlevel.errors import UnknownName
from armlevel.fleet import tables
from armlevel.fleet.contents import host_from, unpacked
from armlevel.fleet.events import Entry, Event
from armlevel.fleet.values import FleetHost, Kind, Level, Pool, PoolPolicy, Seen, SeenEvidence
from armlevel.profile import Host

__all__ = [
    "actor_called",
    "actors",
    "body_of",
    "count_hosts",
    "event_of",
    "events",
    "evidence_bodies",
    "guests",
    "host_called",
    "hosts",
    "kinds",
    "levels",
    "pool_called",
    "pools",
    "profile_of_kind",
]


def events(connection: Connection, *, after: int = 0, subject: str | None = None) -> Iterator[Event]:
    """Return events by their number, those behind ``after`` and of one object if it is named."""
    wanted = sa.select(tables.event).where(tables.event.c.seq > after).order_by(tables.event.c.seq)
    if subject is not None:
        wanted = wanted.where(tables.event.c.object == subject)
    for row in connection.execute(wanted, execution_options={"yield_per": 1000}):
        yield _event(row)


def event_of(connection: Connection, seq: int) -> Event:
    """Return one event."""
    return _event(connection.execute(sa.select(tables.event).where(tables.event.c.seq == seq)).one())


def _event(row: Any) -> Event:
    entry = Entry(
        action=row.action,
        subject=row.object,
        before=row.before,
        after=row.after,
        reason=row.reason,
        state=row.state,
    )
    return Event(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        request=row.request,
        entry=entry,
        previous=row.previous,
        digest=row.digest,
    )


def actors(connection: Connection) -> dict[str, str | None]:
    """Return the names of actors by id; None where the name was forgotten."""
    return {row.id: row.name for row in connection.execute(sa.select(tables.actor))}


def actor_called(connection: Connection, name: str) -> str | None:
    """Return the id of an actor by name; None if nobody is called so."""
    found = connection.execute(sa.select(tables.actor.c.id).where(tables.actor.c.name == name)).scalar()
    return None if found is None else str(found)


def count_hosts(connection: Connection) -> int:
    """Return how many hosts there are that nobody retired."""
    wanted = sa.select(sa.func.count()).select_from(tables.host).where(tables.host.c.retired_at.is_(None))
    return int(connection.execute(wanted).scalar_one())


def hosts(connection: Connection, names: Iterable[str] | None = None) -> list[FleetHost]:
    """Return hosts with all they were, by name; only those that are named, if any are."""
    wanted = sa.select(tables.host).order_by(tables.host.c.name)
    seen: dict[str, list[Seen]] = {}
    of_one = None
    if names is not None:
        chosen = sorted(set(names))
        if len(chosen) == 1:  # else all are read: there are few observations a host
            wanted = wanted.where(tables.host.c.name == chosen[0])
            of_one = sa.select(tables.host.c.id).where(tables.host.c.name == chosen[0])
    notes = _evidence(connection, of_one)
    every = sa.select(tables.observation).order_by(tables.observation.c.event)
    if of_one is not None:
        every = every.where(tables.observation.c.host.in_(of_one))
    for row in connection.execute(every):
        one = Seen(row.id, row.kind, row.first_seen, row.last_seen, row.event, tuple(notes.get(row.id, ())))
        seen.setdefault(row.host, []).append(one)
    found = [
        FleetHost(row.id, row.name, json.loads(row.labels), row.retired_at, tuple(seen.get(row.id, ())))
        for row in connection.execute(wanted)
    ]
    if names is None:
        return found
    among = set(chosen)
    return [host for host in found if host.name in among]


def _evidence(connection: Connection, of_one: Any) -> dict[str, list[SeenEvidence]]:
    noted = tables.observed_evidence
    wanted = sa.select(noted).order_by(noted.c.since)
    if of_one is not None:
        own = sa.select(tables.observation.c.id).where(tables.observation.c.host.in_(of_one))
        wanted = wanted.where(noted.c.observation.in_(own))
    found: dict[str, list[SeenEvidence]] = {}
    for row in connection.execute(wanted):
        one = SeenEvidence(row.evidence, row.document, row.since, row.until)
        found.setdefault(row.observation, []).append(one)
    return found


def host_called(connection: Connection, name: str) -> FleetHost:
    """Return a host by its name.

    Raises:
        UnknownName: there is none.

    """
    if found := hosts(connection, [name]):
        return found[0]
    raise UnknownName("host of the fleet", name, _near(connection, tables.host, name))


def _near(connection: Connection, table: sa.Table, name: str) -> tuple[str, ...]:
    from difflib import get_close_matches

    known = list(connection.execute(sa.select(table.c.name).order_by(table.c.name).limit(5000)).scalars())
    return tuple(get_close_matches(name, known, n=3, cutoff=0.6) or known[:3])


def kinds(connection: Connection, digests: Sequence[str] | None = None) -> dict[str, Kind]:
    """Return kinds by digest."""
    wanted = sa.select(tables.kind)
    if digests is not None and len(digests) <= 500:
        wanted = wanted.where(tables.kind.c.digest.in_(list(digests)))
    return {
        row.digest: Kind(
            row.digest,
            row.view,
            tuple(json.loads(row.midrs)),
            row.kernel,
            row.cntfrq_hz,
            row.dczid,
            row.gmid,
            row.page_size,
            row.capabilities,
        )
        for row in connection.execute(wanted)
    }


def profile_of_kind(connection: Connection, digest: str, name: str, pool: ValuePool) -> Host:
    """Return the profile of a kind, called ``name``, with the evidence with which it was first seen."""
    kind, view, body = tables.kind, tables.view, tables.evidence
    row = connection.execute(
        sa.select(view.c.offers, body.c.body)
        .select_from(
            kind.join(view, kind.c.view == view.c.digest).join(body, kind.c.evidence == body.c.digest)
        )
        .where(kind.c.digest == digest)
    ).one()
    return host_from(name, unpacked(row.body), unpacked(row.offers), pool)


def body_of(connection: Connection, evidence: str) -> dict[str, Any]:
    """Return what a host said of itself besides its offers."""
    wanted = sa.select(tables.evidence.c.body).where(tables.evidence.c.digest == evidence)
    found: dict[str, Any] = unpacked(connection.execute(wanted).scalar_one())
    return found


def evidence_bodies(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Return all evidence: its digest, and its content as the column holds it."""
    for row in connection.execute(sa.select(tables.evidence)):
        yield row.digest, row.body


def guests(connection: Connection) -> dict[str, tuple[str, bytes, int]]:
    """Return guest profiles by digest: name, content as the column holds it, number of the event."""
    return {
        row.digest: (row.name, row.body, row.event) for row in connection.execute(sa.select(tables.guest))
    }


def pools(connection: Connection) -> list[Pool]:
    """Return every pool, by name."""
    wanted = sa.select(tables.pool).order_by(tables.pool.c.name)
    return [
        Pool(row.id, row.name, PoolPolicy.read(row.policy), row.created_at)
        for row in connection.execute(wanted)
    ]


def pool_called(connection: Connection, name: str) -> Pool:
    """Return a pool by its name.

    Raises:
        UnknownName: there is none.

    """
    for one in pools(connection):
        if one.name == name:
            return one
    raise UnknownName("pool", name, _near(connection, tables.pool, name))


def levels(connection: Connection, pool: str | None = None) -> list[Level]:
    """Return the accepted levels of a pool (by id) or of all, oldest first: the last one of a pool is in force."""
    wanted = sa.select(tables.level).order_by(tables.level.c.event)
    if pool is not None:
        wanted = wanted.where(tables.level.c.pool == pool)
    return [
        Level(
            id=row.id,
            pool=row.pool,
            version=row.version,
            digest=row.digest,
            cpu=row.cpu,
            inputs={kind: tuple(some) for kind, some in unpacked(row.inputs).items()},
            policy=PoolPolicy.read(row.policy),
            catalogue=row.catalogue,
            engine=row.engine,
            event=row.event,
            data=row.data,
        )
        for row in connection.execute(wanted)
    ]
