"""The atlas of KVM's guest ABI: kernel line by register by field, as the recorded emulated hosts answered.

Every cell was tried on real KVM: what a fresh vCPU shows, and which values KVM takes in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from armlevel.arch import Catalogue, Field
from armlevel.engine.domains import accepts_of, fields_of
from armlevel.kvm import name_of
from armlevel.profile import Host, Offer, Shape
from pages.markdown import page, table, toctree

__all__ = ["atlas_pages"]

_ABOUT = """What a guest can be shown depends on the kernel of its host as much as on the silicon. These pages are made
from emulated hosts with stock Debian kernels, where every value of every field was written into a scratch VM and read
back: the kernels' rules are real, the CPUs are QEMU's. The shape is the plain one, without PMU, SVE, pointer
authentication, MTE or nested virtualisation.

What the emulator cannot show (silicon's PMU events, interrupt controllers, cache geometries, IMPLEMENTATION DEFINED
algorithms, errata) is not in the atlas."""

Column = Mapping[str, Offer]


def atlas_pages(hosts: Sequence[Host], catalogue: Catalogue) -> dict[str, str]:
    """Return path -> text of the atlas; hosts are named ``cpu@line``."""
    by_cpu: dict[str, dict[str, Offer]] = {}
    for host in hosts:
        cpu, _, line = host.name.partition("@")
        if "," in host.name:
            continue  # a variant: its boot options, not its kernel, make the difference
        offer = host.offer(Shape())
        if offer is not None:
            by_cpu.setdefault(cpu, {})[line] = offer
    lines = sorted({line for column in by_cpu.values() for line in column}, key=_number)
    pages = {f"atlas/{cpu}.md": _cpu(cpu, column, lines, catalogue) for cpu, column in sorted(by_cpu.items())}
    pages["atlas.md"] = _changes(by_cpu, lines, catalogue)
    return pages


def _number(line: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 99 for part in line.split("."))


def _changes(by_cpu: Mapping[str, Column], lines: Sequence[str], catalogue: Catalogue) -> str:
    parts = [_ABOUT]
    for older, newer in pairwise(lines):
        parts += [f"## From {older} to {newer}", *_step(by_cpu, older, newer, catalogue)]
    return page(
        "What each kernel changed", *parts, "## By CPU", toctree(f"atlas/{cpu}" for cpu in sorted(by_cpu))
    )


def _step(by_cpu: Mapping[str, Column], older: str, newer: str, catalogue: Catalogue) -> list[str]:
    both = {cpu: (c[older], c[newer]) for cpu, c in by_cpu.items() if older in c and newer in c}
    listed: dict[tuple[str, str], list[str]] = {}
    changed: dict[tuple[str, str, str], list[str]] = {}
    for cpu, (a, b) in both.items():
        before, after = set(a.registers or ()), set(b.registers or ())
        for kvm_id in before ^ after:
            listed.setdefault((name_of(kvm_id), "no longer" if kvm_id in before else "new"), []).append(cpu)
        for field in _fields(a, b, catalogue):
            cells = _cell(a, field), _cell(b, field)
            if cells[0] != cells[1]:
                changed.setdefault((field.subject, *cells), []).append(cpu)
    some = len(both)
    registers = [(f"`{name}`", what, _who(cpus, some)) for (name, what), cpus in sorted(listed.items())]
    fields = [(f"`{name}`", a, b, _who(cpus, some)) for (name, a, b), cpus in sorted(changed.items())]
    parts = [
        f"{len(registers)} registers of the list and {len(fields)} answers of fields changed, on {some} CPU models."
    ]
    parts += ["### Register list", table(("register", "listed", "on"), registers)] if registers else []
    parts += ["### Fields", table(("field", older, newer, "on"), fields)] if fields else []
    return parts


def _who(cpus: Sequence[str], total: int) -> str:
    return "all" if len(cpus) == total else ", ".join(sorted(cpus))


def _cpu(cpu: str, column: Column, lines: Sequence[str], catalogue: Catalogue) -> str:
    here = [line for line in lines if line in column]
    parts = ["A cell is the value a fresh vCPU shows; behind it the other values that KVM takes, if any."]
    registers = sorted({name for offer in column.values() for name in offer.limits})
    for register in registers:
        rows = []
        for field in fields_of(
            catalogue, register, [o.limits[register] for o in column.values() if register in o.limits]
        ):
            cells = [_cell(column[line], field) for line in here]
            if any(cell not in ("0", "-") for cell in cells):
                rows.append((f"`{field.name}`", *cells))
        if rows:
            parts += [f"## {register}", table(("field", *here), rows)]
    firmware = sorted({name for offer in column.values() for name in offer.firmware})
    firm = [(f"`{name.removeprefix('KVM_REG_ARM_')}`", *(_firmware(column[line], name, catalogue) for line in here))
             for name in firmware]  # fmt: skip
    counts = [("registers listed", *(str(len(column[line].registers or ())) for line in here))]
    parts += ["## Firmware and list", table(("register", *here), [*firm, *counts])]
    return page(cpu, *parts)


def _firmware(offer: Offer, name: str, catalogue: Catalogue) -> str:
    value, row = offer.firmware.get(name), catalogue.firmware.get(name)
    return "-" if value is None else row.name_of(value) if row is not None else f"{value:#x}"


def _fields(a: Offer, b: Offer, catalogue: Catalogue) -> list[Field]:
    return [
        field
        for register in sorted({*a.limits, *b.limits})
        for field in fields_of(
            catalogue, register, [o.limits[register] for o in (a, b) if register in o.limits]
        )
    ]


def _cell(offer: Offer, field: Field) -> str:
    value = offer.limits.get(field.register)
    if value is None:
        return "-"
    limit = field.get(value)
    accepts = accepts_of(offer, field, limit)
    shown = str(limit) if field.width <= 8 else f"{limit:#x}"
    if accepts.values is None:
        return f"{shown}; any"
    others = sorted(accepts.values - {limit})
    run = len(others) > 2 and others == list(range(others[0], others[-1] + 1))
    text = f"{others[0]} to {others[-1]}" if run else " ".join(map(str, others))
    changed = " ".join(f"{asked}→{kept}" for asked, kept in accepts.changed[:4])
    return "; ".join(filter(None, [shown, text, f"changes {changed}" if changed else ""]))
