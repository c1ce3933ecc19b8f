"""Stores of every earlier revision, with data, come to the newest one: whole, proved, with all they knew."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import armlevel.fleet
from armlevel.errors import StoreError
from armlevel.fleet import reading, tables
from armlevel.fleet.audit import audit
from armlevel.fleet.database import make_store, open_store
from armlevel.fleet.events import chain_faults, read_head
from armlevel.operations.fleet_add import fleet_add
from armlevel.operations.fleet_level import fleet_level
from armlevel.operations.fleet_restore import fleet_restore
from armlevel.operations.fleet_why import fleet_why
from tests.cli.hosts import host, write
from tests.fleet.made import DUMPS


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(Path(armlevel.fleet.__file__).parent / "migrations"))
    return [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]


def dumped(revision: str, place: Path) -> str:
    text = (DUMPS / f"{revision}.sql").read_text(encoding="utf-8")
    with contextlib.closing(sqlite3.connect(place)) as connection:
        connection.executescript(text)
    return str(place)


def facts(place: str) -> dict[str, list[tuple[object, ...]]]:
    """What a store of any revision knows, by the columns that every one has."""
    wanted = {
        "event": "seq, at, actor, request, action, object, before, after, reason, previous, digest",
        "observation": "id, host, kind, first_seen, last_seen, event",
        "observed_evidence": "observation, since, until, evidence, document",
        "level": "id, pool, version, digest, cpu, data, event",
        "guest": "digest, name, body, event",
        "host": "id, name, retired_at",
        "kind": "digest, view, evidence, midrs, kernel",
        "actor": "id, name",
    }
    with contextlib.closing(sqlite3.connect(place)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}"), key=repr)  # noqa: S608
            for table, columns in wanted.items()
        }


def test_each_revision_has_a_store_with_data():
    every = revisions()
    assert every[0] == tables.REVISION
    assert sorted(path.stem for path in DUMPS.glob("*.sql")) == sorted(every), "python -m tests.fleet.made"


@pytest.mark.parametrize("revision", revisions())
def test_a_store_comes_up_to_date_whole_and_with_all_it_knew(tmp_path: Path, revision: str):
    place = dumped(revision, tmp_path / "fleet.db")
    before = facts(place)
    assert all(before.values())
    if revision != tables.REVISION:
        with pytest.raises(StoreError, match="armlevel fleet init brings an older store up to date"):
            open_store(place)
    store, was = make_store(place)
    assert was == revision
    after = facts(place)
    for table, rows in before.items():
        if table in ("event", "actor"):  # what proves it from here on comes behind
            assert set(rows) <= set(after[table])
        else:
            assert after[table] == rows, table
    with store.reading() as connection:
        found = audit(connection, read_head(head_of(before["event"])))
        assert (found.chain, found.contents) == ((), ())
        assert chain_faults(reading.events(connection))[1] == ()
    # It answers, and goes on.
    assert fleet_level("web", place).in_force is not None
    assert fleet_why("web", place).document()["pool"] == "web"
    (tmp_path / "in").mkdir()
    assert fleet_add(write(tmp_path / "in", host("new")), place).hosts[0].state == "new"
    with store.reading() as connection:
        assert audit(connection).whole


def head_of(events: list[tuple[object, ...]]) -> str:
    last = max(events, key=lambda row: int(str(row[0])))
    return f"armlevel-fleet {last[0]} {last[-1]}"


@pytest.mark.parametrize("revision", revisions())
def test_a_backup_of_an_earlier_revision_is_restored_and_stays_what_it_is(tmp_path: Path, revision: str):
    backup = dumped(revision, tmp_path / "backup.db")
    before = Path(backup).read_bytes()
    place = str(tmp_path / "fleet.db")
    assert fleet_restore(backup, place).restored
    assert Path(backup).read_bytes() == before
    with open_store(place).reading() as connection:
        assert audit(connection).whole
