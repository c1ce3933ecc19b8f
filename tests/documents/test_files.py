"""Files are replaced whole or not at all."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import random
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from armlevel.documents import read_file, replace_file
from armlevel.documents.replace import create_file
from armlevel.errors import UsageError

ROOT = Path(__file__).parents[2]
KILLS = Path(__file__).with_name("kills.py")


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path):
    target = tmp_path / "a.json"
    target.write_text("old")
    target.chmod(0o640)
    replace_file(str(target), "new\n")
    assert target.read_text() == "new\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_has_the_mode_that_others_have(tmp_path):
    target = tmp_path / "a.json"
    replace_file(str(target), "new")
    other = tmp_path / "b"
    other.write_text("")
    assert target.stat().st_mode == other.stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    replace_file(str(tmp_path / "link"), "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    target = tmp_path / "a.json"
    target.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"a\.json: cannot be written: No space left on device"):
        replace_file(str(target), "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_directory_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        replace_file(str(tmp_path / "no" / "a.json"), "new")


def test_a_pipe_is_read_and_written(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if (child := os.fork()) == 0:
        replace_file(str(pipe), "through")
        os._exit(0)
    assert read_file(str(pipe)) == b"through"
    os.waitpid(child, 0)


_WRITES = """
import os, sys
from armlevel.documents.replace import replace_file
if sys.argv[2] == "named":
    del os.O_TMPFILE
texts = [letter * 300_000 + "\\n" for letter in "ab"]
print("ready", flush=True)
while True:
    for text in texts:
        replace_file(sys.argv[1], text)
"""


@pytest.mark.parametrize("way", ["nameless", "named"])
def test_a_writer_killed_at_any_point_leaves_an_old_or_a_new_file(tmp_path, way):
    target = tmp_path / "a.json"
    replace_file(str(target), "a" * 300_000 + "\n")
    chance = random.Random(20261123)
    for _ in range(25):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITES, str(target), way], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.01))
            writer.kill()
        text = target.read_text(encoding="ascii")
        assert (len(text), set(text[:-1])) in ((300_001, {"a"}), (300_001, {"b"}))
    # At most the one name beside it, and the next write takes that away.
    assert {file.name for file in tmp_path.iterdir()} <= {"a.json", ".armlevel-a.json"}
    replace_file(str(target), "new")
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_two_that_write_the_same_file_take_turns(tmp_path):
    target = tmp_path / "a.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: replace_file(str(target), f"{n}\n" * 1000), range(40)))
    assert len(set(target.read_text(encoding="ascii").split())) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("way", "count"),
    [
        *((way, 250) for way in ("replace", "new", "frozen", "named")),
        ("verb", 40),
        *(
            pytest.param(way, 1000, marks=pytest.mark.slow)
            for way in ("replace", "new", "frozen", "named", "verb")
        ),
    ],
)
def test_a_writer_killed_at_random_leaves_input_and_output_whole(tmp_path, way, count, tell):
    done = subprocess.run(
        [sys.executable, KILLS, way, str(count), tmp_path],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    assert done.returncode == 0, done.stderr
    left = json.loads(done.stdout)
    assert left["as before"] + left["written"] == count
    assert min(left["as before"], left["written"]) > 0, "kills came all too early or all too late"
    tell(f"{count} writers killed ({way}): " + ", ".join(f"{what} {times}" for what, times in left.items()))


def test_nobody_holds_a_writer_up(tmp_path):
    # A lock on the directory, on the file, and on the name beside it: by a process that never lets go.
    target = tmp_path / "a.json"
    target.write_text("old")
    beside = tmp_path / ".armlevel-a.json"
    beside.write_text("somebody writes this")
    holders = [os.open(path, os.O_RDONLY) for path in (tmp_path, target, beside)]
    for holder in holders:
        fcntl.flock(holder, fcntl.LOCK_EX)
    writer = multiprocessing.get_context("spawn").Process(target=replace_file, args=(str(target), "new"))
    writer.start()
    writer.join(300)
    assert writer.exitcode == 0
    assert target.read_text() == "new"
    assert beside.read_text() == "somebody writes this"
    for holder in holders:
        os.close(holder)
    replace_file(str(target), "newer")
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"], "what nobody holds is cleared"


@pytest.mark.parametrize("way", ["nameless", "named"])
def test_a_rename_that_fails_leaves_nothing_beside_the_file(tmp_path, monkeypatch, way):
    target = tmp_path / "a.json"
    target.write_text("old")
    if way == "named":
        monkeypatch.delattr(os, "O_TMPFILE")

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(UsageError, match="cannot be written: Operation not permitted"):
        replace_file(str(target), "new")
    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])


def test_what_runs_as_somebody_else_does_so_no_more(tmp_path):
    target = tmp_path / "a"
    target.write_text("old")
    target.chmod(0o6755)
    replace_file(str(target), "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_stays_whose_it_was(tmp_path):
    target = tmp_path / "a"
    target.write_text("old")
    os.chown(target, 65534, 65534)
    target.chmod(0o600)
    replace_file(str(target), "new")
    status = target.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 65534, 0o600)


@pytest.mark.parametrize("same_user", [True, False])
def test_what_cannot_stay_whose_it_was_is_kept_or_shown_to_nobody_else(tmp_path, monkeypatch, same_user):
    target = tmp_path / "a"
    target.write_text("old")
    target.chmod(0o660)
    real = os.fstat

    def other(handle: int) -> os.stat_result:
        status = list(real(handle))
        status[stat.ST_GID] += 1
        status[stat.ST_UID] += 0 if same_user else 1
        return os.stat_result(status)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("armlevel.documents.replace.os.fstat", other)
    monkeypatch.setattr("armlevel.documents.replace.os.fchown", refused)
    if same_user:
        replace_file(str(target), "new")
        assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", 0o600)
    else:
        with pytest.raises(UsageError, match="and a new file would be yours"):
            replace_file(str(target), "new")
        assert target.read_text() == "old"


def test_a_file_is_made_once(tmp_path):
    target = tmp_path / "a"
    assert create_file(str(target), "one")
    assert not create_file(str(target), "one")
    with pytest.raises(UsageError, match="a file with other content is there"):
        create_file(str(target), "two")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(UsageError, match="a file with other content is there"):
        create_file(str(tmp_path / "link"), "two")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda n: _made(tmp_path / "b", str(n)), range(40)))
    assert done.count(True) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "b", "link"]


def _made(target: Path, text: str) -> bool:
    try:
        return create_file(str(target), text)
    except UsageError:
        return False
