"""What leaves the program: text as wide as the terminal, or JSON.

A page is lines of text. A word that means something (an answer, a severity, a letter of the matrix) is marked where
it is written, by what it means; marks have no width, and become colours when the page leaves, if at all.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TextIO

from armlevel.cli import progress
from armlevel.cli.terminal import is_terminal, page_width, wants_color, width_of, wishes

__all__ = [
    "CLOSED",
    "Meaning",
    "columns",
    "escaped",
    "meant",
    "say",
    "say_json",
    "silence",
    "tell",
    "tell_lines",
    "tell_page",
    "wide",
    "wrapped",
]

#: Exit status when whoever read the output went away: as if SIGPIPE had ended us.
CLOSED = 141

#: What a coloured word means.
Meaning = Literal["yes", "no", "unknown", "risk", "levelled", "head"]

_MEANINGS: dict[str, Meaning] = {
    "runs": "yes",
    "refused": "no",
    "unknown": "unknown",
    "stops": "no",
    "breaks": "no",
    "risk": "risk",
}
_COLORS: dict[Meaning, str] = {
    "yes": "32",
    "no": "31",
    "unknown": "33",
    "risk": "35",
    "levelled": "36",
    "head": "1",
}
# A mark is a noncharacter of Unicode: none is in a text that people exchange.
_OPEN: dict[Meaning, str] = {meaning: chr(0xFDD1 + place) for place, meaning in enumerate(_COLORS)}
_CLOSE = "\ufdd0"
_AS_COLOR = {ord(mark): f"\x1b[{_COLORS[meaning]}m" for meaning, mark in _OPEN.items()} | {
    ord(_CLOSE): "\x1b[0m"
}
_NO_MARKS = dict.fromkeys(_AS_COLOR)

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0xAD) if code != ord("\n")}
# What breaks a line, has no width, or turns the direction of writing round (Unicode 16.0: Zl, Zp, Cf).
_UNSEEN = (0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_CONTROL |= {code: f"\\u{code:04x}" for code in (*_UNSEEN, *range(0xFFF9, 0xFFFC))}
_CONTROL |= {code: f"\\U{code:08x}" for code in range(0xE0000, 0xE0080)}
_LAST = 16  # what a last column is left with, if the others can give way
_NARROW = 10  # and what they keep
_INDENT = re.compile(r" *")


def meant(word: str, meaning: Meaning | None = None) -> str:
    """Mark a word by what it means; without ``meaning`` answers and severities are known, and others stay plain."""
    meaning = meaning or _MEANINGS.get(word)
    if meaning is None or not wants_color(sys.stdout):
        return word
    return f"{_OPEN[meaning]}{word}{_CLOSE}"


def wide(text: str) -> int:
    """Return how many columns a text takes.

    >>> wide("abc"), wide("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(map(_cells, text.translate(_NO_MARKS)))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def escaped(text: str) -> str:
    r"""Return text that a terminal shows and does not obey; names in documents may hold anything.

    >>> escaped("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.translate(_CONTROL).encode(encoding, "backslashreplace").decode(encoding)


def say(lines: Iterable[str]) -> None:
    """Print a page, of which only the first line is printed when a person asked for quiet."""
    page = list(lines)
    progress.end()
    if wishes.quiet:
        end = next(
            (place for place, line in enumerate(page[1:], 1) if not line.startswith("    ")), len(page)
        )
        page = page[:end]
    sys.stdout.write(_leaving(page, sys.stdout))


def tell(sentence: str) -> None:
    """Say something beside the result, on stderr; not if a person asked for quiet."""
    if not wishes.quiet:
        tell_lines(sentence.split("\n"))


def tell_lines(lines: Iterable[str]) -> None:
    """Say sentences on stderr, each as wide as the terminal there; the first opens with the program's name."""
    width = width_of(sys.stderr) if is_terminal(sys.stderr) else 0
    page: list[str] = []
    for line in lines:
        text = line if page else f"armlevel: {line}"
        indent = _INDENT.match(text)[0]  # type: ignore[index]
        page += wrapped(text, indent, f"{indent}    ", width) if width else [text]
    progress.clear()
    print(_leaving(page, sys.stderr), end="", file=sys.stderr)


def tell_page(lines: Sequence[str]) -> None:
    """Print lines that are laid out already on stderr; not if a person asked for quiet."""
    if lines and not wishes.quiet:
        progress.clear()
        print(_leaving(lines, sys.stderr), end="", file=sys.stderr)


def say_json(document: Any) -> None:
    """Print a JSON document."""
    from armlevel.documents.write import pretty

    progress.end()
    try:
        sys.stdout.write(pretty(document))
    except UnicodeEncodeError:
        import json

        sys.stdout.write(json.dumps(document, indent=1) + "\n")


def _leaving(page: Sequence[str], stream: TextIO) -> str:
    # A line break inside of a line is in a name or a text of a document.
    lines = [escaped(line.rstrip()).replace("\n", "\\n") for line in page]
    if is_terminal(stream):
        width = width_of(stream)
        lines = [part for line in lines for part in _folded(line, width)]
    text = "".join(f"{line}\n" for line in lines)
    return text.translate(_AS_COLOR) if wants_color(stream) else text


def silence() -> None:
    """Send what is still to be written to nowhere, so that the interpreter does not fail on its way out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue


def _folded(line: str, width: int) -> list[str]:
    # A word that is longer than a line goes on where the line does.
    if wide(line) <= width:
        return [line]
    lines, room = [""], width
    for character in line:
        cells = 0 if ord(character) in _NO_MARKS else _cells(character)
        if cells > room:
            lines.append("")
            room = width
        lines[-1] += character
        room -= cells
    return lines


def wrapped(text: str, first: str = "", rest: str | None = None, width: int | None = None) -> list[str]:
    """Break text at spaces; ``first`` opens the first line and ``rest`` each other one. Words are never broken.

    >>> wrapped("FEAT_A FEAT_B FEAT_C", "  features  ", width=26)
    ['  features  FEAT_A FEAT_B', '            FEAT_C']
    """
    width = page_width() if width is None else width
    rest = " " * wide(first) if rest is None else rest
    if wide(rest) > width // 2:
        rest = " " * (width // 4)
    lines: list[str] = []
    line, at, empty = first, wide(first), True
    for word in text.split():
        size = wide(word)
        if at + (not empty) + size > width and (not empty or (line.strip() and at > wide(rest))):
            lines.append(line)
            line, at, empty = rest, wide(rest), True
        line, at = (line + word, at + size) if empty else (f"{line} {word}", at + 1 + size)
        empty = False
    return [*lines, line]


def columns(
    rows: Sequence[Sequence[str]], indent: str = "", gap: int = 2, width: int | None = None
) -> list[str]:
    """Lay rows out in columns; the last column is wrapped, the others are as wide as they need.

    A row whose earlier cells leave no room for the last one gets it on a line of its own. Where the columns do not
    fit beside one another the widest give way, and their cells are wrapped too.

    >>> columns([("a", "one two"), ("bbb", "three")], width=12)
    ['a    one two', 'bbb  three']
    >>> columns([("a name that is long", "x y", "one two")], width=30)
    ['a name that is long  x y', '    one two']
    >>> columns([("a", "b" * 10, "FEAT_Debugv8p1 c")], width=26)
    ['a  bbbbbbbbbb', '    FEAT_Debugv8p1 c']
    """
    if not rows:
        return []
    width = page_width() if width is None else width
    widths = [
        max((wide(row[i]) for row in rows if i < len(row) - 1), default=0)
        for i in range(max(map(len, rows)) - 1)
    ]
    widths = _fitting(widths, width - wide(indent) - gap * len(widths))
    lines: list[str] = []
    for row in rows:
        lines += _row(row, widths, indent, gap, width)
    return lines


def _fitting(widths: list[int], room: int) -> list[int]:
    # The last column may go onto a line of its own; the others have to fit, and else leave it some room.
    if sum(widths) <= room:
        return widths
    widths = list(widths)
    while widths and sum(widths) > room - _LAST and max(widths) > _NARROW:
        widths[widths.index(max(widths))] -= 1
    return widths


def _row(row: Sequence[str], widths: Sequence[int], indent: str, gap: int, width: int) -> list[str]:
    cells = [_cell(cell, size) for cell, size in zip(row[:-1], widths, strict=False)]
    tall = max(map(len, cells), default=1)
    heads = [
        indent
        + "".join(
            _padded(cell[at] if at < len(cell) else "", size + gap)
            for cell, size in zip(cells, widths, strict=False)
        )
        for at in range(tall)
    ]
    last, room = row[-1], width - wide(heads[0])
    # A word that does not fit would stand out behind the page.
    if wide(last) > room and (room < 12 or max(map(wide, last.split())) > room):
        return [
            *(head.rstrip() for head in heads),
            *(wrapped(last, indent + "    ", width=width) if last else []),
        ]
    texts = wrapped(last, width=room) if last else [""]
    blank = " " * wide(heads[0])
    heads += [blank] * (len(texts) - tall)
    return [head + text for head, text in zip(heads, [*texts, *[""] * (tall - len(texts))], strict=False)]


def _cell(text: str, size: int) -> list[str]:
    if wide(text) <= size:
        return [text]
    return [part for line in wrapped(text, width=size) for part in _folded(line, size)]


def _padded(text: str, size: int) -> str:
    return text + " " * (size - wide(text))
