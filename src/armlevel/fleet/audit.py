"""Whether a store is what its history says: the chain, every row against its events, every content against its digest.

Rows are read as they are, not as values: what is damaged is a fault that is told, not an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from armlevel.documents.frozen import read_frozen
from armlevel.documents.maps import ValuePool
from armlevel.documents.read import new_pool
from armlevel.documents.write import digest
from armlevel.errors import ArmlevelError
from armlevel.fleet import reading, tables
from armlevel.fleet.contents import content_digest, host_from, parts_of, unpacked
from armlevel.fleet.events import ChainFault, Event, Head, chain_faults
from armlevel.fleet.proving import HEARD, RUNNING, Row, heard_state, running_state, stands_for, state_of
from armlevel.fleet.values import PoolPolicy
from armlevel.fleet.writing import kind_row

__all__ = ["Audit", "ContentFault", "ContentFaultKind", "audit"]

#: ``content``: not what its digest says; ``no-event``: a row that no event tells of; ``no-row``: an event whose row is
#: gone; ``other-row``: the row says something else than its event; ``forgotten``: it is there, and an event says that
#: it was forgotten.
ContentFaultKind = Literal["content", "no-event", "no-row", "other-row", "forgotten"]

#: The events that make a row each, by table: the action, and the column that ``after`` says.
_MAKE = {
    "observation": ("host-seen", "host:{host}", "kind"),
    "level": ("level-accepted", "pool:{pool}", "digest"),
    "guest": ("guest-added", "guest:{digest}", "digest"),
}

#: What an event says of the row of its object, by action; the last of them counts.
_SAY: Mapping[str, Callable[[Row], Any]] = {
    "pool-created": lambda row: PoolPolicy.read(row["policy"]).digest,
    "pool-edited": lambda row: PoolPolicy.read(row["policy"]).digest,
    "host-retired": lambda row: row["retired_at"],
    "host-returned": lambda row: row["retired_at"],
}

#: Actions after which nothing of the object may be there any more.
FORGOTTEN = ("host-forgotten", "guest-forgotten", "actor-forgotten")


@dataclass(frozen=True, slots=True)
class ContentFault:
    """What is wrong with a row: which table, which row (its digest, id or number)."""

    kind: ContentFaultKind
    table: str
    row: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What holding a store against its history gives; ``forgotten`` are objects whose contents went, by their event."""

    head: Head
    chain: tuple[ChainFault, ...]
    contents: tuple[ContentFault, ...]
    forgotten: Mapping[str, int]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.chain and not self.contents


@dataclass(frozen=True, slots=True)
class _Store:
    """Every row as it is, by table, and the events."""

    rows: Mapping[str, Sequence[Row]]
    events: Sequence[Event]
    forgotten: Mapping[str, int]

    def by(self, table: str, column: str) -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = {}
        for row in self.rows[table]:
            found.setdefault(row[column], []).append(row)
        return found


