"""A fleet in one file: every host with its kind, its standing and when it was last seen; kinds, levels, guests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from armlevel.documents import digest, host_object, new_pool
from armlevel.documents.fleet_export import FLEET_EXPORT_KIND
from armlevel.documents.inputs import note_input
from armlevel.documents.maps import ValuePool
from armlevel.documents.read import parse
from armlevel.fleet import reading, writing
from armlevel.fleet.contents import unpacked
from armlevel.fleet.database import Connection
from armlevel.fleet.events import Head
from armlevel.fleet.instances import Reported, running_of
from armlevel.fleet.standing import Standing
from armlevel.fleet.values import SILENT_AFTER, FleetHost, Kind, Level, Pool, time_text
from armlevel.operations.fleet_list import kind_object
from armlevel.operations.fleet_standing import pool_state
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetExportResult", "fleet_export"]


@dataclass(frozen=True, slots=True)
class FleetExportResult:
    """A fleet as it is at a moment; ``standings`` are those of a pool's hosts, by the pool's name.

    ``running`` is what runs on a host, by its id, if that was ever reported
    """

    kind: ClassVar[str] = FLEET_EXPORT_KIND
    status: ClassVar[int] = 0

    at: datetime
    head: Head
    hosts: tuple[FleetHost, ...]
    kinds: Mapping[str, tuple[Kind, Mapping[str, Any]]]
    pools: tuple[tuple[Pool, tuple[Level, ...]], ...]
    standings: Mapping[str, tuple[Standing, ...]]
    guests: Mapping[str, tuple[str, bytes, int]]
    running: Mapping[str, Reported]

    def document(self) -> dict[str, Any]:
        """Return the fleet-export/1 object."""
        in_pools: dict[str, list[dict[str, Any]]] = {}
        for pool, standings in self.standings.items():
            for one in standings:
                place = {"pool": pool, "answer": one.answer, "silent": one.silent}
                in_pools.setdefault(one.host.id, []).append(place)
        said: dict[str, Any] = {
            "kind": self.kind,
            "at": time_text(self.at),
            "head": self.head.document(),
            "hosts": [self._host(host, in_pools.get(host.id, [])) for host in self.hosts],
            "kinds": [
                kind_object(kind) | {"profile": dict(profile)} for kind, profile in self.kinds.values()
            ],
            "pools": [_pool_object(pool, levels) for pool, levels in self.pools],
            "guests": [
                {
                    "digest": mark,
                    "name": name,
                    "profile": unpacked(body) | {"digest": mark},
                }
                for mark, (name, body, _) in self.guests.items()
            ],
        }
        return said | {"digest": digest(said)}

    def _host(self, host: FleetHost, pools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        there = self.running.get(host.id)
        return {
            "name": host.name,
            "labels": dict(host.labels),
            "kind": host.last.kind,
            "since": host.last.first_seen,
            "last_seen": host.last.last_seen,
            "silent": host.is_silent(self.at, SILENT_AFTER),
            "retired": host.retired,
            "pools": list(pools),
            "running": None if there is None else _running_object(there),
        }


def _running_object(there: Reported) -> dict[str, Any]:
    return {
        "at": there.at,
        "guests": [
            {"name": one.name, "guest": one.guest, "known": one.known, "since": one.since}
            for one in there.guests
        ],
    }


def _pool_object(pool: Pool, levels: Sequence[Level]) -> dict[str, Any]:
    return {
        "name": pool.name,
        "policy": pool.policy.document(),
        "level": levels[-1].version if levels else None,
        "levels": [
            {
                "version": level.version,
                "digest": level.digest,
                "cpu": level.cpu,
                "profile": parse(level.data, f"level {level.version}"),
            }
            for level in levels
        ],
    }


def fleet_export(fleet: str = "") -> FleetExportResult:
    """Read a whole fleet, as it is at one moment, with how each host stands to the level of each of its pools.

    Raises:
        StoreError: there is no store, or it cannot be read.

    """
    now, store = request_now().now, store_named(fleet)
    if store.path is not None:
        note_input(store.path.stat(), str(store.path))  # the document is never written over the store
    with store.reading() as connection:
        hosts = reading.hosts(connection)
        pools = reading.pools(connection)
        states = {pool.name: pool_state(connection, pool.name, now) for pool in pools}
        return FleetExportResult(
            at=now,
            head=writing.head(connection),
            hosts=tuple(hosts),
            kinds=_kinds(connection, sorted({host.last.kind for host in hosts})),
            pools=tuple((pool, states[pool.name].levels) for pool in pools),
            standings={name: state.standings for name, state in states.items()},
            guests=reading.guests(connection),
            running=running_of(connection),
        )


def _kinds(connection: Connection, digests: Sequence[str]) -> dict[str, tuple[Kind, Mapping[str, Any]]]:
    known, values = reading.kinds(connection), new_pool()
    return {one: (known[one], _profile(connection, one, values)) for one in digests}


def _profile(connection: Connection, kind: str, values: ValuePool) -> dict[str, Any]:
    return host_object(reading.profile_of_kind(connection, kind, f"kind {kind[7:19]}", values))
