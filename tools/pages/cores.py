"""The catalogue's pages about cores: errata, instructions that hiding does not stop, part numbers, hwcaps."""

from __future__ import annotations

from armlevel.arch import Catalogue, Cores
from pages.markdown import page, table

__all__ = ["core_pages"]


def core_pages(catalogue: Catalogue) -> dict[str, str]:
    """Return path -> text."""
    parts = [
        (f"`{who:#04x}`", f"`{part:#05x}`", catalogue.implementers.get(who, ""), one.name)
        for (who, part), one in sorted(catalogue.parts.items())
    ]
    caps = [
        (f"`{name}`", f"`{one.flag}`", f"`{one.condition}`" if one.condition else "no ID register decides")
        for name, one in catalogue.hwcaps.items()
    ]
    return {
        "reference/catalogue/errata.md": _errata(catalogue),
        "reference/catalogue/cores.md": page("Cores", table(("implementer", "part", "maker", "name"), parts)),
        "reference/catalogue/hwcaps.md": page(
            "Linux's hwcaps", table(("hwcap", "/proc/cpuinfo", "stands for"), caps)
        ),
    }


def _errata(catalogue: Catalogue) -> str:
    guests = [one for one in catalogue.errata if not one.not_for_guests]
    others = [one for one in catalogue.errata if one.not_for_guests]
    acted = [
        (one.name, one.what, f"`{one.when}`" if one.when else "always", _cores(one.cores, catalogue), one.see)
        for one in guests
    ]
    spared = [
        (one.name, one.what, one.not_for_guests, _cores(one.cores, catalogue), one.see) for one in others
    ]
    hidden = catalogue.hidden
    stopped = [
        (one.feature, one.control, ", ".join(one.lines), f"`{one.needs}`", one.see)
        for one in hidden.undefined.values()
    ]
    picks = [(one.name, one.picks, one.see) for one in catalogue.dispatch]
    return page(
        "Errata, and what depends on the core",
        "## Errata that a guest acts on",
        table(("erratum", "what goes wrong", "if the guest sees", "cores", "source"), acted),
        "## Errata that are none of a guest's",
        table(("erratum", "what goes wrong", "why", "cores", "source"), spared),
        "## Instructions that run although they are hidden",
        f"{hidden.see}: {', '.join(f'`{field}`' for field in hidden.fields)}.",
        "Except those that KVM makes undefined:",
        table(("feature", "by", "kernel lines", "if the host shows", "source"), stopped),
        "## Software that picks code by MIDR_EL1",
        table(("software", "picks", "source"), picks),
    )


def _cores(rows: tuple[Cores, ...], catalogue: Catalogue) -> str:
    return "; ".join(dict.fromkeys(_core(row, catalogue) for row in rows))


def _core(row: Cores, catalogue: Catalogue) -> str:
    known = catalogue.parts.get((row.implementer, row.part))
    name = known.name if known else f"{row.implementer:#x}:{row.part:#x}"
    first, last = (f"r{one >> 4}p{one & 0xF}" for one in (row.first, row.last))
    revisions = (
        "" if (row.first, row.last) == (0, 0xFF) else f" {first} to {'all' if row.last == 0xFF else last}"
    )
    return f"{name}{revisions}" + (f" ({', '.join(row.ids)})" if row.ids else "")
