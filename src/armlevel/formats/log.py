"""Logs and messages of other tools: the lines that rows know, the registers that lines name, and what is left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as having
from functools import cache

from armlevel.arch.messages import MessageRow, literal_of
from armlevel.kvm.in_text import NamedRegister, registers_in

__all__ = ["Log", "Said", "read_log"]

_Ready = tuple[tuple[str, "re.Pattern[str]", MessageRow], ...]

#: More lines than this are a log, and not what somebody copied out of one.
_PASTED = 500
#: Columns of a line that are looked at: no message is longer.
_LOOKED_AT = 4096
_SPEAKS_OF_FAULT = re.compile(
    r"\berror|\bfail|\binvalid\b|\bcannot\b|\bcould not\b|\bunable\b|\brefus|\bunsupported\b|\bnot supported\b"
    r"|\bunexpected|\babort|\bmismatch|\bdenied\b|\bunknown\b|\bpanic|\bE[A-Z]{3,8}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A message in a log: the row that knows it, its line (the first is 1), its text and what stands in it."""

    row: MessageRow
    line: int
    text: str
    words: Mapping[str, str] = having(hash=False)
    registers: tuple[NamedRegister, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """A text, read: how many ``lines`` say something, and what was found in them.

    ``registers`` are those of lines that no row knows; ``not_known`` the lines in which nothing was found, and
    ``unexplained`` those of them that speak of a fault.
    """

    lines: int
    said: tuple[Said, ...]
    registers: tuple[tuple[int, NamedRegister], ...] = ()
    not_known: int = 0
    unexplained: tuple[tuple[int, str], ...] = ()


def read_log(text: str, rows: Sequence[MessageRow]) -> Log:
    r"""Read a text line by line.

    >>> from armlevel.arch.messages import messages
    >>> log = read_log("hello\nFailed to put registers after init: Invalid argument\n", messages())
    >>> [(one.line, one.row.means) for one in log.said], log.not_known
    ([(2, 'values-refused')], 1)
    """
    ready = _ready(tuple(rows))
    said: list[Said] = []
    registers: list[tuple[int, NamedRegister]] = []
    unknown: dict[int, str] = {}
    every = re.split(r"\r\n|\r|\n", text)
    lines = 0
    for number, whole in enumerate(every, 1):
        line = whole[:_LOOKED_AT].strip()
        if not line:
            continue
        lines += 1
        found = _said_in(line, number, ready)
        # A terminal or a mail may have broken a message.
        before = unknown.get(number - 1) if len(every) <= _PASTED else None
        if not found and before is not None:
            found = _said_in(f"{before} {line}", number - 1, ready)
            if found:
                del unknown[number - 1]
        named = () if found else registers_in(line)
        said += found
        registers += [(number, one) for one in named]
        if not found and not named:
            unknown[number] = line
    faults = tuple((number, line) for number, line in unknown.items() if _SPEAKS_OF_FAULT.search(line))
    return Log(lines, tuple(said), tuple(registers), len(unknown), faults)


def _said_in(line: str, number: int, ready: _Ready) -> list[Said]:
    lower = line.lower()
    possible = [(pattern, row) for literal, pattern, row in ready if literal in lower]
    found: list[tuple[int, int, Said]] = []
    for pattern, row in possible:
        for match in pattern.finditer(line):
            if all(match.end() <= start or end <= match.start() for start, end, _ in found):
                words = {
                    name: value.strip() for name, value in match.groupdict().items() if value is not None
                }
                named = registers_in(words.get("register", match[0]))
                found.append((*match.span(), Said(row, number, match[0], words, named)))
    return [one for _, _, one in sorted(found, key=lambda one: one[0])]


@cache
def _ready(rows: tuple[MessageRow, ...]) -> _Ready:
    # Most lines of a log are nobody's: a text that must stand in them says so sooner than a pattern does.
    return tuple(
        (literal_of(row.pattern).lower(), re.compile(row.pattern, re.IGNORECASE), row) for row in rows
    )
