"""What ``lscpu`` prints: which cores there are and how many, found by the names and steppings that it gives them."""

from __future__ import annotations

import re

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.processors import MOST, Beside, Processor, frequency_facts, hwcaps_of, unknown_host
from armlevel.formats.text import integer
from armlevel.profile import Host, Implementation

__all__ = ["from_json", "looks", "read"]

_ARCHITECTURE = re.compile(r"^Architecture:\s+(aarch64|arm64)\b", re.MULTILINE)
_STEPPING = re.compile(r"r(\d{1,2})p(\d{1,2})")
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,3}")
_NOT_NAME = re.compile(r"[^a-z0-9]")
_OF_A_KIND = frozenset(
    {"Model", "Stepping", "BogoMIPS", "Flags", "Core(s) per socket", "Core(s) per cluster"}
)
_EACH = ("Thread(s) per core", "Core(s) per socket", "Core(s) per cluster", "Socket(s)", "Cluster(s)")


def looks(text: str) -> bool:
    """Whether this is what lscpu prints of an arm64 machine."""
    return _ARCHITECTURE.search(text[:10_000]) is not None


def from_json(document: dict[str, object]) -> str | None:
    """Return the text of what ``lscpu -J`` prints; None if this is something else."""
    rows = document.get("lscpu")
    return None if not isinstance(rows, list) else "\n".join(_flat(rows, 0)) + "\n"


def _flat(rows: list[object], depth: int) -> list[str]:
    found = []
    for row in rows:
        if isinstance(row, dict) and depth < 8:
            found.append(f"{row.get('field', '')} {row.get('data', '')}")
            children = row.get("children")
            found += _flat(children, depth + 1) if isinstance(children, list) else []
    return found


def read(text: str, path: str, name: str, catalogue: Catalogue) -> Host:
    """Read the cores; what KVM offers stays unknown.

    Raises:
        BadDocument: it does not say how many CPUs there are, or contradicts itself.

    """
    rows = [tuple(part.strip() for part in line.split(":", 1)) for line in text.splitlines() if ":" in line]
    total = integer(next((row[1] for row in rows if row[0] == "CPU(s)"), ""))
    if not total or total > MOST:
        raise BadDocument(path, ("CPU(s): is no number of CPUs",), hint="what lscpu prints was expected")
    sections = _sections(rows)
    processors: list[Processor] = []
    for section in sections:
        one = (None, _implementation(section, catalogue))
        processors += [one] * min(_count(section), total - len(processors))
    # CPUs that no section counts are there, and not known.
    processors += [(None, Implementation())] * (total - len(processors))
    flags = [section.get("Flags", "") for section in sections]
    figures = [section.get("BogoMIPS", "") for section in sections]
    source = "lscpu: which cores there are; what KVM offers is not in it, so every field is unknown"
    return unknown_host(name, processors, source, Beside(frequency_facts(figures), hwcaps_of(flags)))


def _sections(rows: list[tuple[str, ...]]) -> list[dict[str, str]]:
    # One a kind of core: it begins with the model's name, or where a key stands again because that line is missing.
    vendor = ""
    sections: list[dict[str, str]] = []
    for key, value in rows:
        if key == "Vendor ID":
            vendor = value
        elif key == "Model name" or (key in _OF_A_KIND and (not sections or key in sections[-1])):
            sections.append({"vendor": vendor, key: value})
        elif sections:
            sections[-1].setdefault(key, value)
    return sections


def _count(section: dict[str, str]) -> int:
    # What is not said (``-``) counts as one, the least: then too few are counted, and the others are not known.
    found = 1
    for key in _EACH:
        found *= integer(section.get(key, "1")) or 1
    return found if "Core(s) per socket" in section or "Core(s) per cluster" in section else 0


def _implementation(section: dict[str, str], catalogue: Catalogue) -> Implementation:
    # lscpu decodes MIDR_EL1 into a vendor, a name and a stepping: with all three it can be put together again.
    stepping = _STEPPING.fullmatch(section.get("Stepping", ""))
    part = _part(section["vendor"], section.get("Model name", ""), catalogue)
    if stepping is None or part is None or int(stepping[1]) > 15 or int(stepping[2]) > 15:
        return Implementation()
    return Implementation(
        part[0] << 24 | int(stepping[1]) << 20 | 0xF << 16 | part[1] << 4 | int(stepping[2])
    )


def _part(vendor: str, name: str, catalogue: Catalogue) -> tuple[int, int] | None:
    makers = {code for code, maker in catalogue.implementers.items() if _bare(maker) == _bare(vendor)}
    if _NUMBER.fullmatch(vendor):
        makers = {int(vendor, 16)}
    if _NUMBER.fullmatch(name) and len(makers) == 1:
        return makers.pop(), int(name, 16)
    found = {
        key for key, part in catalogue.parts.items() if _bare(part.name) == _bare(name) and key[0] in makers
    }
    found |= {
        key
        for alias, key in catalogue.part_aliases.items()
        if _bare(alias) == _bare(name) and key[0] in makers
    }
    return found.pop() if len(found) == 1 else None


def _bare(text: str) -> str:
    return _NOT_NAME.sub("", text.lower())
