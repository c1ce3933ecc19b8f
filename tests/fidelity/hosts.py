"""The emulated hosts that the suite runs on, and what was recorded of them: one small archive beside this file."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from armlevel.arch import Catalogue, load
from armlevel.documents import canonical, host_object, read_host
from armlevel.kvm.vm import mask_index
from armlevel.profile import Host

__all__ = [
    "ADDED",
    "ARCHIVE",
    "CPUS",
    "HOSTS",
    "MASKS",
    "SAMPLE",
    "added_names",
    "alike",
    "documents_of",
    "masks_of",
    "read",
    "read_masks",
    "recorded_names",
    "same_masks",
    "write",
    "write_masks",
]

ARCHIVE = Path(__file__).parents[1] / "machines" / "lab.json.xz"
#: The kernel lines that tools/add_kernel.py added: beside the others, so that what counts those stays as it is.
ADDED = ARCHIVE.with_name("lines.json.xz")
MASKS = ARCHIVE.with_name("masks.json")
_WORDS = 192  # of the table of writable masks
#: The CPU models of which each kernel line has a plain host.
CPUS = (
    *("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "cortex-a710"),
    *("neoverse-n1", "neoverse-n2", "neoverse-v1", "a64fx", "max"),
)
_VARIANTS = (
    "neoverse-v1,sve=off@{}",
    "max,pauth-qarma5=on@{}",
    "max,pauth-impdef=on@{}",
    "max,cntfrq=62500000@{}",
    "max@{},mte=on",
    "max@{},boot=kvm-arm.mode=nested",
)
#: Ten CPU models on four kernel lines, and variants.
HOSTS = (
    *(f"{cpu}@{line}" for line in ("6.1", "6.12", "6.18", "7.x") for cpu in CPUS),
    *(variant.format(line) for line in ("6.12", "7.x") for variant in _VARIANTS),
    *(variant.format("6.18") for variant in _VARIANTS[-2:]),
    *("max,pauth-qarma3=on@7.x", "max,sve=off@7.x", "neoverse-n1,cntfrq=100000000@7.x"),
)
#: Those that `make test` boots: two kernels, with and without SVE, sets with a level and sets without.
SAMPLE = ("neoverse-n1@6.12", "neoverse-n1@7.x", "neoverse-n2@7.x", "cortex-a72@7.x")


def read(names: Iterable[str] = HOSTS, *archives: Path) -> list[Host]:
    """Return recorded hosts, out of both archives where none is named."""
    documents: dict[str, Any] = {}
    for archive in archives or (ADDED, ARCHIVE):
        documents |= documents_of(archive)
    return [read_host(json.dumps(documents[name]).encode(), name) for name in names]


def added_names() -> tuple[str, ...]:
    """Return the names of the hosts that were recorded with an added kernel line, in the order of the CPU models."""
    return tuple(sorted(documents_of(ADDED), key=lambda name: CPUS.index(re.split("[@,]", name)[0])))


def recorded_names() -> tuple[str, ...]:
    """Return the names of all recorded hosts, those of added kernel lines last."""
    return *HOSTS, *added_names()


def documents_of(archive: Path) -> dict[str, Any]:
    """Return the documents of an archive by their names; none where it is not there."""
    if not archive.exists():
        return {}
    found: dict[str, Any] = json.loads(lzma.decompress(archive.read_bytes()))
    return found


def timeless(host: Host) -> dict[str, Any]:
    """Return the document of a host without the moment at which it was probed."""
    return host_object(replace(host, made=replace(host.made, at="")))


def alike(one: Host, other: Host) -> bool:
    """Whether two probes of a host found the same; what stands around its vCPUs only where both record it."""
    if one.machine is None or other.machine is None:
        one, other = map(_without_machine, (one, other))
    documents = [timeless(host) for host in (one, other)]
    return len({canonical({k: v for k, v in some.items() if k != "made"}) for some in documents}) == 1


def _without_machine(host: Host) -> Host:
    return replace(host, machine=None, cpus=tuple(replace(cpu, cntfrq_hz=None) for cpu in host.cpus))


def write(hosts: Iterable[Host], archive: Path | None = None) -> None:
    """Write hosts into an archive, or each into the one that has it; those that it has besides stay."""
    if archive is None:
        added, hosts = set(added_names()), list(hosts)
        for each, its in ((ADDED, True), (ARCHIVE, False)):
            if some := [host for host in hosts if (host.name in added) is its]:
                write(some, each)
        return
    documents = documents_of(archive) | {host.name: timeless(host) for host in hosts}
    text = json.dumps(documents, sort_keys=True, separators=(",", ":"))
    archive.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def read_masks() -> dict[str, dict[str, str]]:
    """Return the recorded writable masks: kernel line and whether the host has AArch32 -> register -> mask."""
    found: dict[str, dict[str, str]] = json.loads(MASKS.read_text(encoding="ascii"))
    return found


def write_masks(
    hosts: Iterable[Host],
    tables: Mapping[str, Sequence[Sequence[int] | None]],
    catalogue: Catalogue | None = None,
) -> None:
    """Record what hosts said is writable: a table for each kernel line, with and without AArch32.

    All shapes of all hosts of a line say the same but for AArch32; anything else is no recording. ``catalogue`` says
    which lines there are; of itself the one that was compiled does.
    """
    found, asked = read_masks() if MASKS.exists() else {}, set[str]()
    for host in hosts:
        kind = _kind(host, catalogue or load())
        if kind not in asked:
            found.pop(kind, None)
            asked.add(kind)
        for table in tables.get(host.name, ()):
            if table is not None and found.setdefault(kind, named := _named(table)) != named:
                raise ValueError(f"{host.name}: another table of masks than the hosts of its kind")
    MASKS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="ascii")


def masks_of(host: Host) -> list[int] | None:
    """Return the recorded table that a host has; None for a kernel without masks."""
    rows = read_masks().get(_kind(host, load()))
    if rows is None:
        return None
    table, places = [0] * _WORDS, _places(load())
    for name, mask in rows.items():
        table[places[name]] = int(mask, 16)
    return table


def same_masks(host: Host, table: Sequence[int] | None) -> bool:
    """Whether a table is the recorded one of the host's kind."""
    return read_masks().get(_kind(host, load())) == (None if table is None else _named(table))


def _kind(host: Host, catalogue: Catalogue) -> str:
    line = catalogue.line(host.software.kernel)
    el0 = catalogue.fields["ID_AA64PFR0_EL1.EL0"]
    has = any(el0.get(offer.limits.get("ID_AA64PFR0_EL1", 0)) > 1 for offer in host.offers)
    return f"{line.name if line else host.software.kernel}, {'with' if has else 'without'} AArch32"


def _named(table: Sequence[int]) -> dict[str, str]:
    return {name: f"0x{table[at]:016x}" for name, at in _places(load()).items() if table[at]}


def _places(catalogue: Catalogue) -> dict[str, int]:
    return {
        name: mask_index(row.encoding)
        for name, row in catalogue.registers.items()
        if not row.encoding[2] and row.encoding[0] == 3
    }
