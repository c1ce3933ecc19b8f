"""A real terminal for a command: what a person would see of it, at any width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Seen", "in_terminal"]

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Seen:
    """What stood on a terminal: its exit status, and all bytes, with stdout and stderr in one."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """Each line without its colours; what a progress bar drew over itself is a line each time."""
        text = _OTHER.sub("", _COLOR.sub("", self.raw)).replace("\r\n", "\n").replace("\r", "\n")
        return text.split("\n")

    @property
    def widest(self) -> str:
        """The line that takes the most columns."""
        return max(self.lines, key=cells)


def cells(text: str) -> int:
    """Count columns, without asking the program that is tested."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def in_terminal(command: Callable[[], int], width: int, environment: Mapping[str, str] | None = None) -> Seen:
    """Run a command in a child of this process whose stdin, stdout and stderr are a terminal."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - the child
        code = 99
        try:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
            import sys

            sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115
            sys.stdout = open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
            sys.stderr = open(2, "w", closefd=False, encoding="utf-8", buffering=1)  # noqa: SIM115
            for name in ("COLUMNS", "LINES", "NO_COLOR"):
                os.environ.pop(name, None)
            os.environ |= {"TERM": "xterm-256color", **(environment or {})}
            code = command()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    seen = bytearray()
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux: the other side was closed
            break
        if not data:
            break
        seen += data
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return Seen(os.waitstatus_to_exitcode(status), seen.decode())
