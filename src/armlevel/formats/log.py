"""Logs and messages of other tools: the lines that rows know, the registers that lines name, and what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as having
from functools import cache

from armlevel.arch.messages import MessageRow, literal_of
from armlevel.kvm.in_text import NamedRegister, registers_in

__all__ = ["Log", "Said", "read_log"]

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
    said: list[Said] = []
    registers: list[tuple[int, NamedRegister]] = []
    unexplained: list[tuple[int, str]] = []
    lines = not_known = 0
    for number, whole in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        line = whole[:_LOOKED_AT].strip()
        if not line:
            continue
        lines += 1
        found = list(_said_in(line, number, rows))
        named = () if found else registers_in(line)
        said += found
        registers += [(number, one) for one in named]
        if not found and not named:
            not_known += 1
            if _SPEAKS_OF_FAULT.search(line):
                unexplained.append((number, line))
    return Log(lines, tuple(said), tuple(registers), not_known, tuple(unexplained))


def _said_in(line: str, number: int, rows: Sequence[MessageRow]) -> Iterator[Said]:
    spans: list[tuple[int, int]] = []
    found: list[tuple[int, Said]] = []
    for row in rows:
        if _literal(row.pattern) not in line:
            continue
        for match in re.finditer(row.pattern, line):
            if all(match.end() <= start or end <= match.start() for start, end in spans):
                spans.append(match.span())
                words = {
                    name: value.strip() for name, value in match.groupdict().items() if value is not None
                }
                named = registers_in(words["register"]) if "register" in words else registers_in(match[0])
                found.append((match.start(), Said(row, number, match[0], words, named)))
    yield from (one for _, one in sorted(found, key=lambda pair: pair[0]))


@cache
def _literal(pattern: str) -> str:
    return literal_of(pattern)
