"""What an older store could not prove: one event for each object, so that all of it is proved from here on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.fleet import reading, tables, writing
from armlevel.fleet.events import Entry
from armlevel.fleet.proving import HEARD, state_of

__all__ = ["seal"]


def seal(connection: Connection, request: writing.Request) -> None:
    """Append the events that say what each host, pool and actor is, of which no event says it yet."""
    event = tables.event
    wanted = sa.select(event.c.object).where(event.c.state.is_not(None)).distinct()
    # Never anew: that would call true whatever was done to a row since.
    proved = set(connection.execute(wanted).scalars())
    entries = [
        Entry(action="host-sealed", subject=f"host:{host.id}", state=writing.state_of_host(host))
        for host in reading.hosts(connection)
    ]
    entries += [
        Entry(action="pool-sealed", subject=f"pool:{pool.id}", state=writing.state_of_pool(connection, pool))
        for pool in reading.pools(connection)
    ]
    actor = tables.actor
    unproved = sa.select(actor).where(actor.c.salt.is_(None), actor.c.name.is_not(None))
    entries += [
        Entry(action="actor-named", subject=f"actor:{row['id']}", state=state_of({"actor": [dict(row)]}))
        for row in connection.execute(unproved.order_by(actor.c.id)).mappings()
    ]
    if HEARD not in proved:
        entries.append(writing.heard_entry(connection))
    if connection.execute(sa.select(tables.instance.c.id).limit(1)).first() is not None:
        entries.append(writing.running_entry(connection))
    entries = [entry for entry in entries if entry.subject not in proved]
    if len(entries) > 1:
        writing.append(connection, request, entries)
