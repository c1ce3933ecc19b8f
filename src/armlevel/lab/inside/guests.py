"""One QEMU with a guest in it: its monitor, its console, its end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from armlevel.lab.inside.console import GuestConsole
from armlevel.lab.inside.registers import read_vcpu, vcpus_of

__all__ = ["QemuGuest"]

# Last stops against hanging, in seconds; a QEMU that dies is noticed when it dies.
_GREETING = 300.0
_ANSWER = 300.0


class QemuGuest:
    """A running QEMU. What it says on stderr is kept; its console is read all the time."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start QEMU with a monitor and a console of its own added to ``command``.

        QEMU is handed the sockets that they are on, so they are connected before it begins.
        """
        self._place = Path(tempfile.mkdtemp(prefix="guest-"))
        monitor, for_monitor = socket.socketpair()
        console, for_console = socket.socketpair()
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
        monitor.settimeout(_ANSWER)
        self._monitor: Any = monitor.makefile("rwb")
        monitor.close()  # the stream keeps it open
        self.console = GuestConsole(console, lambda: self._process.poll() is not None)
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
        self.console.close()
        self._monitor.close()
        self._said.close()
        shutil.rmtree(self._place, ignore_errors=True)
