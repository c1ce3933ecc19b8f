"""One host of a fleet: what it was, since when, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.fleet import reading
from armlevel.fleet.values import SILENT_AFTER, FleetHost, Kind
from armlevel.operations.fleet_list import kind_object
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetHostResult", "fleet_show"]


@dataclass(frozen=True, slots=True)
class FleetHostResult:
    """A host; ``software`` is what each piece of evidence says of its software, by digest."""

    kind: ClassVar[str] = "fleet-host/1"
    status: ClassVar[int] = 0

    host: FleetHost
    kinds: Mapping[str, Kind]
    software: Mapping[str, Mapping[str, Any]]
    pools: tuple[str, ...]
    silent: bool

    def document(self) -> dict[str, Any]:
        """Return the fleet-host/1 object."""
        host = self.host
        return {
            "kind": self.kind,
            "id": host.id,
            "name": host.name,
            "labels": dict(host.labels),
            "retired": host.retired,
            "silent": self.silent,
            "pools": list(self.pools),
            "seen": [
                {
                    "kind": kind_object(self.kinds[one.kind]),
                    "first_seen": one.first_seen,
                    "last_seen": one.last_seen,
                    "event": one.event,
                    "evidence": [
                        {
                            "digest": noted.evidence,
                            "document": noted.document,
                            "since": noted.since,
                            "until": noted.until,
                            "software": dict(self.software[noted.evidence]),
                        }
                        for noted in one.evidence
                    ],
                }
                for one in host.seen
            ],
        }


def fleet_show(name: str, fleet: str = "") -> FleetHostResult:
    """Show a host.

    Raises:
        UnknownName: no host is called so.
        StoreError: there is no store, or it cannot be read.

    """
    now = request_now().now
    with store_named(fleet).reading() as connection:
        host = reading.host_called(connection, name)
        kinds = reading.kinds(connection, [one.kind for one in host.seen])
        digests = {noted.evidence for one in host.seen for noted in one.evidence}
        software = {one: reading.body_of(connection, one).get("software", {}) for one in digests}
        pools = tuple(pool.name for pool in reading.pools(connection) if pool.policy.takes(host))
    return FleetHostResult(host, kinds, software, pools, host.is_silent(now, SILENT_AFTER))
