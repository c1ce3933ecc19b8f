"""What differs between SQLite and PostgreSQL: how a store is named, opened and locked, and how its errors are said.

SQLite is a file. It keeps a write-ahead log, so readers are never in the way; a transaction that writes begins by
taking the one place that a writer has. PostgreSQL is a database by its URL. There one advisory lock is that place: a
transaction that writes takes it first, and so sees all that was written before; one that reads sees one moment. A
writer waits for another at most half a minute.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from armlevel.errors import StoreError, UsageError

__all__ = ["Address", "address_of", "engine_of", "in_sentences", "log_beside", "prepare_folder"]

_PATIENCE = 30  # seconds that a writer waits for another
_REACH = 10  # seconds that a server has to answer
_LOCK = 0x61726D6C6576656C  # "armlevel"
_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is: a file, or a database by its URL; ``place`` is how it is shown, without a password."""

    place: str
    path: Path | None
    url: sa.URL | None = None


def address_of(place: str) -> Address:
    """Read where a store is.

    Raises:
        UsageError: it is an address, and none of PostgreSQL.

    """
    scheme, separator, _ = place.partition("://")
    if not separator:
        return Address(place, Path(place))
    if scheme.partition("+")[0] not in _SCHEMES:
        raise UsageError(
            f"--fleet {ascii(scheme)[1:-1][:40]}://...: a fleet store is a file, or postgresql://...",
            hint="name a file by its path",
        )
    if find_spec("psycopg") is None:
        raise UsageError("a store in PostgreSQL needs psycopg", hint="pip install 'armlevel[postgresql]'")
    try:
        url = sa.make_url(place).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError) as exc:
        raise UsageError(
            "--fleet postgresql://...: no address of a database", hint="postgresql://USER@HOST/DATABASE"
        ) from exc
    return Address(url.set(drivername="postgresql").render_as_string(hide_password=True), None, url)


def engine_of(address: Address) -> sa.Engine:
    """Return the engine of a store; each transaction has a connection of its own."""
    if address.path is not None:
        path = address.path
        engine = sa.create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    assert address.url is not None, "a store is a file or has a URL"
    reach = {"connect_timeout": _REACH, "application_name": "armlevel"}
    engine = sa.create_engine(address.url, poolclass=NullPool, connect_args=reach)
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _connect(path: Path) -> sqlite3.Connection:
    resolved = path.resolve()
    options = "mode=rw"
    if not os.access(resolved, os.W_OK):
        # Where nothing can be written beside it there is no log, and nobody else changes the file.
        quiet = not os.access(resolved.parent, os.W_OK) and not Path(f"{resolved}-wal").exists()
        options = "mode=ro" + ("&immutable=1" if quiet else "")
    connection = sqlite3.connect(
        f"file:{quote(str(resolved))}?{options}", uri=True, timeout=_PATIENCE, isolation_level=None
    )
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")  # what is forgotten stays in no free page
    return connection


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if not _writes(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    # Each statement behind the lock sees what was written before it, whatever the server's default is.
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
    connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("armlevel_writes"))


def prepare_folder(address: Address) -> None:
    """Make the file that a store is to be, and its directory; of a database nothing is made here.

    Raises:
        StoreError: it cannot be made.

    """
    if address.path is None:
        return
    # Nobody else reads what a fleet is, unless the directory was made for them.
    try:
        address.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(address.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except (OSError, ValueError) as exc:
        why = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise StoreError(f"{address.place}: {why}") from exc


def log_beside(connection: Connection) -> None:
    """Let SQLite keep a write-ahead log."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")  # the journal's mode changes outside of a transaction
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("BEGIN")


@contextmanager
def in_sentences(place: str) -> Iterator[None]:
    """Say what a database could not do as a sentence.

    Raises:
        StoreError: what it could not do.

    """
    try:
        yield
    except sa.exc.DBAPIError as exc:
        raise _sentence(place, exc.orig or exc) from exc
    except sqlite3.Error as exc:
        raise _sentence(place, exc) from exc


_READ_ONLY = "the fleet store cannot be written, only read", "ask its owner, or name your own with --fleet"
_FULL = "the disk is full; nothing was written", "make room, and do it again"
_WAITED = f"another writer did not end within {_PATIENCE} seconds", "do it again"
_DAMAGED = "the fleet store is damaged", "put a backup in its place"
_REACHED = "the database cannot be reached", "is the server there, and its address right?"

#: What SQLite says -> sentence and hint.
_OF_SQLITE = {
    "readonly": _READ_ONLY,
    "full": _FULL,
    "locked": _WAITED,
    "not a database": ("is no fleet store", "name another file with --fleet"),
    "malformed": _DAMAGED,
    "unable to open": (
        "the fleet store cannot be opened",
        "is its directory there, and yours to write?",
    ),
    "disk i/o": (
        "the fleet store cannot be read or written: the disk fails, is full, or a limit of file sizes is met",
        "make room, or put a backup on another disk",
    ),
}

#: SQLSTATE of PostgreSQL, or the class that it begins with -> sentence and hint (its documentation, appendix A).
_OF_POSTGRESQL = {
    "25006": _READ_ONLY,
    "42501": ("this user may not do that", "ask the owner of the database for the right to write"),
    "53100": _FULL,
    "55P03": _WAITED,
    "3D000": ("there is no such database", "createdb makes one"),
    "28": ("the database does not let this user in", "ask its owner; ~/.pgpass may hold the password"),
    "08": _REACHED,
    "57": ("the database was stopped, or ended the connection", "do it again"),
    "58": ("the database cannot read or write its files", "ask whoever runs it"),
    "XX": _DAMAGED,
}


def _sentence(place: str, exc: BaseException) -> StoreError:
    said = " ".join(str(exc).split())
    state = getattr(exc, "sqlstate", None)
    found: tuple[str, str] | None = None
    if isinstance(exc, sqlite3.Error):
        found = next((one for sign, one in _OF_SQLITE.items() if sign in said.lower()), None)
    elif state is not None:
        found = _OF_POSTGRESQL.get(state) or _OF_POSTGRESQL.get(state[:2])
    elif type(exc).__name__ == "OperationalError":  # before there was a connection
        found = _by_words(said)
    if found is None:
        return StoreError(f"{place}: {said[:300]}", hint="armlevel fleet audit says whether it is whole")
    return StoreError(f"{place}: {found[0]}", hint=found[1])


def _by_words(said: str) -> tuple[str, str]:
    # While it connects, libpq gives words alone.
    if "does not exist" in said and "database" in said:
        return _OF_POSTGRESQL["3D000"]
    if "authentication" in said or "password" in said or "no pg_hba.conf entry" in said:
        return _OF_POSTGRESQL["28"]
    return _REACHED
