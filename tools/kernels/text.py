"""Rows as text: where a list of kernel lines stands in the files of arch/data/kvm, and how one more gets into it.

Files are edited and not written anew, so that comments and order stay, and a reviewer sees what was added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Listed",
    "add_line",
    "add_rule",
    "extend",
    "listed_in",
    "move_change",
    "read_texts",
    "say_measured",
    "series_of",
]

_HEAD = re.compile(r"(\[\[?)([A-Za-z].*?)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"([A-Za-z_0-9]+) = ")
_LIST = re.compile(r"\b(?:lines|ignored_on|gated_on) = \[([^\[\]]*)\]")
_FIELD = re.compile(r'field = "([^"]+)"')
_LINES = "lines.toml"

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """One list of kernel lines: ``subject`` is the field, the register or the name of the row it belongs to."""

    file: str
    subject: str
    lines: tuple[str, ...]
    start: int
    end: int

    def __str__(self) -> str:
        """Name the row for a person."""
        return f"{self.file}: {self.subject} ({', '.join(self.lines)})"


def read_texts(folder: Path) -> Texts:
    """Return the text of each file of rows about KVM, by its name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.toml"))}


def listed_in(file: str, text: str) -> Iterator[Listed]:
    r"""Give every list of kernel lines of a file.

    >>> text = '[writable.R]\nF = { lines = ["6.1"], rule = "lower" }\n'
    >>> [(one.subject, one.lines) for one in listed_in("writable.toml", text)]
    [('R.F', ('6.1',))]
    """
    head, field, place = "", "", 0
    for row in text.splitlines(keepends=True):
        if match := _HEAD.match(row):
            head, field = match[2], ""
        elif match := _KEY.match(row):
            field = match[1] if file == "writable.toml" else field
        if match := _FIELD.match(row):
            field = match[1]
        for found in () if row.startswith("#") else _LIST.finditer(row):
            lines = tuple(re.findall(r'"([^"]+)"', found[1]))
            start, end = found.span(1)
            yield Listed(file, _subject(head, field), lines, place + start, place + end)
        place += len(row)


def _subject(head: str, field: str) -> str:
    if head.startswith("writable."):
        return f"{head.partition('.')[2]}.{field}"
    return field or head.partition(".")[2].strip('"')


def extend(texts: Texts, rows: Sequence[Listed], line: str, order: Sequence[str]) -> Texts:
    """Return the texts with ``line`` in each of these lists, in the order of the lines."""
    done = dict(texts)
    for row in sorted(rows, key=lambda one: one.start, reverse=True):
        lines = ", ".join(f'"{name}"' for name in sorted({*row.lines, line}, key=list(order).index))
        text = done[row.file]
        done[row.file] = text[: row.start] + lines + text[row.end :]
    return done


def series_of(line: str) -> tuple[int, int]:
    """Return major and minor of a line.

    >>> series_of("6.17")
    (6, 17)
    """
    major, minor = line.split(".")
    return int(major), int(minor)


def add_line(texts: Texts, line: str, newer: str | None, said: Sequence[tuple[str, str]]) -> Texts:
    """Return the texts with a row for the line itself: before the row of ``newer``, or last."""
    block = f'[lines."{line}"]\nseries = [[{line.replace(".", ", ")}]]\n'
    block += "".join(f"{key} = {value}\n" for key, value in said)
    text = texts[_LINES]
    if newer is None:
        return {**texts, _LINES: f"{text.rstrip()}\n\n{block}"}
    before, head, after = text.partition(f'[lines."{newer}"]')
    remarks = re.search(r"(?:^#.*\n)*\Z", before, re.MULTILINE)
    at = remarks.start() if remarks else len(before)
    return {**texts, _LINES: f"{before[:at]}{block}\n{before[at:]}{head}{after}"}


def say_measured(texts: Texts, line: str, said: str) -> Texts:
    """Return the texts with other words about how a line was measured (a TOML string, quotes included)."""
    before, head, after = texts[_LINES].partition(f'[lines."{line}"]\n')
    after = re.sub(r"^measured = .*$", f"measured = {said}", after, count=1, flags=re.MULTILINE)
    return {**texts, _LINES: f"{before}{head}{after}"}


def add_rule(texts: Texts, subject: str, rule: str) -> Texts:
    """Return the texts with one more rule for a field that userspace may write: ``rule`` is an inline table."""
    register, _, field = subject.partition(".")
    text, head = texts["writable.toml"], f"[writable.{register}]\n"
    if head not in text:
        return {**texts, "writable.toml": f"{text.rstrip()}\n\n{head}{field} = {rule}\n"}
    before, _, rest = text.partition(head)
    body, blank, after = rest.partition("\n\n")
    one = re.compile(rf"^{field} = (\{{.*\}})$", re.MULTILINE)
    many = re.compile(rf"^{field} = \[\n(?:  .*\n)+", re.MULTILINE)
    if match := one.search(body):
        body = f"{body[: match.start()]}{field} = [\n  {match[1]},\n  {rule},\n]{body[match.end() :]}"
    elif match := many.search(body):
        body = f"{body[: match.end()]}  {rule},\n{body[match.end() :]}"
    else:
        body = f"{body.rstrip()}\n{field} = {rule}" + ("\n" if not blank else "")
    return {**texts, "writable.toml": before + head + body + blank + after}


def move_change(texts: Texts, number: int, end: str, line: str) -> Texts:
    """Return the texts with one ``[[between]]`` row (by its number) that begins or ends (``end``) at ``line``."""
    heads = [
        match.start() for match in re.finditer(r"^\[\[between\]\]$", texts["between.toml"], re.MULTILINE)
    ]
    text, at = texts["between.toml"], heads[number]
    changed = re.sub(rf'^{end} = "[^"]*"$', f'{end} = "{line}"', text[at:], count=1, flags=re.MULTILINE)
    return {**texts, "between.toml": text[:at] + changed}