def audit(connection: Connection, kept: Head | None = None) -> Audit:
    """Hold a store against its history, and the history against a head that was kept elsewhere."""
    events = list(reading.events(connection))
    head, faults = chain_faults(events, kept)
    rows = {
        table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for table in tables.METADATA.sorted_tables
        if table.name != "event"
    }
    forgotten = {one.entry.subject: one.seq for one in events if one.entry.action in FORGOTTEN}
    store = _Store(rows, events, forgotten)
    judges = (_contents, _references, _made, _said, _states, _heard, _running, _actors)
    contents = dict.fromkeys(fault for judge in judges for fault in judge(store))
    return Audit(head, faults, tuple(contents), forgotten)


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (ArmlevelError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _contents(store: _Store) -> Iterator[ContentFault]:
    pool = new_pool()
    for table, row, check in _checks(store, pool):
        if not _holds(check):
            yield ContentFault("content", table, str(row))


def _checks(store: _Store, pool: ValuePool) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    views, bodies = ({row["digest"]: row for row in store.rows[table]} for table in ("view", "evidence"))
    of_view = store.by("kind", "view")
    for row in store.rows["evidence"]:
        yield "evidence", row["digest"], partial(_is_evidence, row)
    for name in views.keys() - of_view.keys():
        yield "view", name, bool  # no kind says what it is of
    for row in store.rows["kind"]:
        yield "kind", row["digest"], partial(_is_kind, row, views, bodies, pool)
    for row in store.rows["guest"]:
        yield "guest", row["digest"], partial(_is_guest, row)
    for row in store.rows["level"]:
        yield "level", row["id"], partial(_is_level, row, pool)


def _is_evidence(row: Row) -> bool:
    return bool(content_digest("evidence", unpacked(row["body"])) == row["digest"])


def _is_guest(row: Row) -> bool:
    body = unpacked(row["body"])
    return bool(digest(body) == row["digest"] and body["name"] == row["name"])


def _is_level(row: Row, pool: ValuePool) -> bool:
    return bool(read_frozen(row["data"], "", pool).digest == row["digest"])


def _is_kind(row: Row, views: Mapping[str, Row], bodies: Mapping[str, Row], pool: ValuePool) -> bool:
    # All columns are what the content gives.
    offers, body = unpacked(views[row["view"]]["offers"]), unpacked(bodies[row["evidence"]]["body"])
    return kind_row(parts_of(host_from("host", body, offers, pool))) == dict(row)


def _references(store: _Store) -> Iterator[ContentFault]:
    # A database that somebody else wrote need not have held them.
    keys: dict[str, set[Any]] = {}
    for table in tables.METADATA.sorted_tables:
        for foreign in table.foreign_keys if table.name != "event" else ():
            there = keys.setdefault(foreign.target_fullname, _keys(store, foreign.target_fullname))
            for row in store.rows[table.name]:
                if row[foreign.parent.name] is not None and row[foreign.parent.name] not in there:
                    name = foreign.column.table.name
                    yield ContentFault("no-row", name, str(row[foreign.parent.name]))


def _keys(store: _Store, target: str) -> set[Any]:
    table, _, column = target.partition(".")
    if table == "event":
        return {event.seq for event in store.events}
    return {row[column] for row in store.rows[table]}


def _made(store: _Store) -> Iterator[ContentFault]:
    # Rows and the events that made them, one by one.
    for table, (action, subject, column) in _MAKE.items():
        told = {one.seq: one for one in store.events if one.entry.action == action}
        rows = store.by(table, "event")
        for seq, some in rows.items():
            event = told.get(seq)
            if event is None:
                yield ContentFault("no-event", table, str(seq))
                continue
            said = [(subject.format_map(row), row[column]) for row in some]
            if said != [(event.entry.subject, event.entry.after)]:
                yield ContentFault("other-row", table, str(seq))
        for seq in told.keys() - rows.keys():
            if not _is_forgotten(store, told[seq]):
                yield ContentFault("no-row", table, str(seq))


def _is_forgotten(store: _Store, event: Event) -> bool:
    return event.seq < store.forgotten.get(event.entry.subject, 0)


def _place(row: Row) -> str:
    return str(row["event"]).zfill(20)


def _objects(store: _Store) -> dict[str, tuple[str, dict[str, Sequence[Row]]]]:
    # The rows of each object, as its events prove them.
    noted, seen, levels = (
        store.by("observed_evidence", "observation"),
        store.by("observation", "host"),
        store.by("level", "pool"),
    )
    found: dict[str, tuple[str, dict[str, Sequence[Row]]]] = {}
    for row in store.rows["host"]:
        own = sorted(seen.get(row["id"], ()), key=_place)
        lines = [
            line for one in own for line in sorted(noted.get(one["id"], ()), key=lambda o: str(o["since"]))
        ]
        found[f"host:{row['id']}"] = "host", {"host": [row], "observation": own, "observed_evidence": lines}
    for row in store.rows["pool"]:
        own = sorted(levels.get(row["id"], ()), key=_place)
        found[f"pool:{row['id']}"] = "pool", {"pool": [row], "level": own}
    return found


def _said(store: _Store) -> Iterator[ContentFault]:
    last = {one.entry.subject: one.entry for one in store.events if one.entry.action in _SAY}
    objects = _objects(store)
    for name, entry in last.items():
        if (found := objects.get(name)) is None:
            continue
        table, rows = found
        if not _holds(lambda: bool(_SAY[entry.action](rows[table][0]) == entry.after)):  # noqa: B023 (asked at once)
            yield ContentFault("other-row", table, name)
    for name, (table, rows) in objects.items():
        if table == "host" and rows["host"][0]["retired_at"] is not None and name not in last:
            yield ContentFault("no-event", table, name)


def _states(store: _Store) -> Iterator[ContentFault]:
    # Each object, all rows and columns of it, against the last event that says what it is.
    proved: dict[str, str | None] = {}
    for event in store.events:
        if event.entry.subject.partition(":")[0] in ("host", "pool"):
            name = event.entry.subject
            proved[name] = event.entry.state or proved.get(name)
    objects = _objects(store)
    for name, (table, rows) in objects.items():
        if name not in proved:
            yield ContentFault("no-event", table, name)
        elif name in store.forgotten:
            yield ContentFault("forgotten", table, name)
        elif not _holds(lambda: state_of(rows) == proved[name]):  # noqa: B023 (asked at once)
            yield ContentFault("other-row", table, name)
    for name in proved.keys() - objects.keys() - store.forgotten.keys():
        yield ContentFault("no-row", name.partition(":")[0], name)


def _heard(store: _Store) -> Iterator[ContentFault]:
    last = next((one for one in reversed(store.events) if one.entry.subject == HEARD), None)
    if last is None and not store.rows["observation"]:
        return
    seen = [(row["id"], row["last_seen"]) for row in store.rows["observation"]]
    noted = [(row["observation"], row["since"], row["until"]) for row in store.rows["observed_evidence"]]
    if last is None or not _holds(lambda: heard_state(seen, noted) == last.entry.state):
        yield ContentFault("other-row", "observation", "last_seen")


def _running(store: _Store) -> Iterator[ContentFault]:
    rows = store.rows["instance"]
    last = next((one for one in reversed(store.events) if one.entry.subject == RUNNING), None)
    if last is None and not rows:
        return
    if last is None or not _holds(lambda: running_state(rows) == last.entry.state):
        yield ContentFault("other-row", "instance", "of any host")


def _actors(store: _Store) -> Iterator[ContentFault]:
    # An id stands for its name; those of the first stores (without salt) by the event that says so.
    there = {row["id"]: row for row in store.rows["actor"]}
    proved = {one.entry.subject: one.entry.state for one in store.events if one.entry.action == "actor-named"}
    for name, row in there.items():
        subject = f"actor:{name}"
        if row["name"] is None:
            good = subject in store.forgotten and row["salt"] is None
        elif subject in store.forgotten:
            yield ContentFault("forgotten", "actor", name)
            continue
        elif row["salt"] is None:
            good = _holds(partial(_is_named, row, proved.get(subject)))
        else:
            good = _holds(partial(stands_for, name, row["name"], row["salt"]))
        if not good:
            yield ContentFault("other-row", "actor", name)
    for name in dict.fromkeys(one.actor for one in store.events):
        if name not in there:
            yield ContentFault("no-row", "actor", name)


def _is_named(row: Row, proved: str | None) -> bool:
    return state_of({"actor": [row]}) == proved
