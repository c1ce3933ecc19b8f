"""The clusters of a host in words: what they are called, where they are, and what pinning decides."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.arch import Catalogue
from armlevel.engine.clusters import Cluster, cpu_list
from armlevel.profile import Cpu, Host
from armlevel.words.subjects import core_name, hosts_text, numbers_text

__all__ = ["PINNING", "cpu_rows"]

#: What pinning a guest to the CPUs of one kind decides, and what it does not.
PINNING = (
    "decides which MIDR_EL1 the guest reads, its PMU, and before Linux 6.3 its cache sizes; KVM takes the MIDR_EL1 of"
    " the CPU that initialised it, which may be one of another kind after the next boot"
)


def cpu_rows(host: Host, clusters: Sequence[Cluster], catalogue: Catalogue) -> list[tuple[str, str]]:
    """Return titles and texts of what CPUs a host has."""
    if not host.every_cpu:
        return [("CPUs", _shown_by_offers(host, catalogue))]
    if not clusters:
        rows = [("CPUs", cpu_text(cpu, catalogue)) for cpu in host.cpus]
        others = [("others", cpu_text(cpu, catalogue)) for cpu in host.other_cpus]
        return rows + others + ([("pinned", f"to the first of these: that {PINNING}")] if others else [])
    rows = [("CPUs", f"{cpu_text(one.cpu, catalogue)}: {host.name}/{one.name}") for one in clusters]
    names = hosts_text([f"{host.name}/{one.name}" for one in clusters], every=True)
    return [
        *rows,
        ("clusters", f"{names} can be named instead of {host.name}: pinning to its CPUs {PINNING}"),
    ]


def cpu_text(cpu: Cpu, catalogue: Catalogue) -> str:
    """Return how many CPUs there are, which they are, and their numbers.

    >>> from armlevel.arch import load
    >>> from armlevel.profile import Implementation
    >>> cpu_text(Cpu(Implementation(0x414FD0B1), 2, (4, 5)), load())
    '2 x Arm Cortex-A76 r4p1 (MIDR 0x414fd0b1, REVIDR not recorded, AIDR not recorded), CPU 4-5'
    """
    count = f"{cpu.count} x " if cpu.count is not None else ""
    numbers = f", CPU {cpu_list(cpu.numbers)}" if cpu.numbers else ""
    return f"{count}{core_name(cpu.implementation, catalogue)} ({numbers_text(cpu.implementation)}){numbers}"


def _shown_by_offers(host: Host, catalogue: Catalogue) -> str:
    shown = ", ".join(
        f"{core_name(one, catalogue)} ({numbers_text(one)})" for one in sorted(host.implementations)
    )
    return f"not recorded; KVM shows {shown}" if shown else "not recorded"
