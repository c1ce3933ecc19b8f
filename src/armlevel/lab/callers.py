"""Who calls on a port of this machine, and which of them is the host that was started: the one that knows the word.

Anybody here can connect. So all who do are heard at once, and none of them keeps the others waiting.
"""

from __future__ import annotations

import selectors
import socket

__all__ = ["Callers"]

_MOST = 64  # that have not said anything yet


class Callers:
    """Those who connected to ``listener``; the one who says ``word`` on a line is known."""

    def __init__(self, listener: socket.socket, word: str) -> None:
        """Begin to listen."""
        self._word = word.encode() + b"\n"
        self._listener = listener
        self._said: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        listener.settimeout(0)
        self._selector.register(listener, selectors.EVENT_READ)

    def known(self, patience: float) -> socket.socket | None:
        """Wait for something to happen, some seconds at most; return the connection of the one who said the word."""
        for key, _ in self._selector.select(patience):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket) and self._heard(key.fileobj):
                return key.fileobj
        return None

    def close(self) -> None:
        """Hang up on all who did not say it."""
        for line in list(self._said):
            self._drop(line)
        self._selector.close()

    def _accept(self) -> None:
        try:
            line, _ = self._listener.accept()
        except OSError:
            return
        line.settimeout(0)
        if len(self._said) >= _MOST:  # the one that is silent for longest goes
            self._drop(next(iter(self._said)))
        self._said[line] = b""
        self._selector.register(line, selectors.EVENT_READ)

    def _heard(self, line: socket.socket) -> bool:
        # No byte more than the word is taken: what follows is for whoever talks to the host.
        try:
            more = line.recv(len(self._word) - len(self._said[line]))
        except BlockingIOError:
            return False
        except OSError:
            more = b""
        self._said[line] += more
        if self._said[line] == self._word:
            self._selector.unregister(line)
            del self._said[line]
            return True
        if not more or not self._word.startswith(self._said[line]):
            self._drop(line)
        return False

    def _drop(self, line: socket.socket) -> None:
        self._selector.unregister(line)
        del self._said[line]
        line.close()
