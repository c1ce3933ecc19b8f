"""Takes requests from the lab, one line of JSON each, and answers them in order.

The host calls the lab, not the lab the host: QEMU's user network accepts connections for a guest that does not
listen yet, but never makes one that the guest did not ask for.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

from armlevel.documents.running import running_object
from armlevel.lab.inside.copying import Arrival, send_file
from armlevel.lab.inside.domains import DomainGuest
from armlevel.lab.inside.guests import QemuGuest
from armlevel.lab.inside.programs import run
from armlevel.probe.running import read_running

__all__ = ["Control", "main"]

_LAB = "10.0.2.2"
_DONE = {"completed", "failed", "cancelled"}
_PAUSE = 0.5


class Control:
    """The guests of this host by their names, and what may be asked of them."""

    def __init__(self) -> None:
        """Begin without guests."""
        self._guests: dict[str, QemuGuest] = {}
        self._domains: dict[str, DomainGuest] = {}
        self._arrivals: dict[str, Arrival] = {}

    def answer(self, request: dict[str, Any]) -> object:
        """Do what a request asks; the keys beside ``do`` are the arguments."""
        arguments = {key: value for key, value in request.items() if key != "do"}
        return getattr(self, f"do_{request['do'].replace('-', '_')}")(**arguments)

    def do_wake(self) -> None:
        """Do nothing: the answer alone tells the lab that the host is there."""

    def do_files(self, files: dict[str, str]) -> None:
        """Write small files: paths and their texts; a text in hexadecimal behind `hex:` is binary."""
        for path, text in files.items():
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            binary = text.startswith("hex:")
            target.write_bytes(bytes.fromhex(text[4:]) if binary else text.encode())

    def do_start(self, name: str, command: list[str], environ: dict[str, str]) -> dict[str, Any]:
        """Start QEMU for the guest ``name``; return its status and process number."""
        guest = self._guests[name] = QemuGuest(command, environ)
        return self.do_status(name) | {"pid": guest.pid}

    def do_status(self, name: str) -> dict[str, Any]:
        """Return QEMU's exit status (none while it lives), the state of its guest, and what QEMU printed."""
        guest = self._guests[name]
        status = guest.status
        run = ""
        if status is None:
            try:
                run = guest.ask("query-status")["status"]
            except (ConnectionError, ValueError):
                guest.wait_end()
                status = guest.status
            except OSError:
                status = guest.status
        return {"exit": status, "run": run, "said": guest.said()}

    def _guest(self, name: str) -> QemuGuest | DomainGuest:
        return self._domains[name] if name in self._domains else self._guests[name]

    def do_ask(self, name: str, command: str, arguments: dict[str, Any] | None = None) -> object:
        """Ask QEMU's monitor; return what it answers."""
        return self._guests[name].ask(command, arguments)

    def do_sent(self, name: str, seconds: float) -> object:
        """Wait until QEMU has sent its guest, or given up; return what `query-migrate` then says."""
        ends = time.monotonic() + seconds
        # Each question takes time of the one CPU that sends.
        while (info := self._guests[name].ask("query-migrate")).get("status") not in _DONE:
            if time.monotonic() > ends:
                break
            time.sleep(_PAUSE)
        return info

    def do_ticks(self, name: str, count: int = 0, seconds: float = 0.0) -> list[Any]:
        """Return all ticks; wait for ``count`` of them first."""
        return list(self._guest(name).console.wait_ticks(count, seconds))

    def do_state(self, name: str, seconds: float) -> list[str]:
        """Ask the guest for its state."""
        return self._guest(name).console.state(seconds)

    def do_clock(self, name: str, seconds: float) -> object:
        """Ask the guest for its uptime."""
        return self._guest(name).console.clock(seconds)

    def do_console(self, name: str) -> list[str]:
        """Return what the guest's console said beside ticks."""
        return self._guest(name).console.heard()

    def do_registers(self, name: str) -> dict[str, dict[str, int | None]]:
        """Return the vCPUs' registers, read through KVM."""
        return {
            str(number): {f"{key:#018x}": value for key, value in values.items()}
            for number, values in self._guest(name).registers().items()
        }

    def do_domain(self, name: str, console: str) -> None:
        """Be ready to hear the console of a domain of libvirt, at a socket that its QEMU connects to."""
        if name not in self._domains:
            self._domains[name] = DomainGuest(name, console)

    def do_pid(self, name: str) -> int:
        """Return the number of the process that has a domain's guest."""
        return self._domains[name].pid

    def do_run(
        self,
        command: list[str],
        text: str = "",
        environ: dict[str, str] | None = None,
        seconds: float = 900.0,
    ) -> dict[str, Any]:
        """Run a program to its end."""
        return run(command, text, environ or {}, seconds)

    def do_await_file(self, path: str) -> None:
        """Be ready for a file from another host."""
        self._arrivals[path] = Arrival(path)

    def do_send_file(self, path: str, address: str) -> int:
        """Send a file to another host that is ready for it."""
        return send_file(path, address)

    def do_arrived_file(self, path: str) -> int:
        """Wait for a file from another host; return its size."""
        return self._arrivals.pop(path).wait()

    def do_running(self) -> dict[str, Any]:
        """Return what can be read of the VMs of this host, as the program for it prints that."""
        return running_object(read_running())

    def do_end(self, name: str) -> None:
        """Kill a guest."""
        guest = self._guests.pop(name, None) or self._domains.pop(name, None)
        if guest is not None:
            guest.end()

    def do_read(self, path: str) -> str:
        """Return a text file of this host."""
        return Path(path).read_text(encoding="utf-8", errors="replace")


def main() -> int:
    """Connect to the lab's port, say the word by which the lab knows this host, and serve its requests."""
    port, word = int(sys.argv[1]), sys.argv[2]
    with socket.create_connection((_LAB, port)) as line, line.makefile("rwb") as stream:
        stream.write(word.encode() + b"\n")
        stream.flush()
        control = Control()
        for request in stream:
            try:
                answer: dict[str, Any] = {"return": control.answer(json.loads(request))}
            except Exception as exc:  # noqa: BLE001 - whatever it was, the lab is told
                answer = {"error": f"{type(exc).__name__}: {exc}"}
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()
    return 0
