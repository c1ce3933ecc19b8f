"""A file that goes to another host, over the link between the two."""

from __future__ import annotations

import shutil
import socket
import threading
from pathlib import Path

__all__ = ["Arrival", "send_file"]

_PORT = 4441
_WAITING = 600.0  # seconds, a last stop against hanging


class Arrival:
    """A file that is awaited."""

    def __init__(self, path: str) -> None:
        """Listen for it."""
        self._path, self._size = Path(path), -1
        self._listener = socket.create_server(("0.0.0.0", _PORT))  # noqa: S104 - the link, and QEMU's user network
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        self._listener.settimeout(_WAITING)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._listener, self._listener.accept()[0] as line, self._path.open("wb") as target:
            line.settimeout(_WAITING)
            shutil.copyfileobj(line.makefile("rb"), target, 1 << 20)
            self._size = target.tell()

    def wait(self) -> int:
        """Wait until it is there; return its size."""
        self._thread.join(_WAITING)
        return self._size


def send_file(path: str, address: str) -> int:
    """Send a file to the host that awaits it; return its size."""
    with Path(path).open("rb") as source, socket.create_connection((address, _PORT), _WAITING) as line:
        line.sendfile(source)
        return source.tell()
