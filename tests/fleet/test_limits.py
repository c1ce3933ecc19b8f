"""A disk that is full, a store that cannot be written: a sentence, no event lost or doubled, and the chain proves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from armlevel.fleet import reading
from armlevel.fleet.audit import audit
from armlevel.fleet.database import make_store, open_store
from tests.repository.frame import ROOT

#: Writes until it cannot, and says how many transactions were told to be there, then what it was told.
WRITER = """
import resource, signal, sys
from armlevel.errors import StoreError
from armlevel.fleet import writing
from armlevel.fleet.database import open_store
from armlevel.fleet.events import Entry
place, most, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = open_store(place)
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
done = 0
try:
    for number in range(most):
        with store.writing() as connection:
            entries = [Entry(action="noted", subject=f"w:{number}", reason=side * 2000) for side in "ab"]
            writing.append(connection, writing.new_request("w"), entries)
        done += 1
    told = "nothing"
except StoreError as exc:
    told = exc.message
print(done, told)
"""


def write(place: str, *, most: int = 400, limit: int = 0, before: tuple[str, ...] = ()) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    command = [*before, sys.executable, "-c", WRITER, place, str(most), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    count, _, told = done.stdout.strip().partition(" ")
    return int(count), told


def held(place: str) -> int:
    """Return how many transactions are there: each whole, in order, in a chain that proves."""
    with open_store(place).reading() as connection:
        said = [(one.entry.subject, (one.entry.reason or "")[:1]) for one in reading.events(connection)]
        assert audit(connection).whole
    count = len(said) // 2
    assert len(said) == 2 * count
    return count


def test_no_event_is_lost_or_doubled_where_files_may_not_grow(tmp_path: Path):
    place = str(tmp_path / "fleet.db")
    make_store(place)
    done, told = write(place, limit=400_000)
    assert 0 < done < 400
    assert "the fleet store cannot be read or written" in told or "the disk is full" in told
    assert held(place) == done
    # With room again it goes on.
    assert write(place, most=2) == (2, "nothing")
    assert held(place) == done + 2


def mounted(before: str, after: str = "true") -> tuple[str, ...]:
    """Return the beginning of a command that sees mounts of its own; skips where none can be made."""
    script = f'{before}\n"$@"\n{after}'
    command = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh")
    try:
        tried = subprocess.run([*command, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if tried.returncode:
        pytest.skip(f"no mounts of one's own here: {tried.stderr.strip()[:80]}")
    return command


@pytest.mark.slow
def test_no_event_is_lost_or_doubled_on_a_disk_that_is_full(tmp_path: Path):
    small, kept = tmp_path / "small", tmp_path / "kept"
    small.mkdir()
    kept.mkdir()
    place = str(small / "fleet.db")
    make_store(place)
    for file in small.iterdir():
        file.rename(kept / file.name)
    mount = f"mount -t tmpfs -o size=600k none {small}\ncp {kept}/* {small}/"
    done, told = write(place, before=mounted(mount, after=f"cp {small}/* {kept}/"))
    assert 0 < done < 400
    assert "the disk is full; nothing was written" in told or "cannot be read or written" in told
    assert held(str(kept / "fleet.db")) == done


def test_a_store_on_a_disk_that_cannot_be_written_is_read_and_says_so(tmp_path: Path):
    folder = tmp_path / "store"
    place = str(folder / "fleet.db")
    make_store(place)
    assert write(place, most=3) == (3, "nothing")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    command = mounted(f"mount --bind {folder} {folder}\nmount -o remount,ro,bind {folder}")
    done, told = write(place, before=command)
    assert done == 0
    assert "cannot be written, only read" in told
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert held(place) == 3
