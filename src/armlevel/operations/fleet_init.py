"""Make a fleet store, or bring an older one up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.fleet.database import make_store
from armlevel.fleet.reading import count_hosts
from armlevel.fleet.tables import REVISION
from armlevel.fleet.writing import head
from armlevel.operations.fleet_store import place_named, request_now

__all__ = ["FleetStoreResult", "fleet_init"]


@dataclass(frozen=True, slots=True)
class FleetStoreResult:
    """A store, and what was there before: the revision of its tables, None if there was none."""

    kind: ClassVar[str] = "fleet-store/1"
    status: ClassVar[int] = 0

    place: str
    before: str | None
    hosts: int
    events: int

    def document(self) -> dict[str, Any]:
        """Return the fleet-store/1 object."""
        return {
            "kind": self.kind,
            "place": self.place,
            "revision": REVISION,
            "before": self.before,
            "hosts": self.hosts,
            "events": self.events,
        }


def fleet_init(fleet: str = "", *, actor: str = "") -> FleetStoreResult:
    """Make a store if there is none, and bring it up to date if it is older; what is in it stays.

    Raises:
        StoreError: it cannot be made, or what is there is no fleet store.

    """
    store, before = make_store(place_named(fleet), request_now(actor))
    with store.reading() as connection:
        return FleetStoreResult(store.place, before, count_hosts(connection), head(connection).length)
