"""Twenty processes write into one store: no event is lost or doubled, and one that is killed leaves nothing half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from armlevel.fleet import reading
from armlevel.fleet.audit import audit
from armlevel.fleet.database import make_store, open_store
from tests.repository.frame import ROOT

WRITER = """
import sys
from armlevel.fleet import writing
from armlevel.fleet.database import open_store
from armlevel.fleet.events import Entry
place, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = open_store(place)
for number in range(count):
    with store.writing() as connection:
        entries = [Entry(action="noted", subject=f"{name}:{number}", reason=side) for side in ("one", "two")]
        writing.append(connection, writing.new_request(name), entries)
    print(number, flush=True)
"""


def writer(place: str, name: str, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, place, name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def written(place: str) -> list[str]:
    with open_store(place).reading() as connection:
        events = list(reading.events(connection))
        found = audit(connection)
    assert (found.chain, found.contents) == ((), ())
    assert found.head.length == len(events)
    return [f"{one.entry.subject} {one.entry.reason}" for one in events]


@pytest.mark.slow
def test_twenty_writers_lose_and_double_nothing(place: str):
    make_store(place)
    writers = [writer(place, f"w{number}", 10) for number in range(20)]
    assert [one.communicate()[0].count("\n") for one in writers] == [10] * 20
    expected = sorted(f"w{w}:{n} {side}" for w in range(20) for n in range(10) for side in ("one", "two"))
    assert sorted(written(place)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("after", range(4))
def test_a_writer_that_is_killed_leaves_whole_transactions(place: str, after: int):
    make_store(place)
    one = writer(place, "w", 1000)
    assert one.stdout is not None
    for _ in range(after * 3 + 1):
        one.stdout.readline()
    one.send_signal(signal.SIGKILL)
    told = after * 3 + 1 + one.communicate()[0].count("\n")
    there = written(place)
    # Whatever it said was written is there; what it did not come to say is there whole, or not at all.
    assert len(there) in (2 * told, 2 * told + 2)
    assert there == [f"w:{n} {side}" for n in range(len(there) // 2) for side in ("one", "two")]
