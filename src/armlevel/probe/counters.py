"""What the counter of each CPU says of its frequency: firmware writes CNTFRQ_EL0, on one CPU after another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from armlevel.errors import KvmError
from armlevel.probe.after_first_run import CNTFRQ
from armlevel.probe.guest import read_by_mrs
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Cpu, Shape

__all__ = ["frequencies", "with_frequencies"]


def frequencies(kvm: KvmLike, numbers: Iterable[int]) -> dict[int, int]:
    """Return CNTFRQ_EL0 as a guest reads it on each of these CPUs; one that cannot be read is left out."""
    found = {}
    for number in numbers:
        try:
            with _on(number), vcpu_of(kvm, Shape()) as (vm, vcpu):
                read = read_by_mrs(vm, vcpu, {"cntfrq_hz": CNTFRQ})["cntfrq_hz"]
        except (KvmError, OSError):  # it is offline by now, or not ours
            continue
        if read:
            found[number] = read
    return found


@contextmanager
def _on(number: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def with_frequencies(
    cpus: Iterable[Cpu], where: Iterable[tuple[int, ...]], found: Mapping[int, int]
) -> tuple[Cpu, ...]:
    """Return the CPUs with their frequencies, apart where those differ; ``where`` has the numbers of each.

    >>> from armlevel.profile import Implementation
    >>> one = Cpu(Implementation(0x410FD0B1), 2)
    >>> [(cpu.numbers, cpu.cntfrq_hz) for cpu in with_frequencies([one], [(0, 1)], {0: 24, 1: 25})]
    [((0,), 24), ((1,), 25)]
    """
    told: list[Cpu] = []
    for cpu, numbers in zip(cpus, where, strict=True):
        by_frequency: dict[int | None, list[int]] = {}
        for number in numbers:
            by_frequency.setdefault(found.get(number), []).append(number)
        if len(by_frequency) < 2:
            told.append(replace(cpu, cntfrq_hz=next(iter(by_frequency), None)))
            continue
        told += [
            replace(cpu, count=len(these), numbers=tuple(these), cntfrq_hz=frequency)
            for frequency, these in by_frequency.items()
        ]
    return tuple(told)
