"""A fleet in PostgreSQL: what goes wrong there in a sentence, and how a fleet moves there and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from armlevel.errors import StoreError, UsageError
from armlevel.fleet import tables, writing
from armlevel.fleet.audit import audit
from armlevel.fleet.database import make_store, open_store
from armlevel.fleet.events import Entry, Head
from armlevel.operations.fleet_backup import fleet_backup
from armlevel.operations.fleet_list import fleet_list
from armlevel.operations.fleet_restore import fleet_restore
from tests.fleet.made import make
from tests.fleet.server import create_database

psycopg = pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def new(server: str) -> Callable[[str], str]:
    """Return the URL of an empty database of a name."""
    return lambda name: create_database(server, name)


def write(place: str, count: int = 1) -> None:
    with open_store(place).writing() as connection:
        entries = [Entry(action="noted", subject=f"x:{number}") for number in range(count)]
        writing.append(connection, writing.new_request("ann"), entries)


def head(place: str) -> Head:
    with open_store(place).reading() as connection:
        found = audit(connection)
    assert (found.chain, found.contents) == ((), ())
    return found.head


def test_a_fleet_moves_to_a_server_and_back(new: Callable[[str], str], tmp_path: Path):
    there, back = new("moved"), str(tmp_path / "back.db")
    first = str(tmp_path / "first.db")
    make(first)
    listed = fleet_list(first).document()
    fleet_backup(str(tmp_path / "one.db"), first)
    moved = fleet_restore(str(tmp_path / "one.db"), there)
    assert (moved.restored, moved.hosts) == (True, 3)
    assert fleet_list(there).document() == listed
    assert head(there).length == head(first).length + 1  # that it was restored
    fleet_backup(str(tmp_path / "two.db"), there)
    assert fleet_restore(str(tmp_path / "two.db"), back).restored
    assert fleet_list(back).document() == listed
    # Where a fleet is, it is replaced only when that is said, and is kept.
    with pytest.raises(UsageError, match="--replace FILE keeps that one"):
        fleet_restore(str(tmp_path / "one.db"), there)
    before = head(there)
    replaced = fleet_restore(str(tmp_path / "one.db"), there, replace=str(tmp_path / "kept.db"))
    assert replaced.replaced == before
    assert head(str(tmp_path / "kept.db")) == before
    assert fleet_list(there).document() == listed


def test_who_may_only_read_reads_and_is_told_so_when_it_writes(new: Callable[[str], str], server: str):
    place = new("mine")
    make_store(place)
    write(place, 2)
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    theirs = place.replace("postgres@", "reader@")
    assert head(theirs).length == 2
    with pytest.raises(StoreError, match="this user may not do that"):
        write(theirs)
    assert head(place).length == 2


def test_a_connection_that_is_ended_in_the_middle_leaves_nothing(new: Callable[[str], str]):
    place = new("ended")
    make_store(place)
    write(place, 2)

    def ended() -> None:
        with open_store(place).writing() as connection:
            writing.append(connection, writing.new_request("ann"), [Entry(action="noted", subject="x:9")])
            number = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
            with psycopg.connect(place, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (number,))
            connection.execute(sa.select(tables.event.c.seq)).all()

    with pytest.raises(StoreError, match=r"was stopped, or ended the connection|cannot be reached"):
        ended()
    assert head(place).length == 2


def test_what_is_no_store_is_a_sentence(new: Callable[[str], str], server: str, tmp_path: Path):
    with pytest.raises(StoreError, match="there is no such database; createdb makes one"):
        make_store(server.replace("@/?", "@/none?"))
    with pytest.raises(StoreError, match="cannot be reached"):
        open_store(f"postgresql://ann:secret@/x?host={tmp_path}")
    with pytest.raises(StoreError, match="holds no fleet"):
        open_store(new("empty"))
    place = new("other")
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute("CREATE TABLE songs (name text)")
    with pytest.raises(StoreError, match=r"other tables .songs"):
        make_store(place)


def test_a_password_is_shown_nowhere(tmp_path: Path):
    with pytest.raises(StoreError) as caught:
        open_store(f"postgresql://ann:secret@/x?host={tmp_path}")
    assert "secret" not in str(caught.value)
    for wrong in ("postgresql://a:secret@[::1/x", "mysql://a:secret@b/c", "postgresql://a:secret@h:port/x"):
        with pytest.raises((UsageError, StoreError)) as refused:
            open_store(wrong)
        assert "secret" not in str(refused.value)
