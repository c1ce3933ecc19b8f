"""One QEMU with a guest in it: its monitor, its console, its end."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from armlevel.lab.inside.guest_console import read_vcpu, vcpus_of

__all__ = ["QemuGuest", "Tick"]

#: When a tick was heard (this host's monotonic clock), its number, and the guest's uptime, in seconds.
Tick = tuple[float, int, float]
_GREETING = 60.0
_ANSWER = 60.0
_LISTENING = 4.0


class QemuGuest:
    """A running QEMU. What it says on stderr is kept; its console is read all the time."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start QEMU with a monitor and a console of its own added to ``command``."""
        self._place = Path(tempfile.mkdtemp(prefix="guest-"))
        monitor, console = self._place / "monitor", self._place / "console"
        words = [
            *command,
            *("-qmp", f"unix:{monitor},server=on,wait=off"),
            *(
                "-chardev",
                f"socket,id=console,path={console},server=on,wait=off",
                "-serial",
                "chardev:console",
            ),
        ]
        self._said = (self._place / "said").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603 - QEMU, as the lab asks
            words,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            env={**os.environ, **environ},
        )
        self._lines: list[str] = []
        self._ticks: list[Tick] = []
        self._news = threading.Condition()
        self._console: socket.socket | None = None
        self._monitor: Any = None
        try:
            self._monitor = self._connect(monitor).makefile("rwb")
            self._console = self._connect(console)
            self._answer(_GREETING)
            self.ask("qmp_capabilities")
        except (OSError, ValueError):
            # What QEMU said is the answer; the caller asks for it.
            self._process.kill()
        if self._console is not None:
            threading.Thread(target=self._listen, args=(self._console,), daemon=True).start()

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

    def _connect(self, path: Path) -> socket.socket:
        ends = time.monotonic() + _GREETING
        while True:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(path))
            except OSError:
                line.close()
                if self._process.poll() is not None or time.monotonic() > ends:
                    raise
                time.sleep(0.05)
                continue
            line.settimeout(_ANSWER)
            return line

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
        console.settimeout(None)
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
        words = line.split(" ")
        if words[0] == "tick" and len(words) == 3:
            try:
                self._ticks.append((now, int(words[1]), float(words[2])))
            except ValueError:
                self._lines.append(line)
        elif line:
            self._lines.append(line)

    def ticks(self) -> list[Tick]:
        """Return all ticks that the guest has printed."""
        with self._news:
            return list(self._ticks)

    def heard(self) -> list[str]:
        """Return the lines of the guest's console that are no ticks."""
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
        if self._console is None:
            return []
        ends, again = time.monotonic() + seconds, 0.0
        with self._news:
            while self._process.poll() is None and (now := time.monotonic()) < ends:
                lines = self._lines[begin:]
                if "begin" in lines:
                    answer = lines[lines.index("begin") + 1 :]
                    if "end" in answer:
                        return answer[: answer.index("end")]
                elif now > again:
                    # The guest listens for a moment at a time, and forgets what came by halves.
                    self._console.sendall(b"\nstate\n")
                    again = now + _LISTENING
                self._news.wait(0.25)
        return []

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
        if self._console is not None:
            self._console.close()
        self._said.close()
        shutil.rmtree(self._place, ignore_errors=True)
