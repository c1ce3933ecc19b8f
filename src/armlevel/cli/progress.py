"""That something goes on: on stderr, on a terminal, after a second, and gone before the answer comes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from armlevel.cli.terminal import is_terminal, wishes

__all__ = ["begin", "clear", "end", "step", "watch"]

_AFTER = 1.0  # seconds: what is quicker needs no words
_LOOK = 0.3
_CLEAR = "\r\x1b[2K"


class _Bar:
    # One line that says what is done; rich draws it, in a thread of its own.
    def __init__(self, what: str) -> None:
        self.what, self.done, self.total, self.bytes = what, 0, 0, False
        self.shown: Any = None
        self.task: Any = None
        self.lock = threading.Lock()
        self.ended = False
        self.timer = threading.Timer(_AFTER, self.show)
        self.timer.daemon = True
        self.timer.start()

    def show(self) -> None:
        with self.lock:
            if self.ended:
                return
            self._start()

    def _start(self) -> None:
        from rich import progress
        from rich.console import Console

        columns: list[Any] = [
            progress.SpinnerColumn("line"),
            progress.TextColumn("{task.description}", markup=False),
        ]
        if self.bytes:
            columns += [progress.BarColumn(20), progress.DownloadColumn(), progress.TransferSpeedColumn()]
        elif self.total:
            columns += [progress.BarColumn(20), progress.MofNCompleteColumn(), progress.TimeRemainingColumn()]
        else:
            columns += [progress.TimeElapsedColumn()]
        self.shown = progress.Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=4,
        )
        self.task = self.shown.add_task(self.what, completed=self.done, total=self.total or None)
        self.shown.start()

    def step(self, done: int, total: int) -> None:
        with self.lock:
            kind = bool(self.total) != bool(total)
            self.done, self.total = done, total
            if self.shown is not None and kind:  # other columns
                self.shown.stop()
                self._start()
            elif self.shown is not None:
                self.shown.update(self.task, completed=done, total=total or None)

    def end(self) -> None:
        self.timer.cancel()
        with self.lock:
            self.ended = True
            if self.shown is not None:
                self.shown.stop()
                self.shown = None


_bars: list[_Bar] = []


def begin(what: str) -> None:
    """Say what is going on, if it takes a while; only one thing at a time."""
    end()
    if is_terminal(sys.stderr) and not wishes.quiet and os.environ.get("TERM") != "dumb":
        _bars.append(_Bar(what))


def step(done: int, total: int = 0) -> None:
    """Say how far it is: ``done`` of ``total``, 0 where nobody knows."""
    for bar in _bars:
        bar.step(done, total)


def end() -> None:
    """Take it away: the answer comes, or the end."""
    while _bars:
        _bars.pop().end()


def clear() -> None:
    """Make room for a line on stderr: what is drawn is drawn anew below it."""
    if any(bar.shown is not None for bar in _bars):
        sys.stderr.write(_CLEAR)


@contextmanager
def watch(folder: Path, size: int) -> Iterator[None]:
    """Show how much of ``size`` bytes is in a folder, and how fast it comes, while the block runs."""
    before = [bar.what for bar in _bars]
    begin("fetching")
    bar = _bars[-1] if _bars else None
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK):
            there = sum(_size(path) for path in folder.rglob("*"))
            if bar is not None:
                bar.step(min(there, size), size)

    if bar is not None:
        bar.bytes = True
    watcher = threading.Thread(target=look, daemon=True)
    if bar is not None:
        watcher.start()
    try:
        yield
    finally:
        stop.set()
        end()
        if before:
            begin(before[-1])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # it was renamed
        return 0
