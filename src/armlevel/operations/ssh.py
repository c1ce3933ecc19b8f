"""One command over the system's ssh: what goes in, what comes out, and an end at a time that was said."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import IO, Literal

__all__ = ["Children", "Exchange", "exchange"]

_BLOCK = 1 << 16
_MOST_SAID = 1 << 13  # of standard error the last bytes are kept


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of a command: how it ended, its exit status, its output, and the last that it said beside that."""

    ended: Literal["done", "timed-out", "too-much"]
    code: int | None
    out: bytes
    err: bytes


@dataclass(slots=True)
class Children:
    """The commands that run, so that all can be ended at once."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)
    stopped: bool = False

    @contextmanager
    def started(self, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command in a session of its own: it asks nobody at the terminal, and goes with all it started."""
        with self.lock:
            if self.stopped:
                raise InterruptedError
            process = subprocess.Popen(  # noqa: S603 - ssh, to whom a person named
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
            self.running.add(process)
        try:
            yield process
        finally:
            _end(process)
            with self.lock:
                self.running.discard(process)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()

    def stop(self) -> None:
        """End all that run; none starts after it."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                _end(process, wait=False)


def _end(process: subprocess.Popen[bytes], *, wait: bool = True) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if wait:
            process.wait()


def exchange(children: Children, words: Sequence[str], data: bytes, *, seconds: float, most: int) -> Exchange:
    """Run a command with ``data`` as its input, for so many seconds and bytes of output at most.

    A master that ssh left behind (ControlPersist) keeps standard error open: the end is that of the output.
    """
    until = time.monotonic() + seconds
    with children.started(words) as process:
        talk = _Talk(process, data, most)
        ended = talk.run(until)
        code: int | None = None
        if ended == "done":
            try:
                code = process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                ended = "timed-out"
        talk.drain()
        return Exchange(ended, code, bytes(talk.out), bytes(talk.err[-_MOST_SAID:]))


class _Talk:
    # The three pipes of one command.
    def __init__(self, process: subprocess.Popen[bytes], data: bytes, most: int) -> None:
        assert process.stdin is not None, "all three are pipes"
        assert process.stdout is not None, "all three are pipes"
        assert process.stderr is not None, "all three are pipes"
        self.into, self.from_, self.beside = process.stdin, process.stdout, process.stderr
        self.left, self.most = memoryview(data), most
        self.out, self.err = bytearray(), bytearray()

    def run(self, until: float) -> Literal["done", "timed-out", "too-much"]:
        for stream in (self.into, self.from_, self.beside):
            os.set_blocking(stream.fileno(), False)
        with selectors.DefaultSelector() as ready:
            ready.register(self.into, selectors.EVENT_WRITE, self.write)
            ready.register(self.from_, selectors.EVENT_READ, self.read)
            ready.register(self.beside, selectors.EVENT_READ, self.hear)
            while self.from_ in ready.get_map():
                left = until - time.monotonic()
                if left <= 0:
                    return "timed-out"
                for key, _ in ready.select(left):
                    if not key.data():
                        ready.unregister(key.fileobj)
                if len(self.out) > self.most:
                    return "too-much"
        return "done"

    def write(self) -> bool:
        try:
            self.left = self.left[os.write(self.into.fileno(), self.left[:_BLOCK]) :]
        except BlockingIOError:
            return True
        except OSError:  # it reads no more; what it says tells why
            self.left = self.left[:0]
        if not self.left:
            self.into.close()
        return bool(self.left)

    def read(self) -> bool:
        return _take(self.from_, self.out)

    def hear(self) -> bool:
        more = _take(self.beside, self.err)
        del self.err[:-_MOST_SAID]
        return more

    def drain(self) -> None:
        with suppress(OSError):
            while self.hear() and self.fresh:
                pass

    @property
    def fresh(self) -> bool:
        with selectors.DefaultSelector() as ready:
            ready.register(self.beside, selectors.EVENT_READ)
            return bool(ready.select(0))


def _take(stream: IO[bytes], kept: bytearray) -> bool:
    try:
        block = os.read(stream.fileno(), _BLOCK)
    except BlockingIOError:
        return True
    kept += block
    return bool(block)
