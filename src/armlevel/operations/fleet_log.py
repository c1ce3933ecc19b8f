"""The events of a fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.fleet import reading, writing
from armlevel.fleet.events import Event, Head
from armlevel.operations.fleet_store import store_named

__all__ = ["FleetLogResult", "fleet_log"]


@dataclass(frozen=True, slots=True)
class FleetLogResult:
    """Events, oldest first; ``names`` are those of actors and objects today, by id."""

    kind: ClassVar[str] = "fleet-log/1"
    status: ClassVar[int] = 0

    events: tuple[Event, ...]
    names: Mapping[str, str]
    head: Head

    def document(self) -> dict[str, Any]:
        """Return the fleet-log/1 object."""
        return {
            "kind": self.kind,
            "events": [self._object(one) for one in self.events],
            "head": self.head.document(),
        }

    def _object(self, one: Event) -> dict[str, Any]:
        return {
            "seq": one.seq,
            "at": one.at,
            "actor": one.actor,
            "actor_name": self.names.get(one.actor),
            "request": one.request,
            "action": one.entry.action,
            "object": one.entry.subject,
            "object_name": self.names.get(one.entry.subject),
            "before": one.entry.before,
            "after": one.entry.after,
            "reason": one.entry.reason,
            "state": one.entry.state,
            "previous": one.previous,
            "digest": one.digest,
        }


def fleet_log(fleet: str = "", *, host: str = "", pool: str = "", last: int | None = None) -> FleetLogResult:
    """Return the events; of one host, or of one pool, if it is named; the last so many, if a number is given.

    Raises:
        UnknownName: no host or pool is called so.
        StoreError: there is no store, or it cannot be read.

    """
    with store_named(fleet).reading() as connection:
        subject = None
        if host:
            subject = f"host:{reading.host_called(connection, host).id}"
        elif pool:
            subject = f"pool:{reading.pool_called(connection, pool).id}"
        head = writing.head(connection)
        whole = subject is None and last is not None
        after = max(0, head.length - last) if whole and last is not None else 0
        events = tuple(reading.events(connection, after=after, subject=subject))
        names = {f"host:{one.id}": one.name for one in reading.hosts(connection)}
        names |= {f"pool:{one.id}": one.name for one in reading.pools(connection)}
        names |= {f"guest:{key}": name for key, (name, _, _) in reading.guests(connection).items()}
        names |= {key: name for key, name in reading.actors(connection).items() if name is not None}
    return FleetLogResult(events[-last:] if last else events, names, head)
