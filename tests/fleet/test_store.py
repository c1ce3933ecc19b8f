"""The store as a file: made, brought up to date, read only, full, damaged, and not ours."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from armlevel.errors import StoreError, UsageError
from armlevel.fleet import tables, writing
from armlevel.fleet.database import make_store, open_store
from armlevel.fleet.events import Entry


@pytest.fixture
def place(tmp_path: Path) -> str:
    made = str(tmp_path / "fleet.db")
    make_store(made)
    return made


def entries(count: int) -> list[Entry]:
    return [Entry(action="host-seen", subject=f"host:{number}") for number in range(count)]


def write(place: str, count: int = 1) -> None:
    with open_store(place).writing() as connection:
        writing.append(connection, writing.new_request("ann"), entries(count))


def length(place: str) -> int:
    with open_store(place).reading() as connection:
        return writing.head(connection).length


def test_the_migrations_give_the_tables(place: str):
    with open_store(place).reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.METADATA) == []
        assert sa.inspect(connection).get_unique_constraints("level")


def test_a_store_is_its_owners_alone_and_making_it_again_changes_nothing(place: str):
    assert Path(place).stat().st_mode & 0o077 == 0
    write(place)
    assert make_store(place)[1] == tables.REVISION
    assert length(place) == 1


def test_what_fails_in_the_middle_leaves_nothing(place: str):
    write(place, 3)

    def fail() -> None:
        with open_store(place).writing() as connection:
            writing.append(connection, writing.new_request("ann"), entries(2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert length(place) == 3


def test_a_row_that_leads_nowhere_is_refused(place: str):
    with pytest.raises(StoreError, match="FOREIGN KEY"), open_store(place).writing() as connection:
        connection.execute(sa.insert(tables.level).values(
            id="1", pool="none", version=1, digest="", cpu="", data=b"", inputs=b"", policy="", catalogue="",
            engine="", event=1,
        ))  # fmt: skip


def test_a_full_disk_is_a_sentence_and_nothing_is_half_written(place: str):
    write(place, 3)
    store = open_store(place)

    def small(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # no more pages than there are

    sa.event.listen(store.engine, "connect", small)
    with (
        pytest.raises(StoreError, match="the disk is full; nothing was written"),
        store.writing() as connection,
    ):
        writing.append(connection, writing.new_request("ann"), entries(2000))
    assert length(place) == 3


def test_a_store_that_may_only_be_read_is_read_and_says_so_when_written(place: str, monkeypatch):
    write(place, 2)
    # Whoever runs the tests may be root, who may write everything.
    monkeypatch.setattr("armlevel.fleet.dialects.os.access", lambda *_: False)
    assert length(place) == 2
    with pytest.raises(StoreError, match="cannot be written, only read"):
        write(place)
    assert length(place) == 2


def test_what_is_no_store_is_told_apart(tmp_path: Path):
    with pytest.raises(StoreError, match="there is no fleet store; armlevel fleet init makes one"):
        open_store(str(tmp_path / "none.db"))
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty, and no fleet store"):
        open_store(str(tmp_path / "empty.db"))
    (tmp_path / "text.db").write_text("no database at all, but a text that is long enough to be one\n" * 20)
    for way in (open_store, make_store):
        with pytest.raises(StoreError, match="is no fleet store"):
            way(str(tmp_path / "text.db"))
    with pytest.raises(StoreError, match="is a directory"):
        open_store(str(tmp_path))
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE songs (name)")
    for way in (open_store, make_store):
        with pytest.raises(StoreError, match=r"no fleet|other tables .songs"):
            way(str(tmp_path / "other.db"))
    with pytest.raises(UsageError, match="a fleet store is a file"):
        open_store("https://example.org/fleet")
    with pytest.raises(StoreError, match=r"not a directory|no such file|file exists"):
        make_store(str(tmp_path / "text.db" / "fleet.db"))


def test_a_store_of_another_revision_is_left_alone(place: str):
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="of revision 9999, and this armlevel knows"):
        open_store(place)
    with pytest.raises(StoreError, match="of revision 9999, which this armlevel does not know"):
        make_store(place)


def test_a_damaged_file_is_a_sentence(place: str):
    write(place, 500)
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = Path(place).read_bytes()
    Path(place).write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    with pytest.raises(StoreError):
        write(place)
