"""What leaves the program: text of 80 columns, or JSON."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["CLOSED", "WIDTH", "columns", "escaped", "say", "say_json", "silence", "tell", "wrapped"]

#: Columns of a page, whatever the terminal: the same text goes into a report.
WIDTH = 80

#: Exit status when whoever read the output went away: as if SIGPIPE had ended us.
CLOSED = 141

_TINT = {"runs": "32", "refused": "31", "unknown": "33", "stops": "31", "breaks": "31", "risk": "33"}
_TINTED = re.compile(r"\b(?:" + "|".join(_TINT) + r")\b")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != ord("\n")}
# What turns the direction of writing round (Unicode 16.0, Bidi_Control).
_CONTROL |= {
    code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def escaped(text: str) -> str:
    r"""Return text that a terminal shows and does not obey; names in documents may hold anything.

    >>> escaped("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.translate(_CONTROL).encode(encoding, "backslashreplace").decode(encoding)


def say(lines: Iterable[str]) -> None:
    """Print lines; the words of an answer in colour if this is a terminal that wants it."""
    text = escaped("".join(f"{line.rstrip()}\n" for line in lines))
    if _colourful():
        text = _TINTED.sub(lambda word: f"\x1b[{_TINT[word[0]]}m{word[0]}\x1b[0m", text)
    sys.stdout.write(text)


def tell(sentence: str) -> None:
    """Say something beside the result, on stderr."""
    print(escaped(f"armlevel: {sentence}"), file=sys.stderr)


def say_json(document: Any) -> None:
    """Print a JSON document."""
    from armlevel.documents.write import pretty

    try:
        sys.stdout.write(pretty(document))
    except UnicodeEncodeError:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")


def _colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def silence() -> None:
    """Send what is still to be written to nowhere, so that the interpreter does not fail on its way out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue


def wrapped(text: str, first: str = "", rest: str | None = None, width: int = WIDTH) -> list[str]:
    """Break text at spaces; ``first`` opens the first line and ``rest`` each other one. Words are never broken.

    >>> wrapped("FEAT_A FEAT_B FEAT_C", "  features  ", width=26)
    ['  features  FEAT_A FEAT_B', '            FEAT_C']
    """
    rest = " " * len(first) if rest is None else rest
    lines: list[str] = []
    line, empty = first, True
    for word in text.split():
        if not empty and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, empty = rest, True
        line, empty = (line + word if empty else f"{line} {word}"), False
    return [*lines, line]


def columns(rows: Sequence[Sequence[str]], indent: str = "", gap: int = 2, width: int = WIDTH) -> list[str]:
    """Lay rows out in columns; the last column is wrapped, the others are as wide as they need.

    A row whose earlier cells leave no room for the last one gets it on a line of its own.

    >>> columns([("a", "one two"), ("bbb", "three")], width=12)
    ['a    one two', 'bbb  three']
    """
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(max(map(len, rows)) - 1)]
    lines: list[str] = []
    for row in rows:
        cells = [cell.ljust(wide + gap) for cell, wide in zip(row[:-1], widths, strict=False)]
        head = indent + "".join(cells)
        if len(head) > width - 12 and len(head) + len(row[-1]) > width:
            lines += [head, *wrapped(row[-1], indent + "    ")]
        else:
            lines += wrapped(row[-1], head, width=width)
    return lines
