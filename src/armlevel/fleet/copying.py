"""Copies of a store: a whole file made beside a running one, and every row of one store put into another."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.documents.replace import sync_folder
from armlevel.errors import StoreError
from armlevel.fleet.database import Store, make_store
from armlevel.fleet.dialects import in_sentences
from armlevel.fleet.tables import METADATA

__all__ = ["copied", "give_name", "replace_rows"]

_AT_ONCE = 1000  # rows


@contextlib.contextmanager
def copied(store: Store, folder: Path) -> Iterator[Path]:
    """Copy a store, as it is at one moment, into a file of its own; it is gone at the end unless it got a name.

    Writers are not in the way, nor held up. A store of another database becomes such a file as well.

    Raises:
        StoreError: it cannot be read, or not written there.

    """
    path = folder / f".armlevel-{os.urandom(8).hex()}.db"
    try:
        with in_sentences(str(folder)):
            os.close(_new_file(path))
            if store.path is None:
                _copy_rows(store, path)
            else:
                _copy_file(store, path)
        yield path
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)


def _new_file(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise StoreError(f"{path.parent}: {(exc.strerror or str(exc)).lower()}") from exc


def _copy_file(store: Store, path: Path) -> None:
    with store.reading() as connection, contextlib.closing(sqlite3.connect(path)) as target:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection), "a store with a path is a file of SQLite"
        # All pages in one step, as one reader sees them: else it begins anew whenever somebody writes.
        source.backup(target, pages=-1)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, with no log beside it


def _copy_rows(store: Store, path: Path) -> None:
    made, _ = make_store(str(path))
    with store.reading() as source, made.writing() as target:
        _insert_rows(source, target)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def replace_rows(source: Connection, target: Connection) -> None:
    """Put every row of one store in the place of all that another holds; both are of this revision."""
    for table in reversed(METADATA.sorted_tables):
        target.execute(sa.delete(table))
    _insert_rows(source, target)


def _insert_rows(source: Connection, target: Connection) -> None:
    for table in METADATA.sorted_tables:
        found = source.execute(sa.select(table), execution_options={"yield_per": _AT_ONCE}).mappings()
        for rows in found.partitions(_AT_ONCE):
            target.execute(sa.insert(table), [dict(row) for row in rows])


def give_name(path: Path, name: Path) -> None:
    """Give a file that was copied its name, where nothing is yet.

    Raises:
        StoreError: something is there, or it cannot be written there.

    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        os.link(path, name)
        sync_folder(name.parent)
    except FileExistsError as exc:
        raise StoreError(
            f"{name}: is there, and nothing is written over it", hint="give another name"
        ) from exc
    except (OSError, ValueError) as exc:
        why = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise StoreError(f"{name}: cannot be written: {why}") from exc
