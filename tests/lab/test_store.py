"""What the lab keeps on disk."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.errors import LabError
from armlevel.lab.store import Store, content_key, default_root

FORK = multiprocessing.get_context("spawn")
_LAST_STOP = 300  # seconds against hanging


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_other_parts_give_another_key(one, other):
    assert (content_key(*one) == content_key(*other)) == (one == other)


def test_a_relative_cache_home_is_ignored():
    assert default_root({"XDG_CACHE_HOME": "here", "HOME": "/home/a"}) == Path("/home/a/.cache/armlevel/lab")


def test_an_entry_is_made_once(tmp_path):
    made = []
    for _ in range(2):
        place = Store(tmp_path).entry(
            "kernels", "k", lambda place: made.append((place / "f").write_text("x"))
        )
    assert made == [1]
    assert (place / "f").read_text() == "x"


def test_what_fails_leaves_nothing(tmp_path):
    def fail(place):
        (place / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).entry("kernels", "k", fail)
    assert list((tmp_path / "kernels").iterdir()) == []


def _make_while_the_other_waits(root: str, waiting: Event) -> None:
    def make(place: Path) -> None:
        with (Path(root) / "log").open("a", encoding="utf-8") as log:
            log.write("made\n")
        assert waiting.wait(_LAST_STOP)
        (place / "f").write_text("whole", encoding="utf-8")

    store = Store(Path(root), lambda _what: waiting.set())
    assert (store.entry("kernels", "k", make) / "f").read_text(encoding="utf-8") == "whole"


def _die(root: str) -> None:
    def make(place: Path) -> None:
        (place / "half").write_text("x", encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)

    Store(Path(root)).entry("kernels", "k", make)


def test_two_runs_at_once_make_it_once(tmp_path):
    waiting = FORK.Event()
    runs = [FORK.Process(target=_make_while_the_other_waits, args=(str(tmp_path), waiting)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(_LAST_STOP)
    assert [run.exitcode for run in runs] == [0, 0]
    assert (tmp_path / "log").read_text() == "made\n"


def test_a_killed_run_is_no_obstacle(tmp_path):
    run = FORK.Process(target=_die, args=(str(tmp_path),))
    run.start()
    run.join(_LAST_STOP)
    assert run.exitcode == -signal.SIGKILL
    place = Store(tmp_path).entry("kernels", "k", lambda place: (place / "f").touch())
    assert [file.name for file in place.iterdir()] == ["f"]


def test_a_damaged_memory_is_no_memory(tmp_path):
    store = Store(tmp_path)
    store.remember("found", "q", {"a": 1})
    assert store.recall("found", "q") == {"a": 1}
    store.path("found", "q.json").write_text("{", encoding="utf-8")
    assert store.recall("found", "q") is None


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o703])
@pytest.mark.parametrize("which", ["armlevel", "armlevel/lab"])
def test_a_cache_that_others_may_write_is_not_used(tmp_path, mode, which):
    root = tmp_path / "armlevel" / "lab"
    root.mkdir(parents=True)
    Store(root).entry("kind", "key", lambda place: None)
    (tmp_path / which).chmod(mode)
    with pytest.raises(LabError, match="set XDG_CACHE_HOME to a directory of your own"):
        Store(root).entry("kind", "key", lambda place: None)
    (tmp_path / which).chmod(0o755)
    assert Store(root).entry("kind", "key", lambda place: None).is_dir()
