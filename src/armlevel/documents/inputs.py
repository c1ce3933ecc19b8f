"""What one question has read, so that its answer is never written over it. Standard library only.

Whoever asks a question begins a reading in a context of its own, as the terminal does for each command line. Whatever
opens a file that a user named notes it there by device and inode, and whatever writes a file asks: so links and other
spellings of a path change nothing, and no verb has to say what it reads.
"""

from __future__ import annotations

import os
import stat
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "AsideReason",
    "LeftAside",
    "Reading",
    "Renamed",
    "begin_reading",
    "input_at",
    "note_input",
    "remark",
]

AsideReason = Literal["hidden", "not a document", "host profile", "guest profile", "verdict"]


@dataclass(frozen=True, slots=True)
class LeftAside:
    """A file of a directory that was not read as what was wanted of it, and what it is."""

    path: str
    reason: AsideReason


@dataclass(frozen=True, slots=True)
class Renamed:
    """A document that is called like one before it, and what it is called here."""

    path: str
    name: str
    called: str


@dataclass(slots=True)
class Reading:
    """What was read for one question.

    ``known``  files and whole trees, by device and inode, with the names they were given
    ``remarks``  what a person should hear of it
    """

    known: dict[tuple[int, int], str] = field(default_factory=dict)
    remarks: list[LeftAside | Renamed] = field(default_factory=list)


_NOW: ContextVar[Reading | None] = ContextVar("reading", default=None)


def begin_reading() -> None:
    """Note what is read from here on in this context."""
    _NOW.set(Reading())


def remarks() -> tuple[LeftAside | Renamed, ...]:
    """Return what a person should hear of what was read."""
    now = _NOW.get()
    return () if now is None else tuple(now.remarks)


def note_input(status: os.stat_result, path: str) -> None:
    """Note a file that is read, or a directory all of which is."""
    now = _NOW.get()
    if now is not None and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        now.known.setdefault((status.st_dev, status.st_ino), path)


def remark(what: LeftAside | Renamed) -> None:
    """Note what a person should hear, once."""
    if (now := _NOW.get()) is not None and what not in now.remarks:
        now.remarks.append(what)


def input_at(target: Path) -> str | None:
    """Return what was read for this question and is at ``target``, or holds it; None if nothing is."""
    now = _NOW.get()
    if now is None or not now.known:
        return None
    for place in (target, *target.resolve().parents):
        try:
            status = place.stat()
        except OSError:
            continue
        if (found := now.known.get((status.st_dev, status.st_ino))) is not None:
            return found
    return None
