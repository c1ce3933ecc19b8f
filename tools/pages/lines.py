"""A page of the atlas for each kernel line: how it was measured, what KVM calls writable, what changed with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from armlevel.arch import Catalogue
from armlevel.profile import Host, Shape
from pages.markdown import page, table
from tests.fidelity.fields import Tally, compare_host

__all__ = ["line_pages", "line_title"]

Masks = Mapping[str, Mapping[str, str]]

_TRIED = """Every value of every field of up to four bits, written into a scratch VM in every vCPU shape and read back,
against what the rows foretell of a host of which no more is known than its registers and this kernel. *unknown* is
what the rows leave open: a value that only the silicon's own register tells."""

_WRITABLE = """KVM's own table of writable bits (`KVM_ARM_GET_REG_WRITABLE_MASKS`), where it is not that of the line
before. It overstates: a bit may be in it whose field never changes."""


def line_title(line: str, hosts: Iterable[Host]) -> str:
    """Return the title of a line's page: the line, and the release that was measured."""
    release = next((host.software.kernel for host in hosts if host.software.kernel), line)
    return f"Linux {line}, measured on {release.removesuffix('-cloud-arm64')}"


def line_pages(
    by_line: Mapping[str, Sequence[Host]],
    steps: Mapping[str, Sequence[str]],
    masks: Masks,
    catalogue: Catalogue,
) -> dict[str, str]:
    """Return path -> text: a page a line, oldest first.

    ``by_line``  the plain hosts of each line, in the order of the lines
    ``steps``    what each line changed, as parts of a page; the first has none
    """
    pages, before = {}, ""
    for line, hosts in by_line.items():
        pages[f"atlas/linux-{line}.md"] = page(
            line_title(line, hosts),
            *_measured(hosts, catalogue),
            *_writable(_name(hosts, catalogue), before, masks),
            *(
                [f"## What it changed since {_shown(before, by_line, catalogue)}", *steps[line]]
                if before
                else []
            ),
        )
        before = _name(hosts, catalogue)
    return pages


def _name(hosts: Sequence[Host], catalogue: Catalogue) -> str:
    line = catalogue.line(hosts[0].software.kernel)
    return line.name if line is not None else ""


def _shown(name: str, by_line: Mapping[str, Sequence[Host]], catalogue: Catalogue) -> str:
    return next(line for line, hosts in by_line.items() if _name(hosts, catalogue) == name)


def _measured(hosts: Sequence[Host], catalogue: Catalogue) -> list[str]:
    row = catalogue.line(hosts[0].software.kernel)
    about = f"{row.measured[:1].upper()}{row.measured[1:]}. Source: {row.see}." if row is not None else ""
    rows, total = list[tuple[str, ...]](), Tally()
    for host in hosts:
        tally, offer = compare_host(host, catalogue), host.offer(Shape())
        total.add(tally)
        listed = len(offer.register_list or ()) if offer is not None else 0
        rows.append((f"`{host.name.partition('@')[0]}`", str(len(host.shapes)), str(listed), *_counts(tally)))
    rows.append(("all", "", "", *_counts(total)))
    heads = (
        "CPU",
        "shapes",
        "registers of the plain one",
        "values",
        "kept",
        "changed",
        "refused",
        "unknown",
        "wrong",
    )
    return [about, _TRIED, table(heads, rows)]


def _counts(tally: Tally) -> tuple[str, ...]:
    wrong = len(tally.wrong_yes) + len(tally.wrong_no)
    outcomes = (tally.was[name] for name in ("same", "changed", "refused"))
    return tuple(f"{count:,}" for count in (tally.compared, *outcomes, tally.unknown.total(), wrong))


def _writable(line: str, before: str, masks: Masks) -> list[str]:
    kinds = [kind for kind in ("with AArch32", "without AArch32") if f"{line}, {kind}" in masks]
    if not kinds:
        return ["## Writable bits", "This kernel does not say: the call came with 6.7."]
    changed: dict[tuple[str, str, str], list[str]] = {}
    for kind in kinds:
        old, new = masks.get(f"{before}, {kind}", {}), masks[f"{line}, {kind}"]
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                changed.setdefault((name, old.get(name, "-"), new.get(name, "-")), []).append(kind)
    if not changed:
        return ["## Writable bits", "KVM's own table of writable bits is that of the line before."]
    rows = ((f"`{name}`", " and ".join(on), old, new) for (name, old, new), on in changed.items())
    return ["## Writable bits", _WRITABLE, table(("register", "hosts", "before", "here"), rows)]
