"""Files that a verb reads and writes: what a person should hear of them, and where the rest of the answer goes."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import Any

from armlevel.cli.output import tell
from armlevel.documents.inputs import AsideReason, LeftAside, Renamed, begin_reading, remarks
from armlevel.documents.outputs import STDOUT

__all__ = ["begin", "beside", "is_file", "tell_remarks"]

_SHOWN = 5
_ASIDE: dict[AsideReason, str] = {
    "hidden": "hidden files",
    "not a document": "neither a profile nor a file of a tool we know",
    "host profile": "a host, and none is wanted",
    "guest profile": "a guest, and a host is wanted",
    "verdict": "a verdict",
}


def begin() -> None:
    """Begin a question: what it reads is not written over."""
    begin_reading()


def is_file(output: str) -> bool:
    """Whether an option names a file to write, and not standard output."""
    return output not in ("", STDOUT)


def beside(output: str) -> AbstractContextManager[Any]:
    """Send to stderr what is said while standard output is where ``output`` goes."""
    return redirect_stdout(sys.stderr) if output == STDOUT else nullcontext()


def tell_remarks() -> None:
    """Say on stderr which names stand twice, and which files of directories were left aside."""
    found = remarks()
    for one in found:
        if isinstance(one, Renamed):
            tell(f"note: {one.path}: another is called {one.name} too, this one is {one.called} here")
    aside: dict[AsideReason, list[str]] = {}
    for one in found:
        if isinstance(one, LeftAside):
            aside.setdefault(one.reason, []).append(one.path)
    for reason, paths in aside.items():
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        tell(f"note: left aside, {_ASIDE[reason]}: {', '.join(paths[:_SHOWN])}{more}")
