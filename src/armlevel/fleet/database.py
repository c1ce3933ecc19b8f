"""One store: its transactions, and whether what is there is one of ours. ``dialects`` is what differs by database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.errors import StoreError
from armlevel.fleet.dialects import Address, address_of, engine_of, in_sentences, log_beside, prepare_folder
from armlevel.fleet.sealing import seal
from armlevel.fleet.tables import REVISION
from armlevel.fleet.writing import Request, new_request

__all__ = [
    "Connection",
    "Store",
    "default_place",
    "is_there",
    "make_store",
    "open_any",
    "open_store",
    "shown_place",
    "state_folder",
]

_NONE_THERE = "armlevel fleet init makes one"


class Store:
    """An open fleet store; ``place`` is how a person names it, ``path`` its file, None of a database by URL."""

    def __init__(self, address: Address) -> None:
        self.engine, self.place, self.path = engine_of(address), address.place, address.path

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in one transaction: all of it sees the same."""
        with in_sentences(self.place), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction, as the only writer; whole, or not at all if anything fails."""
        with in_sentences(self.place), self.engine.connect() as connection:
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
    return str(state_folder(environment) / "fleet.db")


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return where what a person's armlevel remembers is kept.

    >>> str(state_folder({"XDG_STATE_HOME": "not/absolute", "HOME": "/home/ann"}))
    '/home/ann/.local/state/armlevel'
    """
    state = environment.get("XDG_STATE_HOME", "")
    # The specification of base directories: a path that is not absolute is to be ignored.
    folder = state if state.startswith("/") else str(Path(environment.get("HOME") or "~") / ".local/state")
    return Path(folder).expanduser() / "armlevel"


def shown_place(place: str) -> str:
    """Return where a store is, as it is shown: an address without its password."""
    return address_of(place).place


def is_there(place: str) -> bool:
    """Return whether anything is where a store is to be.

    Raises:
        StoreError: that cannot be said.

    """
    address = address_of(place)
    if address.path is not None:
        return address.path.is_symlink() or address.path.exists()
    with Store(address).reading() as connection:
        return _revision(connection) is not None


def open_any(place: str) -> tuple[Store, str]:
    """Open a store that is there, of whichever revision; return it with its revision.

    Raises:
        StoreError: there is none, or none of ours.

    """
    address = address_of(place)
    if address.path is not None:
        _hold_there(address.path, place)
    store = Store(address)
    with store.reading() as connection:
        found = _revision(connection)
    if found is None:
        raise StoreError(f"{store.place}: holds no fleet", hint=_NONE_THERE)
    return store, found


def open_store(place: str) -> Store:
    """Open a store that is there, of this revision.

    Raises:
        StoreError: there is none, or none of ours, or one of another revision.

    """
    store, found = open_any(place)
    if found != REVISION:
        raise StoreError(
            f"{store.place}: its tables are of revision {found[:40]}, and this armlevel knows {REVISION}",
            hint="armlevel fleet init brings an older store up to date; a newer one needs a newer armlevel",
        )
    return store


def make_store(place: str, request: Request | None = None) -> tuple[Store, str | None]:
    """Make a store, or bring an older one up to date; return it, and the revision that was there before.

    ``request`` is the one whose events prove what an older store could not

    Raises:
        StoreError: it cannot be made, or what is there is no store of ours.

    """
    address = address_of(place)
    prepare_folder(address)
    store = Store(address)
    with in_sentences(store.place):
        with store.reading() as connection:
            _hold_ours(connection, store.place)
            log_beside(connection)
        with store.writing() as connection:
            before = _revision(connection)
            _hold_ours(connection, store.place)
            if before != REVISION:
                _upgrade(connection, store.place, before)
                seal(connection, request or new_request("armlevel"))
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
            hint="name another one with --fleet",
        )


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
        raise StoreError(f"{place}: {(getattr(exc, 'strerror', None) or str(exc)).lower()}") from exc
    if not size:
        raise StoreError(f"{place}: is empty, and no fleet store", hint=_NONE_THERE)
