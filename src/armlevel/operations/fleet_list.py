"""The hosts of a fleet by kind, and its pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.fleet import reading
from armlevel.fleet.values import SILENT_AFTER, FleetHost, Kind
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetListResult", "ListedKind", "fleet_list", "kind_object"]


@dataclass(frozen=True, slots=True)
class ListedKind:
    """A kind and the hosts that are of it now."""

    kind: Kind
    hosts: tuple[FleetHost, ...]


@dataclass(frozen=True, slots=True)
class FleetListResult:
    """A fleet by kind, the largest first; ``silent`` are hosts of which nothing came for a month."""

    kind: ClassVar[str] = "fleet-list/1"
    status: ClassVar[int] = 0

    kinds: tuple[ListedKind, ...]
    silent: tuple[str, ...]
    retired: tuple[str, ...]
    pools: tuple[tuple[str, int], ...]
    guests: int

    @property
    def hosts(self) -> int:
        """How many hosts there are that nobody retired."""
        return sum(len(one.hosts) for one in self.kinds)

    def document(self) -> dict[str, Any]:
        """Return the fleet-list/1 object."""
        return {
            "kind": self.kind,
            "hosts": self.hosts,
            "kinds": [
                kind_object(one.kind) | {"hosts": [host.name for host in one.hosts]} for one in self.kinds
            ],
            "silent": list(self.silent),
            "retired": list(self.retired),
            "pools": [{"name": name, "hosts": count} for name, count in self.pools],
            "guests": self.guests,
        }


def kind_object(kind: Kind) -> dict[str, Any]:
    """Return a kind as JSON; what is not recorded is null."""
    return {
        "digest": kind.digest,
        "view": kind.view,
        "midrs": list(kind.midrs),
        "kernel": kind.kernel,
        "cntfrq_hz": kind.cntfrq_hz,
        "dczid": kind.dczid,
        "gmid": kind.gmid,
        "page_size": kind.page_size,
    }


def fleet_list(fleet: str = "") -> FleetListResult:
    """List a fleet.

    Raises:
        StoreError: there is no store, or it cannot be read.

    """
    now = request_now().now
    with store_named(fleet).reading() as connection:
        every = reading.hosts(connection)
        kinds, pools = reading.kinds(connection), reading.pools(connection)
        guests = len(reading.guests(connection))
    there = [host for host in every if host.retired is None]
    return FleetListResult(
        _by_kind(there, kinds),
        tuple(host.name for host in there if host.is_silent(now, SILENT_AFTER)),
        tuple(host.name for host in every if host.retired is not None),
        tuple((pool.name, sum(pool.policy.takes(host) for host in there)) for pool in pools),
        guests,
    )


def _by_kind(hosts: Sequence[FleetHost], kinds: dict[str, Kind]) -> tuple[ListedKind, ...]:
    found: dict[str, list[FleetHost]] = {}
    for host in hosts:
        found.setdefault(host.last.kind, []).append(host)
    ordered = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return tuple(ListedKind(kinds[digest], tuple(some)) for digest, some in ordered)
