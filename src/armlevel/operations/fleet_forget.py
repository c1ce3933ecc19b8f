"""Forget what law or policy says must go: contents, while the history stays whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.documents.frozen import Frozen
from armlevel.documents.read import new_pool
from armlevel.errors import UnknownName, UsageError
from armlevel.fleet import forgetting, reading, writing
from armlevel.fleet.database import Connection
from armlevel.fleet.events import Entry, Head
from armlevel.fleet.values import FleetHost
from armlevel.operations.fleet_pools import reason_given
from armlevel.operations.fleet_standing import level_guest
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetForgetResult", "fleet_forget"]


@dataclass(frozen=True, slots=True)
class FleetForgetResult:
    """What was forgotten: hosts and guests by the name that they had, how many names of actors, and kinds that went.

    ``named_in`` are the levels (pool, version) that name a forgotten host, and keep it: they are exact bytes
    """

    kind: ClassVar[str] = "fleet-forget/1"
    status: ClassVar[int] = 0

    hosts: tuple[str, ...]
    guests: tuple[str, ...]
    actors: int
    kinds: int
    named_in: tuple[tuple[str, int], ...]
    head: Head

    def document(self) -> dict[str, Any]:
        """Return the fleet-forget/1 object."""
        return {
            "kind": self.kind,
            "hosts": list(self.hosts),
            "guests": list(self.guests),
            "actors": self.actors,
            "kinds": self.kinds,
            "named_in": [{"pool": pool, "version": version} for pool, version in self.named_in],
            "head": self.head.document(),
        }


def fleet_forget(  # noqa: PLR0913 (a question with options)
    hosts: Sequence[str],
    fleet: str = "",
    *,
    reason: str,
    guests: Sequence[str] = (),
    actors: Sequence[str] = (),
    actor: str = "",
) -> FleetForgetResult:
    """Forget hosts that were retired, guest profiles (by name or digest), and names of people: all, or nothing.

    Raises:
        UnknownName: there is no such host, guest or name.
        UsageError: a host was not retired, or nothing is named, or no reason is given.
        StoreError: the store cannot be written.

    """
    why, request = reason_given(reason, needed=True), request_now(actor)
    if not hosts and not guests and not actors:
        raise UsageError("nothing is named that shall be forgotten", hint="give HOST..., --guest or --name")
    if request.actor in actors:
        raise UsageError(f"{request.actor} is who does this", hint="give another --actor")
    with store_named(fleet).writing() as connection:
        there = [_retired(connection, name) for name in dict.fromkeys(hosts)]
        known = reading.guests(connection)
        digests = [one for text in dict.fromkeys(guests) for one in _guest(known, text)]
        ids = [_actor(connection, name) for name in dict.fromkeys(actors)]
        named_in = _named_in(connection, {host.name for host in there})
        gone = {
            **{f"host:{host.id}": "host-forgotten" for host in there},
            **{f"guest:{one}": "guest-forgotten" for one in digests},
            **{f"actor:{one}": "actor-forgotten" for one in ids},
        }
        entries = [Entry(action=action, subject=subject, reason=why) for subject, action in gone.items()]
        ran = sum(forgetting.drop_host(connection, host.id) for host in there)
        ran += sum(forgetting.drop_guest(connection, one) for one in digests)
        for one in ids:
            forgetting.drop_actor(connection, one)
        kinds = forgetting.drop_unused(connection) if there else 0
        if there:
            entries.append(writing.heard_entry(connection))
        if ran:
            entries.append(writing.running_entry(connection))
        writing.append(connection, request, entries)
        head = writing.head(connection)
    names = tuple(dict.fromkeys(known[one][0] for one in digests))
    return FleetForgetResult(tuple(host.name for host in there), names, len(ids), kinds, named_in, head)


def _retired(connection: Connection, name: str) -> FleetHost:
    host = reading.host_called(connection, name)
    if host.retired is None:
        # Else a limit of a level would go away by being forgotten.
        raise UsageError(
            f"{name} was not retired, and counts", hint=f"armlevel fleet host retire {name} --reason TEXT"
        )
    return host


def _guest(known: dict[str, tuple[str, bytes, int]], text: str) -> list[str]:
    found = [digest for digest, (name, _, _) in known.items() if text in (name, digest)]
    if not found:
        names = sorted({name for name, _, _ in known.values()})
        raise UnknownName("guest of the fleet", text, tuple(names[:3]))
    return found


def _actor(connection: Connection, name: str) -> str:
    found = reading.actor_called(connection, name)
    if found is None:
        raise UnknownName("actor of the history", name)
    return found


def _named_in(connection: Connection, names: set[str]) -> tuple[tuple[str, int], ...]:
    if not names:
        return ()
    values = new_pool()
    pools = {pool.id: pool.name for pool in reading.pools(connection)}
    return tuple(
        (pools[level.pool], level.version)
        for level in reading.levels(connection)
        if names & _hosts_of(level_guest(level, values))
    )


def _hosts_of(frozen: Frozen) -> set[str]:
    return {*frozen.guest.starts_on, *(origin.name for origin in frozen.lineage.hosts)}
