"""A host that stays: it boots once, and starts, moves and ends guests as it is asked."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import TracebackType
from typing import Any, BinaryIO, Self

from armlevel.errors import LabError
from armlevel.lab.callers import Callers
from armlevel.lab.hosts import EmulatedHost
from armlevel.lab.jobs import Job
from armlevel.lab.link import Endpoint
from armlevel.lab.machine import EmulatedMachine

__all__ = ["ARRIVALS", "LIBVIRT_ROOM", "ROOM", "Refused", "Session"]

#: MiB of a host that runs guests: both QEMUs, counted twice while the first root is unpacked, and a guest.
ROOM = 1024
#: ... and with libvirt beside them.
LIBVIRT_ROOM = 1280
#: The port at which a host's QEMU hears a guest that comes in.
ARRIVALS = 4440
# Last stops against hanging, in seconds, ten times what an idle machine needs and more: the host's call once it has
# booted, an answer (longer than anything a host waits for itself), and the end of a host that hung up.
_BOOT = 600.0
_ANSWER = 1800.0
_LAST_WORDS = 60.0
_LONGEST = 1 << 26  # bytes of an answer


class Refused(Exception):
    """What was asked could not be done in the host; the words are those of the host."""


@dataclass(slots=True, kw_only=True)
class Session:
    """A booted host with a line to what takes requests in it. A context manager; the host ends with it."""

    machine: EmulatedMachine
    host: EmulatedHost
    files: Mapping[str, bytes]
    endpoint: Endpoint | None = None
    _problem: Callable[[], LabError | None] = lambda: None
    _listener: socket.socket | None = None
    _word: str = ""
    _stream: BinaryIO | None = None
    _ends: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _lock: Lock = field(default_factory=Lock)

    @property
    def address(self) -> str:
        """Return the address to which another host sends a guest that moves to this host."""
        if self.endpoint is None:
            raise LabError(f"the emulated host {self.host} has no link to another host")
        return f"tcp:{self.endpoint.address}:{ARRIVALS}"

    def __enter__(self) -> Self:
        """Begin to boot the host; the first thing it is asked waits for it, so that two hosts can boot at once.

        The emulator dies with the thread that enters, so that thread has to stay.
        """
        with contextlib.ExitStack() as ends:
            listener = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
            self._word = secrets.token_hex(16)
            devices = ["-netdev", "user,id=lab", "-device", "virtio-net-pci,netdev=lab,romfile="]
            up = ["network-up"]
            if self.endpoint is not None:
                devices += self.endpoint.devices
                up.append(self.endpoint.address)
            # Where systemd mounts it, and KVM shows what its VMs hold.
            seen = "busybox mount -t debugfs debugfs /sys/kernel/debug"
            begin = f"exec python3 -I inside {listener.getsockname()[1]} {self._word}"
            script = f"{seen}; {' '.join(up)} && {begin}"
            job = Job(script, self.files)
            self._problem = ends.enter_context(self.machine.opened(self.host, job, devices))
            self._listener = listener
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the host."""
        self._stream = self._listener = None
        self._ends.close()

    def _line(self) -> BinaryIO:
        """Return the connection to the host; wait until the host makes it."""
        if self._stream is not None:
            return self._stream
        if self._listener is None:
            raise LabError(f"the emulated host {self.host} is not booted")
        ends = time.monotonic() + _BOOT
        with contextlib.closing(Callers(self._listener, self._word)) as callers:
            while time.monotonic() < ends:
                if (problem := self._problem()) is not None:
                    raise problem
                if (line := callers.known(0.5)) is None:
                    continue
                line.settimeout(_ANSWER)
                stream: Any = line.makefile("rwb")
                line.close()  # the stream keeps it open
                self._ends.callback(stream.close)
                self._stream = stream
                return self._stream
        raise LabError(f"the emulated host {self.host} did not call within {_BOOT:g} s")

    def ask(self, do: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        """Have the host do something (:class:`armlevel.lab.inside.control.Control`); return its answer.

        Raises:
            Refused: it could not be done; the message is the host's.
            LabError: the host is gone, or does not answer.

        """
        with self._lock:
            stream = self._line()
            try:
                stream.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
                stream.flush()
                line = stream.readline(_LONGEST)
            except OSError as exc:
                raise self._gone(str(exc)) from exc
            if not line.endswith(b"\n"):
                raise self._gone("its answer has no end" if line else "it hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["return"]

    def _gone(self, why: str) -> LabError:
        # What the host has to say about it comes a moment later, on its way down.
        ends = time.monotonic() + _LAST_WORDS
        while time.monotonic() < ends:
            if (problem := self._problem()) is not None:
                return problem
            time.sleep(0.1)
        return LabError(f"the emulated host {self.host} does not answer: {why}")
