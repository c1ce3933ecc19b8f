"""The clusters of a host that has CPUs of several kinds: what they are called, and a host narrowed to one of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations

from armlevel.arch import Catalogue
from armlevel.errors import UnknownName, UsageError
from armlevel.profile import Cpu, Host, Implementation

__all__ = ["Cluster", "clusters_of", "cpu_list", "narrowed"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The CPUs of one kind in a host that has several; ``HOST/NAME`` names it."""

    name: str
    cpu: Cpu


def clusters_of(host: Host, catalogue: Catalogue) -> tuple[Cluster, ...]:
    """Return the clusters of a host; none where all its CPUs are alike.

    A cluster is called by its core; by its revision too where another one has the same core; else they are numbered.

    >>> from armlevel.arch import load
    >>> cpus = (
    ...     Cpu(Implementation(0x412FD050), 4),
    ...     Cpu(Implementation(0x414FD0B1), 3),
    ...     Cpu(Implementation(), 1),
    ... )
    >>> [one.name for one in clusters_of(Host("a", cpus=cpus), load())]
    ['not-recorded', 'cortex-a55', 'cortex-a76']
    """
    ordered = list(_kinds(host))
    if len(ordered) < 2:
        return ()
    names = [_core(cpu.implementation, catalogue) for cpu in ordered]
    names = _told_apart(names, [cpu.implementation.revision or "" for cpu in ordered])
    names = _told_apart(names, [str(index) for index in range(1, len(names) + 1)])
    return tuple(Cluster(name, cpu) for name, cpu in zip(names, ordered, strict=True))


def narrowed(host: Host, name: str, catalogue: Catalogue) -> Host:
    """Return a host as it is for a guest that is pinned to one of its clusters; it is called ``HOST/NAME``.

    Raises:
        UsageError: all its CPUs are alike.
        UnknownName: no cluster of it is called so.

    """
    clusters = clusters_of(host, catalogue)
    if not clusters:
        raise UsageError(
            f"{host.name}/{name}: all CPUs that are recorded of {host.name} are alike",
            hint=f"name {host.name}",
        )
    chosen = next((one for one in clusters if one.name == name.lower()), None)
    if chosen is None:
        raise UnknownName(f"cluster of {host.name}", name, tuple(one.name for one in clusters))
    others = tuple(one.cpu for one in clusters if one is not chosen)
    return replace(host, name=f"{host.name}/{chosen.name}", cpus=(chosen.cpu,), other_cpus=others)


def cpu_list(numbers: Iterable[int]) -> str:
    """Return CPU numbers as Linux lists them, and as taskset takes them.

    >>> cpu_list([0, 1, 2, 3, 6, 8, 9])
    '0-3,6,8-9'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _kinds(host: Host) -> Iterator[Cpu]:
    # Of one MIDR_EL1 are several kinds only where another number differs; that one is recorded of some CPUs alone makes
    # none. A cluster has the numbers that are recorded of all its CPUs.
    by_midr: dict[int, dict[Implementation, Cpu]] = {}
    for cpu in host.cpus:
        one = cpu.implementation
        some = by_midr.setdefault(-1 if one.midr is None else one.midr, {})
        some[one] = _together(some[one], cpu) if one in some else cpu
    for _, some in sorted(by_midr.items()):
        if any(one.same_as(other) is False for one, other in combinations(some, 2)):
            yield from (some[one] for one in sorted(some))
        else:
            yield reduce(_together, (some[one] for one in sorted(some)))


def _core(one: Implementation, catalogue: Catalogue) -> str:
    if one.part is None:
        return "not-recorded"
    known = catalogue.parts.get(one.part)
    text = known.name if known is not None else f"{one.part[0]:#04x}-{one.part[1]:#05x}"
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _told_apart(names: list[str], marks: list[str]) -> list[str]:
    count = Counter(names)
    return [
        f"{name}-{mark}" if count[name] > 1 and mark else name
        for name, mark in zip(names, marks, strict=True)
    ]


def _together(one: Cpu, other: Cpu) -> Cpu:
    count = None if one.count is None or other.count is None else one.count + other.count
    numbers = tuple(sorted({*one.numbers, *other.numbers})) if one.numbers and other.numbers else ()
    shared = one.implementation.registers().items() & other.implementation.registers().items()
    return Cpu(Implementation.from_registers(dict(shared)) or Implementation(), count, numbers)
