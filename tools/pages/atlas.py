"""The atlas of KVM's guest ABI: kernel line by register by field, as the recorded emulated hosts answered.

Every cell was tried on real KVM: what a fresh vCPU shows, and which values KVM takes in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from armlevel.arch import Catalogue, Field, LineChange
from armlevel.engine.fields.domains import fields_of
from armlevel.kvm import name_of
from armlevel.profile import Host, Offer, Shape
from pages.answers import WORDS, among, merged, passthrough, shown, takes, together
from pages.lines import Masks, line_pages
from pages.markdown import page, table, toctree

__all__ = ["atlas_pages"]

_ABOUT = """What a guest can be shown depends on the kernel of its host as much as on the silicon. These pages are made
from emulated hosts with stock Debian kernels, where every value of every field was written into a scratch VM and read
back: the kernels' rules are real, the CPUs are QEMU's. The shape is the plain one, without PMU, SVE, pointer
authentication, MTE or nested virtualisation. What an emulator cannot show is [not in it](/concepts/emulator.md)."""

_FIELDS = """Which values of a field KVM takes, by kernel line, over all CPUs of the atlas. Only CPUs on which there is
something to take are counted; where they differ, the rarer answer names them. Fields that take nothing but their own
value on every line are left out: they are in the page of each CPU."""

_MEANING = table(("word", "KVM takes"), ((f"`{word}`", about) for word, about in WORDS.items()))

Column = Mapping[str, Offer]


def atlas_pages(hosts: Sequence[Host], catalogue: Catalogue, masks: Masks) -> dict[str, str]:
    """Return path -> text of the atlas; hosts are named ``cpu@line``, ``masks`` are those of each kind of host."""
    by_cpu: dict[str, dict[str, Offer]] = {}
    by_line: dict[str, list[Host]] = {}
    for host in hosts:
        cpu, _, line = host.name.partition("@")
        if "," in host.name:
            continue  # a variant: its boot options, not its kernel, make the difference
        offer = host.offer(Shape())
        if offer is not None:
            by_cpu.setdefault(cpu, {})[line] = offer
            by_line.setdefault(line, []).append(host)
    lines = sorted(by_line, key=_number)
    steps = {newer: _step(by_cpu, older, newer, catalogue) for older, newer in pairwise(lines)}
    pages = {f"atlas/{cpu}.md": _cpu(cpu, column, lines, catalogue) for cpu, column in sorted(by_cpu.items())}
    pages["atlas/fields.md"] = page(
        "What KVM takes, by kernel and field", _FIELDS, _MEANING, *_fields(by_cpu, lines, catalogue)
    )
    pages["atlas.md"] = _changes(by_cpu, lines, steps)
    return pages | line_pages({line: by_line[line] for line in lines}, steps, masks, catalogue)


def _number(line: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 99 for part in line.split("."))


def _changes(by_cpu: Mapping[str, Column], lines: Sequence[str], steps: Mapping[str, Sequence[str]]) -> str:
    parts = [_ABOUT]
    for older, newer in pairwise(lines):
        parts += [f"## From {older} to {newer}", *steps[newer]]
    listed = ["atlas/fields", *(f"atlas/linux-{line}" for line in lines), "atlas/tcg"]
    listed += [f"atlas/{cpu}" for cpu in sorted(by_cpu)]
    return page("What each kernel changed", *parts, "## Everything", toctree(listed))


def _step(by_cpu: Mapping[str, Column], older: str, newer: str, catalogue: Catalogue) -> list[str]:
    both = {cpu: (c[older], c[newer]) for cpu, c in by_cpu.items() if older in c and newer in c}
    listed: dict[tuple[str, str], list[str]] = {}
    values: dict[str, dict[tuple[str, str], list[str]]] = {}
    rules: dict[tuple[str, str, str], list[str]] = {}
    for cpu, (a, b) in both.items():
        before, after = set(a.register_list or ()), set(b.register_list or ())
        for kvm_id in before ^ after:
            listed.setdefault((name_of(kvm_id), "no longer" if kvm_id in before else "new"), []).append(cpu)
        for field in _of((a, b), catalogue):
            cells = shown(a, field), shown(b, field)
            if cells[0] != cells[1] and "-" not in cells:
                values.setdefault(_subject(field), {}).setdefault(cells, []).append(cpu)
    for field in _of((offer for pair in both.values() for offer in pair), catalogue):
        answers = [
            merged({cpu: takes(pair[end], field) for cpu, pair in both.items()}) or "own" for end in (0, 1)
        ]
        if answers[0] != answers[1]:
            rules.setdefault((field.register, answers[0], answers[1]), []).append(field.name)
    registers = together((name, what, among(cpus, len(both))) for (name, what), cpus in listed.items())
    fresh = together((subject, _moved(cells, len(both))) for subject, cells in values.items())
    return [
        *_why(catalogue, older, newer),
        *_titled("Register list", ("register", "listed", "on"), registers),
        *_titled("Another value in a fresh vCPU", ("field", f"{older} → {newer}"), fresh),
        *_titled("Other values are taken", ("register", older, newer, "fields"), _taken(rules)),
    ]


def _of(offers: Iterable[Offer], catalogue: Catalogue) -> list[Field]:
    limits: dict[str, list[int]] = {}
    for offer in offers:
        for register, value in offer.limits.items():
            limits.setdefault(register, []).append(value)
    return [
        field
        for name in sorted(limits, key=passthrough)
        for field in fields_of(catalogue, name, limits[name])
    ]


def _subject(field: Field) -> str:
    return field.register if field.width == 64 else field.subject


def _titled(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"### {title}", table(heads, ((f"`{row[0]}`", *row[1:]) for row in rows))] if rows else []


def _why(catalogue: Catalogue, older: str, newer: str) -> list[str]:
    order = [line.name for line in catalogue.lines]
    ends = [
        line if line in order else order[-1] for line in (older, newer)
    ]  # 7.x: the newest that was measured
    told: list[LineChange] = [row for row in catalogue.line_changes if row.within(ends[0], ends[1], order)]
    rows = [(", ".join(f"`{one}`" for one in row.subjects), row.why) for row in told]
    source = "; ".join(dict.fromkeys(row.see for row in told))
    return ["### In short", table(("what", "since then"), rows), f"Source: {source}."] if rows else []


def _moved(cells: Mapping[tuple[str, str], Sequence[str]], total: int) -> str:
    if len(cells) == 1:
        ((a, b), cpus) = next(iter(cells.items()))
        return f"{a} → {b}" if len(cpus) == total else f"{a} → {b} ({among(cpus, total)})"
    ends = {b for _, b in cells}
    if len(ends) == 1:
        return f"{' '.join(sorted({a for a, _ in cells}, key=passthrough))} → {ends.pop()}"
    return "; ".join(f"{a} → {b} ({among(cpus, total)})" for (a, b), cpus in cells.items())


def _taken(rules: Mapping[tuple[str, str, str], Sequence[str]]) -> list[tuple[str, ...]]:
    rows = []
    for (register, a, b), fields in rules.items():
        names = "all of it" if fields == ["63:0"] else ", ".join(fields)
        rows.append((register, a, b, names))
    return together(rows)


def _fields(by_cpu: Mapping[str, Column], lines: Sequence[str], catalogue: Catalogue) -> list[str]:
    tables: dict[str, list[tuple[str, ...]]] = {}
    for field in _of((offer for column in by_cpu.values() for offer in column.values()), catalogue):
        cells = [
            merged({cpu: takes(column[line], field) for cpu, column in by_cpu.items() if line in column})
            or "own"
            for line in lines
        ]
        if any(cell not in ("own", "-") for cell in cells):
            stem, _, index = field.register.partition("[")
            name = f"[{index}" if index else field.name
            tables.setdefault(stem, []).append((name, *cells))
    parts = []
    for register, rows in tables.items():
        listed = ((f"`{name}`", *cells) for name, *cells in together(rows))
        parts += [f"## {register}", table(("field", *lines), listed)]
    return parts


def _cpu(cpu: str, column: Column, lines: Sequence[str], catalogue: Catalogue) -> str:
    here = [line for line in lines if line in column]
    about = (
        "A cell is the value a fresh vCPU shows, and which others KVM takes, in the words of "
        "[the table of all fields](fields.md). Fields that are 0 everywhere and take nothing else are left out."
    )
    tables: dict[str, list[tuple[str, ...]]] = {}
    for field in _of(column.values(), catalogue):
        cells = [_cell(column[line], field) for line in here]
        if any(cell not in ("0", "0x0", "-") for cell in cells):
            stem, _, index = field.register.partition("[")
            tables.setdefault(stem, []).append((f"[{index}" if index else field.name, *cells))
    firmware = sorted({name for offer in column.values() for name in offer.firmware})
    firm = [(f"`{name.removeprefix('KVM_REG_ARM_')}`", *(_firmware(column[line], name, catalogue) for line in here))
             for name in firmware]  # fmt: skip
    counts = [("registers listed", *(str(len(column[line].register_list or ())) for line in here))]
    parts = [about, "## Firmware and list", table(("register", *here), [*firm, *counts])]
    for register, rows in tables.items():
        listed = ((f"`{name}`", *cells) for name, *cells in together(rows))
        parts += [f"## {register}", table(("field", *here), listed)]
    return page(cpu, *parts)


def _firmware(offer: Offer, name: str, catalogue: Catalogue) -> str:
    value, row = offer.firmware.get(name), catalogue.firmware.get(name)
    return "-" if value is None else row.name_of(value) if row is not None else f"{value:#x}"


def _cell(offer: Offer, field: Field) -> str:
    value, answer = shown(offer, field), takes(offer, field)
    return value if answer in (None, "own", "-") else f"{value}, {answer}"
