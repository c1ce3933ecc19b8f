"""What a field may be on a host of which only CPUs and capabilities are recorded: to find a certain no, never a yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from armlevel.arch import Catalogue, Field, evaluate
from armlevel.arch.release import release_numbers
from armlevel.profile import Host, Implementation

__all__ = ["is_spoken_of", "lacks", "may_keep", "possible_limits", "possible_midrs"]


def is_spoken_of(host: Host, catalogue: Catalogue) -> bool:
    """Whether the rows hold of a host's kernel: one newer than those that they speak of may do otherwise.

    One that is not recorded is taken for one of those: they are all that there are, and who finds a no says so.
    """
    return release_numbers(host.software.kernel)[:2] <= catalogue.certain.until


def possible_limits(host: Host, catalogue: Catalogue) -> Mapping[str, frozenset[int]]:
    """Return every value that the limit of a field may have on a host, by ``REG.FIELD``; all else is not known.

    Of a kernel that the rows do not speak of only this is certain: it shows no more than what the CPUs have.
    """
    cores = tuple(sorted({cpu.implementation for cpu in host.every_cpu}))
    if not is_spoken_of(host, catalogue):
        return limits_by_silicon(cores, catalogue)
    return limits_by_evidence(cores, host.hwcaps, release_numbers(host.software.kernel)[:2], catalogue)


def lacks(host: Host, field: Field, values: Iterable[int], catalogue: Catalogue) -> bool:
    """Whether the CPUs of a host certainly have less than each of these values, whatever its kernel is."""
    cores = tuple(sorted({cpu.implementation for cpu in host.every_cpu}))
    most = limits_by_silicon(cores, catalogue).get(field.subject)
    return most is not None and most.isdisjoint(values)


def may_keep(
    field: Field, limits: Iterable[int], catalogue: Catalogue, *, spoken_of: bool = True
) -> frozenset[int]:
    """Return every value that some kernel may keep of a field whose limit is one of ``limits``."""
    if spoken_of and catalogue.certain.keeps[field.subject] == "limit":
        return frozenset(limits)
    return _up_to(field, limits)


def _up_to(field: Field, limits: Iterable[int]) -> frozenset[int]:
    most = max(_rank(field, limit) for limit in limits)
    return frozenset(value for value in _every(field) if _rank(field, value) <= most)


def possible_midrs(host: Host) -> frozenset[int] | None:
    """Return the MIDR_EL1 of every CPU, one of which KVM takes; None if that of some CPU is not recorded."""
    midrs = [cpu.implementation.midr for cpu in host.every_cpu]
    known = frozenset(midr for midr in midrs if midr is not None)
    return known if known and None not in midrs else None


@lru_cache(maxsize=512)
def limits_by_evidence(
    cores: Sequence[Implementation],
    hwcaps: tuple[str, ...] | None,
    release: tuple[int, ...],
    catalogue: Catalogue,
) -> Mapping[str, frozenset[int]]:
    found = {}
    for subject in catalogue.certain.keeps:
        field = catalogue.fields[subject]
        by_cores = _of_cores(field, cores, catalogue)
        by_kernel = _of_capabilities(field, hwcaps, release, catalogue)
        # What the kernel says counts for more: a CPU that is not recorded may have lowered the field.
        values = by_cores & by_kernel or by_kernel
        if len(values) < 1 << field.width:
            found[subject] = values
    return found


@lru_cache(maxsize=512)
def limits_by_silicon(cores: Sequence[Implementation], catalogue: Catalogue) -> Mapping[str, frozenset[int]]:
    found = {}
    for subject in catalogue.certain.keeps:
        field = catalogue.fields[subject]
        values = _up_to(field, _of_cores(field, cores, catalogue))
        if len(values) < 1 << field.width:
            found[subject] = values
    return found


def _of_cores(field: Field, cores: Sequence[Implementation], catalogue: Catalogue) -> frozenset[int]:
    # A host has the lowest value of its CPUs: one that some CPU can have and no CPU is certainly below.
    every = _every(field)
    rows = [catalogue.certain.cores.get(one.part, {}) if one.part else {} for one in cores]
    sets = [row.get(field.subject, every) for row in rows]
    if not sets:
        return every
    least = min(max(_rank(field, value) for value in some) for some in sets)
    return frozenset(value for value in frozenset().union(*sets) if _rank(field, value) <= least)


def _of_capabilities(
    field: Field, hwcaps: tuple[str, ...] | None, release: tuple[int, ...], catalogue: Catalogue
) -> frozenset[int]:
    values = _every(field)
    if hwcaps is None:
        return values
    rows = catalogue.certain
    shown = [first for name, first in rows.newer.items() if catalogue.hwcaps[name].flag in hwcaps]
    newest = max([release, *shown])
    for name, since in rows.since.items():
        capability = catalogue.hwcaps[name]
        there = capability.flag in hwcaps
        if capability.condition is None or not (there or since <= newest):
            continue
        meant = frozenset(
            value
            for value in values
            if evaluate(capability.condition, {field.subject: value}) in (there, None)
        )
        values = meant or values
    return values


def _every(field: Field) -> frozenset[int]:
    return frozenset(range(1 << field.width))


def _rank(field: Field, value: int) -> int:
    rank = field.rank(value)
    assert rank is not None  # the proof of the rows: a field of which it is said what KVM keeps has an order
    return rank
