"""One QEMU with a guest in it: its monitor, its console, its end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from armlevel.lab.inside.guest_console import read_vcpu, vcpus_of

__all__ = ["QemuGuest", "Reading", "Tick"]

T = TypeVar("T")

#: When a tick was heard (this host's monotonic clock), its number, and the guest's uptime, in seconds.
Tick = tuple[float, int, float]
#: A guest's uptime, and the times of this host between which it was read: when it was asked for, when it was heard.
Reading = tuple[float, float, float]
# Last stops against hanging, in seconds; a QEMU that dies is noticed when it dies.
_GREETING = 300.0
_ANSWER = 300.0
# After this a question is put again, for the guest may not have heard it.
_LISTENING = 4.0


class QemuGuest:
    """A running QEMU. What it says on stderr is kept; its console is read all the time."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start QEMU with a monitor and a console of its own added to ``command``.

        QEMU is handed the sockets that they are on, so they are connected before it begins.
        """
        self._place = Path(tempfile.mkdtemp(prefix="guest-"))
        monitor, for_monitor = socket.socketpair()
        self._console, for_console = socket.socketpair()
        words = [
            *command,
            *("-chardev", f"socket,id=monitor,fd={for_monitor.fileno()}"),
            *("-mon", "chardev=monitor,mode=control"),
            *("-chardev", f"socket,id=console,fd={for_console.fileno()}", "-serial", "chardev:console"),
        ]
        self._said = (self._place / "said").open("w+b")
        with for_monitor, for_console:
            self._process = subprocess.Popen(  # noqa: S603 - QEMU, as the lab asks
                words,
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                env={**os.environ, **environ},
                pass_fds=(for_monitor.fileno(), for_console.fileno()),
            )
        self._lines: list[str] = []
        self._ticks: list[Tick] = []
        self._asked: list[float] = []
        self._readings: list[Reading] = []
        self._news = threading.Condition()
        monitor.settimeout(_ANSWER)
        self._monitor: Any = monitor.makefile("rwb")
        monitor.close()  # the stream keeps it open
        threading.Thread(target=self._listen, args=(self._console,), daemon=True).start()
        try:
            self._answer(_GREETING)
            self.ask("qmp_capabilities")
        except (OSError, ValueError):
            # What QEMU said is the answer; the caller asks for it.
            self.wait_end()
            self._process.kill()
            self._process.wait()

    @property
    def status(self) -> int | None:
        """Return QEMU's exit status; none while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Return QEMU's process number."""
        return self._process.pid

    def said(self) -> str:
        """Return all that QEMU has printed."""
        return (self._place / "said").read_text(encoding="utf-8", errors="replace")

    def wait_end(self) -> None:
        """Wait for a QEMU that closed its monitor to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ANSWER)

    def ask(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask QEMU's monitor; return its answer.

        Raises:
            OSError: the monitor is gone.
            ValueError: QEMU refuses; the message is its own.

        """
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._monitor.write(json.dumps(request).encode() + b"\n")
        self._monitor.flush()
        answer = self._answer(_ANSWER)
        if "error" in answer:
            raise ValueError(answer["error"]["desc"])
        return answer["return"]

    def _answer(self, seconds: float) -> dict[str, Any]:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            line = self._monitor.readline()
            if not line:
                raise ConnectionResetError("QEMU closed its monitor")
            answer: dict[str, Any] = json.loads(line)
            if "event" not in answer:
                return answer
        raise TimeoutError("QEMU's monitor does not answer")

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
            while len(self._ticks) < count and self._process.poll() is None and time.monotonic() < ends:
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
            while self._process.poll() is None and (now := time.monotonic()) < ends:
                if (answered := answer()) is not None:
                    return answered
                if now > again and not begun():
                    # The guest listens for a moment at a time, and forgets what came by halves.
                    self._console.sendall(f"\n{question()}\n".encode())
                    again = now + _LISTENING
                self._news.wait(0.25)
        return None

    def registers(self) -> dict[int, dict[int, int | None]]:
        """Return each vCPU's registers as KVM has them. The guest is paused meanwhile."""
        running = self.ask("query-status")["running"]
        if running:
            self.ask("stop")
        try:
            return {number: read_vcpu(self.pid, fd) for number, fd in sorted(vcpus_of(self.pid).items())}
        finally:
            if running:
                self.ask("cont")

    def end(self) -> None:
        """Kill QEMU, and remove its files."""
        self._process.kill()
        self._process.wait()
        self._console.close()
        self._monitor.close()
        self._said.close()
        shutil.rmtree(self._place, ignore_errors=True)
