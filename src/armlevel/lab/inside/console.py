"""A guest's console: the ticks it prints, and its answers to what it is asked there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["GuestConsole", "Reading", "Tick"]

T = TypeVar("T")

#: When a tick was heard (this host's monotonic clock), its number, and the guest's uptime, in seconds.
Tick = tuple[float, int, float]
#: A guest's uptime, and the times of this host between which it was read: when it was asked for, when it was heard.
Reading = tuple[float, float, float]
# After this a question is put again, for the guest may not have heard it.
_LISTENING = 4.0


class GuestConsole:
    """What a guest says on its console, read all the time: a console that nobody reads stops the guest."""

    def __init__(self, console: socket.socket, ended: Callable[[], bool]) -> None:
        """Begin to listen; ``ended`` tells whether the guest's QEMU has ended."""
        self._console, self._ended = console, ended
        self._lines: list[str] = []
        self._ticks: list[Tick] = []
        self._asked: list[float] = []
        self._readings: list[Reading] = []
        self._news = threading.Condition()
        threading.Thread(target=self._listen, args=(console,), daemon=True).start()

    def _listen(self, console: socket.socket) -> None:
        rest = b""
        while True:
            try:
                data = console.recv(4096)
            except OSError:
                data = b""
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            now = time.monotonic()
            with self._news:
                for line in lines:
                    self._hear(now, line.decode(errors="replace").strip("\r"))
                self._news.notify_all()

    def _hear(self, now: float, line: str) -> None:
        match line.split(" "):
            case ["tick" | "time" as kind, number, uptime]:
                try:
                    if kind == "tick":
                        self._ticks.append((now, int(number), float(uptime)))
                    else:
                        self._readings.append((self._asked[int(number)], now, float(uptime)))
                except (ValueError, IndexError):
                    self._lines.append(line)
            case _ if line:
                self._lines.append(line)

    def ticks(self) -> list[Tick]:
        """Return all ticks that the guest has printed."""
        with self._news:
            return list(self._ticks)

    def heard(self) -> list[str]:
        """Return the lines of the guest's console that are neither ticks nor readings of its clock."""
        with self._news:
            return list(self._lines)

    def wait_ticks(self, count: int, seconds: float) -> list[Tick]:
        """Wait until ``count`` ticks were heard in all, QEMU ended, or the time is over; return the ticks."""
        ends = time.monotonic() + seconds
        with self._news:
            while len(self._ticks) < count and not self._ended() and time.monotonic() < ends:
                self._news.wait(0.25)
            return list(self._ticks)

    def state(self, seconds: float) -> list[str]:
        """Ask the guest for its state; return its lines, none if it does not answer."""
        with self._news:
            begin = len(self._lines)

        def begun() -> bool:
            return "begin" in self._lines[begin:]

        def answer() -> list[str] | None:
            lines = self._lines[begin:]
            state = lines[lines.index("begin") + 1 :] if "begin" in lines else []
            return state[: state.index("end")] if "end" in state else None

        return self._put(lambda: "state", answer, begun, seconds) or []

    def clock(self, seconds: float) -> Reading | None:
        """Ask the guest for its uptime; return it with the times between which it was read."""
        with self._news:
            known = len(self._readings)

        def question() -> str:
            self._asked.append(time.monotonic())
            return f"clock {len(self._asked) - 1}"

        def answer() -> Reading | None:
            return self._readings[-1] if len(self._readings) > known else None

        return self._put(question, answer, lambda: False, seconds)

    def _put(
        self,
        question: Callable[[], str],
        answer: Callable[[], T | None],
        begun: Callable[[], bool],
        seconds: float,
    ) -> T | None:
        """Put a question until it is answered, QEMU ends, or the last stop is reached; return the answer."""
        ends, again = time.monotonic() + seconds, 0.0
        with self._news:
            while not self._ended() and (now := time.monotonic()) < ends:
                if (answered := answer()) is not None:
                    return answered
                if now > again and not begun():
                    # The guest listens for a moment at a time, and forgets what came by halves.
                    self._console.sendall(f"\n{question()}\n".encode())
                    again = now + _LISTENING
                self._news.wait(0.25)
        return None

    def close(self) -> None:
        """Hang up."""
        self._console.close()
