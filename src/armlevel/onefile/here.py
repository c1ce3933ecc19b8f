"""What Linux says of the machine that a guest would arrive on: all that trying needs besides KVM."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from armlevel.probe.machine import read_machine
from armlevel.profile import Implementation

__all__ = ["Here", "read_here"]


class Here(NamedTuple):
    """This host.

    ``cpus``    each implementation that some CPU has;  ``usable``  the CPUs that this process may run on
    ``pmu``     the perf event type of its PMU;  ``page_size``  bytes
    ``emulator``  the path of the VMM that restores the guest; empty: not known
    """

    cpus: tuple[Implementation, ...] = ()
    usable: tuple[int, ...] = ()
    pmu: int | None = None
    page_size: int | None = None
    emulator: str = ""

    @property
    def mixed(self) -> bool:
        """Whether the CPUs are of several kinds, or may be."""
        apart = (one.same_as(other) is False for one, other in combinations(self.cpus, 2))
        return len(self.cpus) > 1 and (any(one.midr is None for one in self.cpus) or any(apart))

    @property
    def only_cpu(self) -> Implementation | None:
        """The one implementation of all CPUs."""
        return self.cpus[0] if len(self.cpus) == 1 else None


def read_here(emulator: str = "") -> Here:
    """Read this machine."""
    machine = read_machine(vmms=False)
    kinds = tuple(cpu.implementation for cpu in machine.cpus)
    return Here(kinds, machine.usable, machine.pmu, machine.page_size, emulator)
