"""Whatever is done to one row of a store is found against a head that was kept: each table, each column of it.

The list is made from the tables, so that a column that is new is tried as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.fleet import tables
from armlevel.fleet.audit import Audit, audit
from armlevel.fleet.database import Store, open_store
from armlevel.fleet.events import Head
from tests.fleet.made import make
from tests.fleet.server import new_places

TABLES = tables.METADATA.sorted_tables
COLUMNS = [(table, column) for table in TABLES for column in table.columns]

Kept = tuple[Store, Head]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Where stores are made; one is what tells most, and the other is as long again."""
    return new_places(request, tmp_path_factory)


@pytest.fixture(scope="module")
def kept(places: Callable[[], str]) -> Kept:
    """A store with a row in every table, and the head of its history."""
    place = places()
    make(place)
    store = open_store(place)
    with store.reading() as connection:
        found = audit(connection)
    assert (found.chain, found.contents) == ((), ())
    assert found.forgotten
    return store, found.head


@contextmanager
def at_large(store: Store) -> Iterator[Connection]:
    """Somebody who writes past armlevel, and whom no foreign key holds; nothing of it stays."""
    with store.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA foreign_keys=OFF")
        connection = connection.execution_options(armlevel_writes=True)  # noqa: PLW2901 (the same connection)
        with connection.begin() as transaction:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            yield connection
            transaction.rollback()


def other(column: sa.Column[Any], value: Any) -> Any:
    """Return another value, as long and of the type of the one that is there."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, int):
        return value + 1000
    if value is None:
        return 1 if isinstance(column.type, sa.Integer) else "0"
    return value[:-1] + ("0" if value[-1:] != "0" else "1")


def keyed(table: sa.Table, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == row[column.name] for column in table.primary_key))


def rows_of(connection: Connection, table: sa.Table) -> list[Any]:
    rows = list(connection.execute(sa.select(table).order_by(*table.primary_key)).mappings())
    assert rows, f"{table.name} has no row: nothing would be tried"
    return rows


def is_found(connection: Connection, head: Head) -> bool:
    found: Audit = audit(connection, head)
    return not found.whole


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t.name}.{c.name}" for t, c in COLUMNS])
def test_a_change_of_one_value_is_found(kept: Kept, table: sa.Table, column: sa.Column[Any]):
    store, head = kept
    tried = 0
    with at_large(store) as connection:
        rows = rows_of(connection, table)
        # The first, the last, and one where a value stands if it may be missing.
        with_value = [row for row in rows if row[column.name] is not None][:1]
        for row in {id(row): row for row in (rows[0], rows[-1], *with_value)}.values():
            there = row[column.name]
            ways = [other(column, there)] + ([None] if column.nullable and there is not None else [])
            for value in ways:
                with connection.begin_nested() as change:
                    connection.execute(sa.update(table).where(keyed(table, row)).values({column: value}))
                    assert is_found(connection, head), (row, value)
                    change.rollback()
                tried += 1
        assert not is_found(connection, head)
    assert tried


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t.name}.{c.name}" for t, c in COLUMNS])
def test_two_values_that_change_places_are_found(kept: Kept, table: sa.Table, column: sa.Column[Any]):
    store, head = kept
    with at_large(store) as connection:
        rows = rows_of(connection, table)
        pairs = [(one, two) for one, two in itertools.pairwise(rows) if one[column.name] != two[column.name]]
        for one, two in pairs[:2]:
            # By way of a third value that nobody has, for some have to be unique.
            spare: Any = {int: -1, bytes: b"spare"}.get(type(one[column.name] or two[column.name]), "spare")
            steps = [
                (one, spare),
                (two, one[column.name]),
                (one if not column.primary_key else {**one, column.name: spare}, two[column.name]),
            ]
            with connection.begin_nested() as change:
                with suppress(sa.exc.IntegrityError):  # what the database refuses cannot be done
                    for row, value in steps:
                        connection.execute(sa.update(table).where(keyed(table, row)).values({column: value}))
                    assert is_found(connection, head), (one, two)
                change.rollback()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_that_are_gone_are_found(kept: Kept, table: sa.Table):
    store, head = kept
    with at_large(store) as connection:
        rows = rows_of(connection, table)
        for gone in ([rows[0]], [rows[-1]], rows[len(rows) // 2 :], rows):
            with connection.begin_nested() as change:
                connection.execute(sa.delete(table).where(sa.or_(*(keyed(table, row) for row in gone))))
                assert is_found(connection, head), gone
                change.rollback()
        assert not is_found(connection, head)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_row_that_nobody_wrote_down_is_found(kept: Kept, table: sa.Table):
    store, head = kept
    with at_large(store) as connection:
        row = dict(rows_of(connection, table)[-1])
        for column in table.columns:
            if column.primary_key or column.unique or table.name in ("host", "pool"):
                row[column.name] = other(column, row[column.name])
        if table.name == "level":
            row["version"] += 100
        connection.execute(sa.insert(table).values(row))
        assert is_found(connection, head), row
