"""One store: a file of SQLite, its transactions, and what goes wrong with it in a sentence.

SQLite keeps a write-ahead log, so readers are never in the way. A transaction that writes begins by taking the one
place that a writer has, and waits for another writer at most half a minute.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from armlevel.errors import StoreError, UsageError
from armlevel.fleet.tables import REVISION

__all__ = ["Connection", "Store", "default_place", "make_store", "open_store"]

_PATIENCE = 30  # seconds that a writer waits for another
_NONE_THERE = "armlevel fleet init makes one"


class Store:
    """An open fleet store; ``place`` is how a person names it."""

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self.engine, self.place = engine, place

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in one transaction: all of it sees the same."""
        with _in_sentences(self.place), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction, as the only writer; whole, or not at all if anything fails."""
        with _in_sentences(self.place), self.engine.connect() as connection:
            connection = connection.execution_options(armlevel_writes=True)  # noqa: PLW2901 (the same connection)
            with connection.begin():
                yield connection


def default_place(environment: Mapping[str, str]) -> str:
    """Return where a person's fleet store is: what ARMLEVEL_FLEET says, else a file in the user's state directory.

    >>> default_place({"XDG_STATE_HOME": "/var/state"}), default_place({"HOME": "/home/ann"})
    ('/var/state/armlevel/fleet.db', '/home/ann/.local/state/armlevel/fleet.db')
    """
    if said := environment.get("ARMLEVEL_FLEET"):
        return said
    state = environment.get("XDG_STATE_HOME", "")
    # The specification of base directories: a path that is not absolute is to be ignored.
    folder = state if state.startswith("/") else str(Path(environment.get("HOME") or "~") / ".local/state")
    return str(Path(folder).expanduser() / "armlevel/fleet.db")


def open_store(place: str) -> Store:
    """Open a store that is there, of this revision.

    Raises:
        StoreError: there is none, or none of ours, or one of another revision.

    """
    path = _file_of(place)
    _hold_there(path, place)
    store = Store(_engine_of(path), place)
    with store.reading() as connection:
        found = _revision(connection)
    if found is None:
        raise StoreError(f"{place}: holds no fleet", hint=_NONE_THERE)
    if found != REVISION:
        raise StoreError(
            f"{place}: its tables are of revision {found[:40]}, and this armlevel knows {REVISION}",
            hint="armlevel fleet init brings an older store up to date; a newer one needs a newer armlevel",
        )
    return store


def make_store(place: str) -> tuple[Store, str | None]:
    """Make a store, or bring an older one up to date; return it, and the revision that was there before.

    Raises:
        StoreError: it cannot be made, or what is there is no store of ours.

    """
    path = _file_of(place)
    _make_file(path, place)
    store = Store(_engine_of(path), place)
    with _in_sentences(place):
        with store.engine.connect() as connection:
            _hold_ours(connection, place)
            connection.exec_driver_sql("COMMIT")  # the journal's mode changes outside of a transaction
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN")
        with store.writing() as connection:
            before = _revision(connection)
            _hold_ours(connection, place)
            if before != REVISION:
                _upgrade(connection, place, before)
    return store, before


def _upgrade(connection: Connection, place: str, before: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        raise StoreError(
            f"{place}: its tables are of revision {before}, which this armlevel does not know",
            hint="it needs a newer armlevel",
        ) from exc


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _hold_ours(connection: Connection, place: str) -> None:
    there = set(sa.inspect(connection).get_table_names())
    if there and "alembic_version" not in there:
        raise StoreError(
            f"{place}: a database with other tables ({', '.join(sorted(there)[:3])})",
            hint="name another file with --fleet",
        )


def _file_of(place: str) -> Path:
    scheme, separator, _ = place.partition("://")
    if separator:
        raise UsageError(
            f"--fleet {scheme}://...: a fleet store is a file, and no address", hint="name a file by its path"
        )
    return Path(place)


def _hold_there(path: Path, place: str) -> None:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise StoreError(f"{place}: is a directory, and a fleet store is a file")
        with path.open("rb"):
            pass
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise StoreError(f"{place}: there is no fleet store", hint=_NONE_THERE) from exc
    except (OSError, ValueError) as exc:
        raise StoreError(f"{place}: {_why(exc)}") from exc
    if not size:
        raise StoreError(f"{place}: is empty, and no fleet store", hint=_NONE_THERE)


def _make_file(path: Path, place: str) -> None:
    # Nobody else reads what a fleet is, unless the directory was made for them.
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except (OSError, ValueError) as exc:
        raise StoreError(f"{place}: {_why(exc)}") from exc


def _why(exc: Exception) -> str:
    return (getattr(exc, "strerror", None) or str(exc)).lower()


def _engine_of(path: Path) -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)
    sa.event.listen(engine, "begin", _begin)
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
    return connection


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("armlevel_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _in_sentences(place: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as exc:
        raise _sentence(place, str(exc.orig)) from exc
    except sqlite3.Error as exc:
        raise _sentence(place, str(exc)) from exc


def _sentence(place: str, said: str) -> StoreError:
    known: dict[str, tuple[str, str]] = {
        "readonly": (
            "the fleet store cannot be written, only read",
            "ask its owner, or name your own with --fleet",
        ),
        "full": ("the disk is full; nothing was written", "make room, and do it again"),
        "locked": (f"another writer did not end within {_PATIENCE} seconds", "do it again"),
        "not a database": ("is no fleet store", "name another file with --fleet"),
        "malformed": ("the fleet store is damaged", "put a backup in its place"),
        "unable to open": ("the fleet store cannot be opened", "is its directory there, and yours to write?"),
        "disk i/o": (
            "the fleet store cannot be read or written: the disk fails",
            "put a backup on another disk",
        ),
    }
    for sign, (sentence, hint) in known.items():
        if sign in said.lower():
            return StoreError(f"{place}: {sentence}", hint=hint)
    return StoreError(
        f"{place}: {' '.join(said.split())}", hint="armlevel fleet audit says whether it is whole"
    )
