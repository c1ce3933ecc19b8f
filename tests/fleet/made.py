"""A small store with a row in every table, and the dumps of such stores, one of each revision.

``python -m tests.fleet.made`` writes the dump of the newest revision where there is none: from then on every later
armlevel has to bring it up to date, whole. A dump that is there is never made anew.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from armlevel.documents import guest_object, pretty
from armlevel.fleet import reading
from armlevel.fleet.database import open_store
from armlevel.fleet.instances import Instance, report
from armlevel.fleet.tables import REVISION
from armlevel.fleet.values import PoolPolicy
from armlevel.fleet.writing import Request
from armlevel.operations.baseline import baseline
from armlevel.operations.fleet_accept import fleet_accept
from armlevel.operations.fleet_add import fleet_add
from armlevel.operations.fleet_forget import fleet_forget
from armlevel.operations.fleet_hosts import fleet_label, fleet_rename, fleet_retire
from armlevel.operations.fleet_init import fleet_init
from armlevel.operations.fleet_pools import fleet_pool_create, fleet_pool_edit
from armlevel.profile import Host, Made
from tests.cli.hosts import ISAR0, V1, host, write

DUMPS = Path(__file__).parent / "stores"


def make(place: str) -> None:
    """Make a store in which everything happened that can, from the first of November on."""
    with tempfile.TemporaryDirectory() as folder:
        for day, happen in enumerate((_first, _second, _third, _fourth), 1):
            at = datetime(2026, 11, day, tzinfo=UTC)
            with patch("armlevel.operations.fleet_store.new_request", lambda who, at=at: Request(who, at)):
                happen(place, Path(folder, str(day)), at)


def _add(place: str, folder: Path, at: datetime, *hosts: Host, labels: tuple[str, ...] = ()) -> None:
    folder.mkdir()
    made = Made("armlevel", at=at.isoformat())
    fleet_add(write(folder, *(replace(one, made=made) for one in hosts)), place, labels=labels, actor="ann")


def _first(place: str, folder: Path, at: datetime) -> None:
    fleet_init(place, actor="ann")
    hosts = host("n1"), host("n2"), host("n3", limits={"ID_AA64ISAR0_EL1": ISAR0 | 1 << 52})
    _add(place, folder, at, *hosts, host("v1", cpu=V1), labels=("rack=r1", "a=b"))
    fleet_pool_create("web", PoolPolicy(("n[12]",)), place, actor="ann")
    fleet_pool_create("db", PoolPolicy(("n3",)), place, reason="another", actor="bob")
    fleet_accept("web", place, reason="the first", actor="bob")
    fleet_accept("db", place, reason="the first there", actor="ann")
    guests = [baseline([one]).guest for one in (hosts[0], hosts[2])]
    for number, guest in enumerate(guests):
        assert guest is not None
        file = folder / f"guest{number}.json"
        file.write_text(pretty(guest_object(replace(guest, name=f"guest{number}"))), encoding="utf-8")
        fleet_add([str(file)], place, actor="ann")


def _second(place: str, folder: Path, at: datetime) -> None:
    one = host("n1")
    _add(place, folder, at, replace(one, software=replace(one.software, vmms={"qemu": "11.1"})))
    _run(place, at, n1=("a", "b"), v1=("c",))
    fleet_retire("v1", place, reason="scrapped", actor="carl")
    fleet_label("n2", ["rack=r2"], place, remove=["a"], actor="ann")


def _third(place: str, folder: Path, at: datetime) -> None:
    _add(place, folder, at, host("n2", kernel="6.19.1"), host("v1", cpu=V1))
    _run(place, at, n1=("b", "d"))
    fleet_rename("n3", "m3", place, actor="ann")
    fleet_pool_edit("db", PoolPolicy(("n2",), silent_after=60), place, reason="n3 is m3", actor="bob")
    fleet_accept("db", place, reason="n2 instead", actor="bob")


def _fourth(place: str, folder: Path, at: datetime) -> None:
    fleet_retire("v1", place, reason="scrapped again", actor="carl")
    fleet_forget(["v1"], place, reason="law", actors=["carl"], actor="ann")
    _add(place, folder, at, host("n1"))


def _run(place: str, at: datetime, **running: tuple[str, ...]) -> None:
    # What hosts report of their guests; the first of each has a guest profile that is known.
    with open_store(place).writing() as connection:
        first = min(reading.guests(connection))
        found = [
            (
                reading.host_called(connection, name),
                [
                    Instance(one, None if number else first, "any" if number else "idregs")
                    for number, one in enumerate(some)
                ],
            )
            for name, some in running.items()
        ]
        report(connection, Request("ann", at), found, {})


def main() -> int:
    """Write the dump of the newest revision, where there is none."""
    target = DUMPS / f"{REVISION}.sql"
    if target.exists():
        print(f"{target.name} is there, and stays", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder, "fleet.db"))
        make(place)
        with contextlib.closing(sqlite3.connect(place)) as connection:
            target.write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
