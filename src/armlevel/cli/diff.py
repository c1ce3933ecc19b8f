"""What differs between two hosts or guests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.arch import Catalogue, LineChange, load
from armlevel.cli.answers import open_lines
from armlevel.cli.options import Explain, Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.operations import Change
from armlevel.operations.diff import DiffResult, diff
from armlevel.operations.named import load_all
from armlevel.words.changes import side_text, values_named
from armlevel.words.subjects import listed_few

__all__ = ["run"]

_SECTIONS = {
    "identity": ("shape", "registers", "facts"),
    "register list": ("list",),
    "firmware": ("firmware",),
    "machine": ("machine",),
    "state of a fresh vCPU (no identity)": ("state",),
    "software (evidence only)": ("software",),
}
_FEW = 12
_INDEXED = re.compile(r"(.*)\[(\d+)\]")
_WORDS = 20
_WHEN = 17


def run(
    a: Annotated[str, typer.Argument(metavar="A", help="A host or guest.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Compare two hosts or guests, field by field; exit 1 if a guest's CPU differs, 3 if that cannot be said.

    What one of them does not record is not compared, and named. A host is compared by its passthrough guest. The
    direction says what B promises, seen from A.
    """
    found = diff([loaded.document for loaded in load_all([a, b])])
    if as_json:
        say_json(found.document())
    else:
        names = found.before, found.after
        say(
            [
                *wrapped(f"from {found.before} to {found.after}: {_answer(found)}", rest="    "),
                *_page(found.changes, load(), names, explain=explain),
                *open_lines(found.not_compared, "not compared", explain=explain),
                *_kernels(found.kernels),
            ]
        )
    return found.status


def _answer(found: DiffResult) -> str:
    known = not found.not_compared
    identity = [change for change in found.changes if change.identity]
    if count := len(identity):
        what = (
            "what stands around a guest's CPU"
            if all(one.part == "machine" for one in identity)
            else "a guest's CPU"
        )
        return f"{what} differs, in {count} place{'s' * (count > 1)}"
    if not known:
        count = len(found.not_compared)
        open_ = f"cannot say, for {count} thing{'s' * (count > 1)} {'are' if count > 1 else 'is'} not recorded on both"
        return open_ if found.changes else f"no difference in what both record; {open_}"
    return "a guest sees the same CPU on both" if found.changes else "no difference"


def _page(
    changes: Sequence[Change], catalogue: Catalogue, names: tuple[str, str], *, explain: bool
) -> list[str]:
    lines: list[str] = []
    for title, parts in _SECTIONS.items():
        some = [change for change in changes if change.part in parts]
        if some:
            lines += ["", f"{title}: {len(some)}"]
            if "list" in parts:
                lines += _list(some, names, explain=explain)
            elif "software" in parts:
                pairs = (
                    (c.subject.removeprefix("software."), " -> ".join(_sides(c, catalogue))) for c in some
                )
                lines += [line for name, text in pairs for line in wrapped(text, f"  {name}: ", "      ")]
            else:
                lines += _table(some, catalogue)
    return lines


def _table(changes: Sequence[Change], catalogue: Catalogue) -> list[str]:
    rows = [("subject", "from", "to", "direction", "features")]
    for change in changes:
        names = " ".join(change.features)
        if not names:
            # A side of which capabilities alone are known has several values, or a range of them.
            words = values_named((change.before, change.after), change.subject, catalogue)
            told = " -> ".join(word or "?" for word in words) if any(words) else ""
            names = told if len(told) <= _WORDS else ""
        rows.append((change.subject, *_sides(change, catalogue), change.direction, names))
    return columns(rows, "  ")


def _sides(change: Change, catalogue: Catalogue) -> tuple[str, str]:
    before, after = (side_text(side, change.subject, catalogue) for side in (change.before, change.after))
    return before, after


def _list(changes: Sequence[Change], hosts: tuple[str, str], *, explain: bool) -> list[str]:
    lines: list[str] = []
    for direction, (here, there) in (("less", hosts), ("more", hosts[::-1])):
        found = [change.subject for change in changes if change.direction == direction]
        if found:
            text = listed_few(_folded(found), _FEW, every=explain)
            more = " (--explain)" if text.endswith(" more") else ""
            lines += wrapped(f"listed by {here}, absent from {there}: {len(found)}", "  ", "      ")
            lines += wrapped(f"{text}{more}", "    ")
    return lines


def _folded(names: Sequence[str]) -> list[str]:
    # CCSIDR_EL1[3], [4], [5] is CCSIDR_EL1[3..5].
    found: list[tuple[str, int, int]] = []
    for name in names:
        match = _INDEXED.fullmatch(name)
        stem, at = (match[1], int(match[2])) if match else (name, -1)
        if match and found and found[-1][0] == stem and found[-1][2] == at - 1:
            found[-1] = (stem, found[-1][1], at)
        else:
            found.append((stem, at, at))
    return [
        stem if first < 0 else f"{stem}[{first}]" if first == last else f"{stem}[{first}..{last}]"
        for stem, first, last in found
    ]


def _kernels(known: Sequence[tuple[LineChange, tuple[str, ...]]]) -> list[str]:
    lines = ["", f"what KVM changed between these kernels, as measured: {len(known)}"] if known else []
    for row, subjects in known:
        when = f"  {row.until} to {row.since}".ljust(_WHEN)
        lines += wrapped(f"{row.why}: {', '.join(_folded(subjects))}", when)
    return lines
