"""A page for each recorded machine: what ``armlevel show`` prints, set as tables."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from armlevel.cli.app import run
from armlevel.documents.write import host_object
from armlevel.profile import Host
from pages.answers import passthrough
from pages.markdown import page, table

__all__ = ["machine_pages", "shown"]

_HEAD = re.compile(r"  (.{9}) (.*)")
_REGISTER = re.compile(r"  (0x[0-9a-f]{16})  ([^ :]+)(?::| for CSSELR) ?(.*)")


def machine_pages(
    groups: Iterable[tuple[str, str, Sequence[Host]]], atlas: Iterable[str] = ()
) -> dict[str, str]:
    """Return path -> text; ``groups`` are (title, what they are, hosts named ``silicon@kernel``)."""
    pages: dict[str, str] = {}
    parts = [
        "`armlevel show` decodes each of them; `--explain` says field by field which values its KVM takes."
    ]
    cpus = frozenset(atlas)
    for title, about, hosts in groups:
        silicon: dict[str, list[tuple[str, str]]] = {}
        for host in hosts:
            file = f"machines/{''.join(c if c.isalnum() or c in '-.' else '-' for c in host.name)}"
            core, _, kernel = host.name.partition("@")
            silicon.setdefault(core, []).append((kernel, f"[{kernel}]({file}.md)"))
            linked = f"[All kernels of this CPU](/atlas/{core}.md)." if core in cpus else ""
            pages[f"{file}.md"] = page(host.name, linked, *_parts(shown(host)), apart=True)
        rows = [
            (core, " · ".join(link for _, link in sorted(found, key=lambda one: passthrough(one[0]))))
            for core, found in sorted(silicon.items())
        ]
        parts += [f"## {title}", about, table(("machine", "kernels"), rows)]
    pages["machines.md"] = page("Recorded machines", *parts)
    return pages


def shown(host: Host) -> str:
    """Return what ``armlevel show`` prints of a host."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "host.json"
        path.write_text(json.dumps(host_object(host)), encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = run(["show", str(path)])
    if code:
        raise SystemExit(f"{host.name}: armlevel show gives {code}")
    return out.getvalue()


def _parts(text: str) -> list[str]:
    head, registers, *rest = text.strip("\n").split("\n\n")
    rows = _rows(head.splitlines()[1:])
    parts = [table(("what", "recorded"), (row for row in rows if row[0] != "offers"))]
    offers = [_offer(text) for title, text in rows if title == "offers"]
    parts += [
        "## Offers",
        table(("shape", "how", "registers listed", "fields that take other values"), offers),
    ]
    parts += [f"{shape}: {note}." for (shape, *_), note in zip(offers, _notes(rows), strict=True) if note]
    # A continued line starts behind its column; put it back where it belongs.
    lines = re.sub(r"\n {9,}", " ", registers).splitlines()
    found = [match for line in lines if (match := _REGISTER.fullmatch(line))]
    fields = [
        (f"`{name}`", f"`{value}`", f"for CSSELR {about}" if name == "CCSIDR_EL1" else about)
        for value, name, about in (one.groups() for one in found)
    ]
    parts += ["## Registers", table(("register", "value", "fields that are not 0"), fields)]
    zero = [line.strip() for line in lines if line.startswith("  all 0: ")]
    if len(found) + len(zero) != len(lines):
        raise SystemExit(f"armlevel show prints something else: {lines}")
    parts += [f"{one[0].upper()}{one[1:]}." for one in zero]
    for block in rest:
        cells = [re.split(r" {2,}", line.strip(), maxsplit=2) for line in block.splitlines()]
        firmware = [(f"`{one[0]}`", f"`{one[1]}`", *one[2:], *([""] * (3 - len(one)))) for one in cells]
        parts += ["## Firmware", table(("register", "value", "means"), firmware)]
    return parts


def _offer(text: str) -> tuple[str, str, str, str]:
    shape, _, rest = text.partition(": ")
    how, listed, fields = rest.split("; ", 2)
    return shape, how, listed.removesuffix(" registers listed"), fields.partition(" ")[0]


def _notes(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [
        text.partition(" fields take other values")[2].strip() for title, text in rows if title == "offers"
    ]


def _rows(lines: Iterable[str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for line in lines:
        match = _HEAD.fullmatch(line)
        if match is None:
            raise SystemExit(f"armlevel show prints something else: {line}")
        title, text = match[1].strip(), match[2]
        if title:
            rows.append((title, text))
        else:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {text.strip()}")
    return rows
