"""A copy of a fleet store in one file, made while others write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from armlevel.errors import StoreError
from armlevel.fleet import writing
from armlevel.fleet.audit import Audit, audit
from armlevel.fleet.copying import copied, give_name
from armlevel.fleet.database import open_any
from armlevel.fleet.events import Head
from armlevel.fleet.reading import count_hosts
from armlevel.operations.fleet_restore import brought_up
from armlevel.operations.fleet_store import place_named, request_now

__all__ = ["FleetBackupResult", "fleet_backup"]


@dataclass(frozen=True, slots=True)
class FleetBackupResult:
    """A backup, and what holding it against its history gave."""

    kind: ClassVar[str] = "fleet-backup/1"

    place: str
    file: str
    size: int
    hosts: int
    head: Head
    found: Audit

    @property
    def status(self) -> int:
        """The exit status: 1 if what was copied is not whole."""
        return 0 if self.found.whole else 1

    def document(self) -> dict[str, Any]:
        """Return the fleet-backup/1 object."""
        return {
            "kind": self.kind,
            "place": self.place,
            "file": self.file,
            "bytes": self.size,
            "hosts": self.hosts,
            "whole": self.found.whole,
            "faults": len(self.found.chain) + len(self.found.contents),
            "head": self.head.document(),
        }


def fleet_backup(file: str, fleet: str = "") -> FleetBackupResult:
    """Copy a store as it is at one moment into a file that is not there yet, and prove the copy.

    Raises:
        StoreError: there is no store, or something is there already, or it cannot be written there.

    """
    (store, _), path = open_any(place_named(fleet)), Path(file)
    if path.exists() or path.is_symlink():
        raise StoreError(f"{file}: is there, and nothing is written over it", hint="give another name")
    with copied(store, path.absolute().parent) as copy:
        with open_any(str(copy))[0].reading() as connection:
            head = writing.head(connection)
        # A store of an older revision is copied as it is, and proved as what it would be.
        with brought_up(str(copy), request_now()) as proved, proved.reading() as connection:
            found, hosts = audit(connection, head), count_hosts(connection)
        size = copy.stat().st_size
        give_name(copy, path)
    return FleetBackupResult(store.place, file, size, hosts, head, found)
