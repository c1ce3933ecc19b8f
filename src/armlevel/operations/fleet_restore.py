"""Put a backup in the place of a fleet store: proved first, and nothing that is there is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from armlevel.errors import StoreError, UsageError
from armlevel.fleet import writing
from armlevel.fleet.audit import Audit, audit
from armlevel.fleet.copying import copied, give_name, replace_rows
from armlevel.fleet.database import Store, is_there, make_store, open_any, open_store, shown_place
from armlevel.fleet.events import Entry, Head
from armlevel.fleet.reading import count_hosts
from armlevel.fleet.writing import Request
from armlevel.operations.fleet_audit import faults_object, kept_head
from armlevel.operations.fleet_pools import reason_given
from armlevel.operations.fleet_store import place_named, request_now

__all__ = ["FleetRestoreResult", "brought_up", "fleet_restore"]


@dataclass(frozen=True, slots=True)
class FleetRestoreResult:
    """What became of a backup: ``found`` is what its proof gave; it was restored only if that is whole.

    ``replaced`` is the head of the store that was there, ``kept`` the file in which that store is now
    """

    kind: ClassVar[str] = "fleet-restore/1"

    file: str
    place: str
    found: Audit
    hosts: int
    head: Head
    replaced: Head | None = None
    kept: str | None = None

    @property
    def restored(self) -> bool:
        """Whether the store is what the backup was."""
        return self.found.whole

    @property
    def status(self) -> int:
        """The exit status: 1 if the backup does not prove, and nothing was restored."""
        return 0 if self.restored else 1

    def document(self) -> dict[str, Any]:
        """Return the fleet-restore/1 object."""
        return {
            "kind": self.kind,
            "file": self.file,
            "place": self.place,
            "restored": self.restored,
            "hosts": self.hosts,
            "head": self.head.document(),
            "replaced": None if self.replaced is None else self.replaced.document(),
            "kept": self.kept,
            **faults_object(self.found),
        }


def fleet_restore(  # noqa: PLR0913 (a question with options)
    file: str, fleet: str = "", *, kept: str = "", replace: str = "", reason: str = "", actor: str = ""
) -> FleetRestoreResult:
    """Prove a backup, then put it where the store is to be.

    ``kept`` is a file with heads, against which it is proved too. Where a store with a history is, ``replace`` names
    the file in which that one is kept.

    Raises:
        InputError: a file cannot be read, or holds no head.
        UsageError: a store is there, and nobody said that it may be replaced.
        StoreError: the backup is none, or the store cannot be written.

    """
    place, request, why = place_named(fleet), request_now(actor), reason_given(reason)
    before = kept_head(kept) if kept else None
    _hold_apart(file, place)
    target = _there(place, replace)
    with brought_up(file, request) as backup:
        with backup.reading() as connection:
            found, hosts = audit(connection, before), count_hosts(connection)
        result = FleetRestoreResult(file, shown_place(place), found, hosts, found.head)
        if not found.whole:
            return result
        if target is None and "://" in place:
            target = make_store(place, request)[0]
        entry = Entry(action="store-restored", subject="store", after=found.head.digest, reason=why)
        if target is None:
            return _as_file(Path(place), backup, result, entry, request)
        return _into(target, backup, result, entry, request, replace)


def _hold_apart(file: str, place: str) -> None:
    if "://" not in place and Path(file).exists() and Path(place).exists() and Path(file).samefile(place):
        raise UsageError(f"{file}: is the store itself", hint="name another place with --fleet")


def _there(place: str, replace: str) -> Store | None:
    # The store into which rows are put; None where there is none yet.
    if not is_there(place):
        return None
    store = open_store(place)
    with store.reading() as connection:
        head = writing.head(connection)
    if head.length and not replace:
        raise UsageError(
            f"{store.place}: a store with {head.length} events is there",
            hint="--replace FILE keeps that one in FILE, and puts the backup in its place",
        )
    return store


@contextlib.contextmanager
def brought_up(file: str, request: Request) -> Iterator[Store]:
    """Copy a backup and bring the copy up to date, to be proved and written to: the backup stays what it is.

    Raises:
        StoreError: it is none, or of a newer revision.

    """
    source, _ = open_any(file)
    with (
        tempfile.TemporaryDirectory(prefix="armlevel-") as folder,
        copied(source, Path(folder)) as copy,
    ):
        yield make_store(str(copy), request)[0]


def _as_file(
    path: Path, backup: Store, result: FleetRestoreResult, entry: Entry, request: Request
) -> FleetRestoreResult:
    with backup.writing() as connection:
        writing.append(connection, request, [entry])
        head = writing.head(connection)
    folder = path.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise StoreError(f"{folder}: {(exc.strerror or str(exc)).lower()}") from exc
    with copied(backup, folder) as copy:
        give_name(copy, path)
    make_store(str(path))
    return dataclasses.replace(result, head=head)


def _into(  # noqa: PLR0913, PLR0917 (what a restoring is of)
    target: Store,
    backup: Store,
    result: FleetRestoreResult,
    entry: Entry,
    request: Request,
    replace: str,
) -> FleetRestoreResult:
    # In one transaction of the only writer: it is all there, or all as it was.
    with target.writing() as connection:
        old = writing.head(connection)
        if old.length and not replace:
            raise UsageError(f"{target.place}: somebody wrote into it meanwhile", hint="do it again")
        if replace:
            with copied(target, Path(replace).absolute().parent) as copy:
                give_name(copy, Path(replace))
        with backup.reading() as source:
            replace_rows(source, connection)
        writing.append(connection, request, [dataclasses.replace(entry, before=old.digest)])
        head = writing.head(connection)
    return dataclasses.replace(result, head=head, replaced=old if old.length else None, kept=replace or None)
