"""The guests that run on hosts, as they were reported: which CPU each was born with, since when, and until when.

Each report tells all guests of a host. What is in it again moves on, what is not any more ends, and that something
changed is an event. So what runs now is what the last report of a host had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.documents.write import guest_object
from armlevel.fleet import tables, writing
from armlevel.fleet.contents import content_digest
from armlevel.fleet.events import Entry
from armlevel.fleet.values import FleetHost
from armlevel.fleet.writing import Request
from armlevel.profile import Guest

__all__ = ["Instance", "Reported", "report", "running_of"]

_ACTION = "guests-seen"


@dataclass(frozen=True, slots=True)
class Instance:
    """A guest that runs: the digest of what it was born with (None: any of its host), and how that is known."""

    name: str
    guest: str | None
    known: str
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """The guests of one host as of its last report."""

    at: str
    guests: tuple[Instance, ...]


def running_of(connection: Connection, hosts: Iterable[str] | None = None) -> dict[str, Reported]:
    """Return what runs on each host (by id) of which guests were ever reported; of some hosts if they are named."""
    event = tables.event
    told = sa.select(event.c.object, sa.func.max(event.c.at).label("at")).where(event.c.action == _ACTION)
    times = {
        row.object.removeprefix("host:"): row.at for row in connection.execute(told.group_by(event.c.object))
    }
    wanted = times.keys() if hosts is None else times.keys() & set(hosts)
    found: dict[str, list[Instance]] = {host: [] for host in wanted}
    rows = tables.instance
    for row in connection.execute(sa.select(rows).order_by(rows.c.host, rows.c.name, rows.c.id)):
        if row.host in found and row.until >= times[row.host]:
            found[row.host].append(Instance(row.name, row.guest, row.known, row.since, row.until))
    return {
        host: Reported(max([times[host], *(one.until for one in some)]), tuple(some))
        for host, some in sorted(found.items())
    }


def report(
    connection: Connection,
    request: Request,
    found: Sequence[tuple[FleetHost, Sequence[Instance]]],
    guests: Mapping[str, Guest],
) -> None:
    """Write what runs on hosts now; ``guests`` are the profiles, by digest, that instances name."""
    known = set(connection.execute(sa.select(tables.guest.c.digest)).scalars())
    new = [digest for digest in guests if digest not in known]
    before = running_of(connection, [host.id for host, _ in found])
    changed = [
        (host, some)
        for host, some in found
        if host.id not in before or _set_digest(before[host.id].guests) != _set_digest(some)
    ]
    entries = [Entry(action="guest-added", subject=f"guest:{one}", after=one) for one in new]
    for host, some in changed:
        there = before.get(host.id)
        entries.append(
            Entry(
                action=_ACTION,
                subject=f"host:{host.id}",
                before=None if there is None else _set_digest(there.guests),
                after=_set_digest(some),
            )
        )
    events = writing.append(connection, request, entries)
    for digest, event in zip(new, events, strict=False):
        body = {key: value for key, value in guest_object(guests[digest]).items() if key != "digest"}
        writing.insert_guest(connection, digest, guests[digest].name, body, event.seq)
    for host, some in found:
        _write(connection, request.at, host, some)
    writing.append(connection, request, [writing.running_entry(connection)])


def _set_digest(found: Iterable[Instance]) -> str:
    return content_digest("guests", sorted([one.name, one.guest or "", one.known] for one in found))


def _write(connection: Connection, at: str, host: FleetHost, found: Sequence[Instance]) -> None:
    rows = tables.instance
    left: dict[tuple[str, str | None, str], list[str]] = {}
    of_host = sa.select(rows).where(rows.c.host == host.id).order_by(rows.c.until.desc(), rows.c.id)
    latest = ""
    for row in connection.execute(of_host):
        latest = max(latest, row.until)
        if row.until == latest:
            left.setdefault((row.name, row.guest, row.known), []).append(row.id)
    at = max(at, latest)
    same, new = [], []
    for one in found:
        there = left.get((one.name, one.guest, one.known))
        if there:
            same.append(there.pop())
        else:
            new.append(one)
    ended = [identity for some in left.values() for identity in some]
    if ended:  # by a clock of seconds what ended must be before what is there
        connection.execute(
            sa.update(rows).where(rows.c.id.in_(ended), rows.c.until >= at).values(until=rows.c.since)
        )
        connection.execute(sa.delete(rows).where(rows.c.id.in_(ended), rows.c.until >= at))
    if same:
        connection.execute(sa.update(rows).where(rows.c.id.in_(same)).values(until=at))
    if new:
        connection.execute(
            sa.insert(rows),
            [
                {
                    "id": writing.new_id(),
                    "host": host.id,
                    "name": one.name,
                    "guest": one.guest,
                    "known": one.known,
                    "since": at,
                    "until": at,
                }
                for one in new
            ],
        )
