"""What goes when a host, a guest or a name is forgotten: its rows, and contents that nothing else needs.

The event that says so stays, with all events before it: they hold ids and digests, and the chain stays whole.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.fleet import reading, tables

__all__ = ["drop_actor", "drop_guest", "drop_host", "drop_unused"]


def drop_actor(connection: Connection, identity: str) -> None:
    """Take an actor's name away; the id stays, and stands for nothing any more."""
    actor = tables.actor
    connection.execute(sa.update(actor).where(actor.c.id == identity).values(name=None, salt=None))


def drop_host(connection: Connection, identity: str) -> int:
    """Take a host, all it was, and what ran on it away; return how many guests ran there."""
    seen, noted, running = tables.observation, tables.observed_evidence, tables.instance
    own = sa.select(seen.c.id).where(seen.c.host == identity)
    connection.execute(sa.delete(noted).where(noted.c.observation.in_(own)))
    connection.execute(sa.delete(seen).where(seen.c.host == identity))
    ran = connection.execute(sa.delete(running).where(running.c.host == identity)).rowcount
    connection.execute(sa.delete(tables.host).where(tables.host.c.id == identity))
    return ran


def drop_guest(connection: Connection, digest: str) -> int:
    """Take a guest profile away; return how many guests ran with it, of which that is not known any more."""
    running = tables.instance
    ran = connection.execute(sa.update(running).where(running.c.guest == digest).values(guest=None)).rowcount
    connection.execute(sa.delete(tables.guest).where(tables.guest.c.digest == digest))
    return ran


def drop_unused(connection: Connection) -> int:
    """Take away contents that no host is of and no level was made of; return how many kinds went."""
    kind, view, evidence = tables.kind, tables.view, tables.evidence
    wanted = set(connection.execute(sa.select(tables.observation.c.kind)).scalars())
    # A level is computed again from its kinds: they stay.
    wanted |= {one for level in reading.levels(connection) for one in level.inputs}
    gone = [one for one in connection.execute(sa.select(kind.c.digest)).scalars() if one not in wanted]
    for begin in range(0, len(gone), 500):
        connection.execute(sa.delete(kind).where(kind.c.digest.in_(gone[begin : begin + 500])))
    connection.execute(sa.delete(view).where(view.c.digest.not_in(sa.select(kind.c.view))))
    used = sa.union(sa.select(kind.c.evidence), sa.select(tables.observed_evidence.c.evidence)).subquery()
    connection.execute(sa.delete(evidence).where(evidence.c.digest.not_in(sa.select(used.c.evidence))))
    return len(gone)
