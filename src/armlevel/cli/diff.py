"""What differs between two hosts or guests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.arch import Catalogue, load
from armlevel.cli.inputs import load_all
from armlevel.cli.options import Explain, Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.engine import Change, diff
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host

__all__ = ["run"]

_SECTIONS = {
    "identity": ("shape", "registers", "facts"),
    "register list": ("list",),
    "firmware": ("firmware",),
    "state of a fresh vCPU (no identity)": ("state",),
    "software (evidence only)": ("software",),
}
_FEW = 4
_WORDS = 20


def run(
    a: Annotated[str, typer.Argument(metavar="A", help="A host or guest.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Compare two hosts or guests, field by field; exit 1 if a guest's CPU differs.

    A host is compared by its passthrough guest. The direction says what B promises, seen from A.
    """
    catalogue = load()
    found = [loaded.document for loaded in load_all([a, b])]
    items = [document for document in found if isinstance(document, Host | Guest)]
    if len(found) != 2 or len(items) != 2:
        raise UsageError("two hosts or guests are compared", hint="name two profiles")
    changes = diff(items[0], items[1], catalogue)
    differs = any(change.identity for change in changes)
    if as_json:
        say_json({"changes": [_json(change) for change in changes]})
    else:
        say(
            [
                *wrapped(f"from {items[0].name} to {items[1].name}"),
                *_page(changes, catalogue, explain=explain),
            ]
        )
    return 1 if differs else 0


def _json(change: Change) -> dict[str, object]:
    return {
        "subject": change.subject,
        "part": change.part,
        "from": change.before,
        "to": change.after,
        "direction": change.direction,
        "features": list(change.features),
    }


def _page(changes: Sequence[Change], catalogue: Catalogue, *, explain: bool) -> list[str]:
    if not changes:
        return ["no difference"]
    lines: list[str] = []
    for title, parts in _SECTIONS.items():
        some = [change for change in changes if change.part in parts]
        if some:
            lines += ["", f"{title}: {len(some)}"]
            if "list" in parts:
                lines += _list(some, explain=explain)
            elif "software" in parts:
                pairs = (
                    (c.subject.removeprefix("software."), f"{c.before or '-'} -> {c.after or '-'}")
                    for c in some
                )
                lines += [line for name, text in pairs for line in wrapped(text, f"  {name}: ", "      ")]
            else:
                lines += _table(some, catalogue)
    if not any(change.identity for change in changes):
        lines += ["", "a guest sees the same CPU on both"]
    return lines


def _table(changes: Sequence[Change], catalogue: Catalogue) -> list[str]:
    rows = [("subject", "from", "to", "direction", "features")]
    for change in changes:
        field = catalogue.fields.get(change.subject)
        before, after = (_value(text, catalogue, change.subject) for text in (change.before, change.after))
        names = " ".join(change.features)
        if not names and field is not None:
            words = [field.values.get(int(text), "") for text in (change.before, change.after) if text]
            told = " -> ".join(word or "?" for word in words) if any(words) else ""
            names = told if len(told) <= _WORDS else ""
        rows.append((change.subject, before, after, change.direction, names))
    return columns(rows, "  ")


def _value(text: str | None, catalogue: Catalogue, subject: str) -> str:
    row = catalogue.firmware.get(subject)
    if text is None:
        return "-"
    if row is not None and text.startswith("0x"):
        return row.name_of(int(text, 16))
    return text


def _list(changes: Sequence[Change], *, explain: bool) -> list[str]:
    lines: list[str] = []
    for direction, words in (("less", "only the first lists"), ("more", "only the second lists")):
        names = [change.subject for change in changes if change.direction == direction]
        if names:
            shown = names if explain else names[:_FEW]
            more = f" and {len(names) - len(shown)} more (--explain)" if len(names) > len(shown) else ""
            lines += wrapped(f"{len(names)}: {', '.join(shown)}{more}", f"  {words} ", "      ")
    return lines
