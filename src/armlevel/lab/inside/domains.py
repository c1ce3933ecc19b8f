"""A guest that libvirt starts: its console, and the process it runs in.

QEMU connects to the console's socket, so each QEMU that has the guest is heard from its first byte on, and named by
its socket: unix(7), SO_PEERCRED.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import threading
from pathlib import Path

from armlevel.lab.inside.console import GuestConsole
from armlevel.lab.inside.registers import read_vcpu, vcpus_of

__all__ = ["DomainGuest", "Ended"]

_CREDENTIALS = struct.Struct("3i")
_WAITING = 60.0  # seconds, a last stop against hanging: libvirt has started a QEMU before anybody asks


class DomainGuest:
    """What the domain ``name`` runs in, each time that it runs here; libvirt keeps its monitor."""

    def __init__(self, name: str, path: str) -> None:
        """Listen at ``path`` for the QEMUs that will have the guest."""
        self._name = name
        self._listener = socket.socket(socket.AF_UNIX)
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        self._listener.bind(path)
        self._listener.listen()
        self._news = threading.Condition()
        self._console: GuestConsole | None = None
        self._pid = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            with self._news:
                self._pid, _, _ = _CREDENTIALS.unpack(peer)
                if self._console is not None:
                    self._console.close()
                self._console = GuestConsole(line, Ended(self._pid))
                self._news.notify_all()

    @property
    def console(self) -> GuestConsole:
        """Return the console of the QEMU that came last; wait for the first one."""
        with self._news:
            self._news.wait_for(lambda: self._console is not None, _WAITING)
            if self._console is None:
                raise TimeoutError(f"no QEMU has connected to the console of {self._name}")
            return self._console

    @property
    def pid(self) -> int:
        """Return the number of the process that has the guest; 0 before there was one."""
        return self._pid

    def registers(self) -> dict[int, dict[int, int | None]]:
        """Return each vCPU's registers as KVM has them. A guest that runs is paused meanwhile, by libvirt."""
        running = self._virsh("domstate").strip() == "running"
        if running:
            self._virsh("suspend")
        try:
            return {number: read_vcpu(self.pid, fd) for number, fd in sorted(vcpus_of(self.pid).items())}
        finally:
            if running:
                self._virsh("resume")

    def _virsh(self, *words: str) -> str:
        command = ["virsh", "-q", *words, self._name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - virsh, with our own words

    def end(self) -> None:
        """Have libvirt destroy the domain, and listen no more."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._virsh("destroy")
        self.close()

    def close(self) -> None:
        """Listen no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(_WAITING)
        self._listener.close()
        if self._console is not None:
            self._console.close()


class Ended:
    """Whether a process has ended; called as a question."""

    def __init__(self, pid: int) -> None:
        """Remember when the process began: its number may be used again."""
        self._stat, self._began = Path(f"/proc/{pid}/stat"), ""
        self._began = self._start()

    def __call__(self) -> bool:
        """Tell whether it has ended."""
        return not self._began or self._start() != self._began

    def _start(self) -> str:
        # proc(5): the name, in parentheses, may hold anything; the state is the third word, the start the 22nd.
        try:
            words = self._stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if words[0] == "Z" else words[19]
