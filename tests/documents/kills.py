"""Kill writers at random moments, and say what they left: a program, for forking is cheap where little is loaded.

    kills.py WAY COUNT FOLDER

WAY is what the writer does: ``replace`` a file, write a ``new`` one, write a ``frozen`` one, ``named`` where the system
knows no files without a name, ``verb``: import a host, as the terminal does.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from armlevel.documents import replace

SIZE = 200_000
OLD, NEW = "a" * SIZE + "\n", "b" * SIZE + "\n"
_MOMENTS = 20  # writes that are timed first


def main(way: str, count: int, folder: Path) -> None:
    """Kill ``count`` writers, and print how often which state was left."""
    target, given = folder / "out.json", folder / "in.json"
    write, old, new = _writer(way, given, target)
    before = given.read_bytes()
    chance, left = random.Random(20261130), Counter[str]()
    usual = statistics.median(_timed(write, target, old) for _ in range(_MOMENTS))
    for _ in range(count):
        _prepare(target, old)
        _killed(write, chance.uniform(0, 2 * usual))
        assert given.read_bytes() == before, "the input"
        text = target.read_text(encoding="utf-8") if target.exists() else None
        state = (
            {old: "as before", new: "written"}.get(text)
            if text or old
            else "as before"
            if text is None
            else None
        )
        assert state is not None, f"half of it: {len(text or '')} characters"
        left[state] += 1
        beside = [one.name for one in folder.iterdir() if one not in (target, given)]
        left["names beside it"] += bool(beside)
        assert len(beside) <= 1, beside
    write(lambda: None)
    assert sorted(one.name for one in folder.iterdir()) == ["in.json", "out.json"], "cleared by the next one"
    print(json.dumps(left))


def _writer(
    way: str, given: Path, target: Path
) -> tuple[Callable[[Callable[[], None]], None], str | None, str]:
    if way == "named":
        del os.O_TMPFILE
    if way == "verb":
        from armlevel.cli.app import run
        from armlevel.documents import host_object, pretty
        from tests.cli.hosts import host

        text = pretty(host_object(host("h")))
        given.write_text(text, encoding="utf-8")
        run(["import", str(given), "-o", str(target)])
        new = target.read_text(encoding="utf-8")
        old = new.replace('"h"', '"i"')
        assert old != new

        def verb(ready: Callable[[], None]) -> None:
            _call_when_writing(ready)
            assert run(["import", str(given), "-o", str(target)]) == 0

        return verb, old, new
    given.write_text(OLD, encoding="utf-8")
    call = replace.create_file if way == "frozen" else replace.replace_file

    def plain(ready: Callable[[], None]) -> None:
        ready()
        call(str(target), NEW)

    return plain, None if way in ("new", "frozen") else OLD, NEW


def _call_when_writing(ready: Callable[[], None]) -> None:
    write = replace._write

    def writing(path: str, text: str | bytes, way: Callable[[Path, bytes, int], bool]) -> bool:
        ready()
        return write(path, text, way)

    replace._write = writing


def _prepare(target: Path, old: str | None) -> None:
    target.unlink(missing_ok=True)
    if old is not None:
        target.write_text(old, encoding="utf-8")


def _timed(write: Callable[[Callable[[], None]], None], target: Path, old: str | None) -> float:
    _prepare(target, old)
    child, ready = _started(write)
    os.read(ready, 1)
    start = time.perf_counter()
    os.waitpid(child, 0)
    os.close(ready)
    return time.perf_counter() - start


def _killed(write: Callable[[Callable[[], None]], None], after: float) -> None:
    child, ready = _started(write)
    os.read(ready, 1)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)


def _started(write: Callable[[Callable[[], None]], None]) -> tuple[int, int]:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

        def ready() -> None:
            os.write(writing, b"x")

        try:
            write(ready)
        finally:
            os._exit(0)
    os.close(writing)
    return child, reading


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
