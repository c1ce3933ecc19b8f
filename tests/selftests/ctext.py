"""Reads the plain parts of C: arrays, macros and calls with constant words. No more than tables need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["arrays", "calls", "entries", "macros", "number", "without_comments"]

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ARRAY = re.compile(r"\b(?P<name>\w+)\s*\[\s*\w*\s*\]\s*=\s*\{")
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)(?P<rest>[^\n]*)$", re.MULTILINE)
_NUMBER = re.compile(r"(?P<digits>0[xX][0-9a-fA-F]+|\d+)[uUlL]*")


def without_comments(text: str) -> str:
    r"""Return a text without its comments; lines that a backslash goes on are one line.

    >>> without_comments("a /* b */ c // d\ne \\\n f")
    'a   c  \ne   f'
    """
    return _COMMENT.sub(" ", text).replace("\\\n", " ")


def arrays(text: str) -> dict[str, str]:
    """Return what stands between the braces of each array, by name; of two with a name the first.

    >>> arrays("int a[] = { 1, {2} }; static struct b c[3] = { X(1) };")
    {'a': ' 1, {2} ', 'c': ' X(1) '}
    """
    found: dict[str, str] = {}
    for match in _ARRAY.finditer(text):
        found.setdefault(match["name"], _inside(text, match.end()))
    return found


def macros(text: str) -> dict[str, str]:
    """Return the words of each macro that takes no arguments.

    >>> macros("#define A 1\\n#define F(x) x\\n#define B\\n")
    {'A': '1', 'B': ''}
    """
    return {m["name"]: m["rest"].strip() for m in _MACRO.finditer(text) if not m["rest"].startswith("(")}


def entries(body: str) -> list[str]:
    """Split at the commas that stand outside of brackets; blanks at the ends and empty entries go.

    >>> entries("A(1, 2), {3, 4}, B |\\n C,")
    ['A(1, 2)', '{3, 4}', 'B | C']
    """
    found, begin, depth = [], 0, 0
    for at, letter in enumerate(body):
        depth += (letter in "({[") - (letter in ")}]")
        if letter == "," and not depth:
            found.append(body[begin:at])
            begin = at + 1
    found.append(body[begin:])
    return [" ".join(entry.split()) for entry in found if entry.strip()]


def calls(text: str, *names: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each call of one of these names, with its words.

    >>> list(calls("F(A, 1), G(2), FF(3)", "F", "G"))
    [('F', ['A', '1']), ('G', ['2'])]
    """
    for match in re.finditer(rf"\b({'|'.join(map(re.escape, names))})\s*\(", text):
        yield match[1], entries(_inside(text, match.end()))


def number(word: str, known: Mapping[str, str] | None = None) -> int | None:
    """Return the number that a word is, or that a macro gives it; None if it is neither.

    >>> number("0x10"), number("5ULL"), number("A", {"A": "B", "B": "7"}), number("C")
    (16, 5, 7, None)
    """
    named = known or {}
    for _ in range(len(named) + 1):
        if match := _NUMBER.fullmatch(word):
            return int(match["digits"], 0)
        word = named.get(word, "")
    return None


def _inside(text: str, begin: int) -> str:
    # From behind an opening bracket to the one that closes it; to the end if none does.
    depth = 1
    for at in range(begin, len(text)):
        depth += (text[at] in "({[") - (text[at] in ")}]")
        if not depth:
            return text[begin:at]
    return text[begin:]
