"""One guest CPU, exact: the ABI that a virtual machine was booted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.profile.guest_machine import GuestMachine
from armlevel.profile.host import Facts, Made, nothing
from armlevel.profile.implementation import (
    IMPLEMENTATION_REGISTERS,
    Implementation,
    ShownImplementation,
)
from armlevel.profile.shape import Shape

__all__ = ["Guest"]


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest profile.

    ``registers``  ID register (and ``CCSIDR_EL1[n]``) -> the value the guest sees; registers without meaning are absent
    ``register_list``  KVM ids of the registers its state carries; ``None``: not recorded
    ``firmware``   firmware pseudo-register -> value;  ``sve_vls``  vector lengths in bits
    ``pmu_counters``  event counters that it was told of (PMCR_EL0.N); ``None``: not recorded, or no PMU
    ``facts``      what it learnt at boot that no VMM can restore: counter frequency, DC ZVA block, MTE block
    ``starts_on``  hosts on which a guest booted with this profile sees exactly this; it may arrive on others
    ``possible``   ``REG.FIELD``, or ``MIDR_EL1`` -> the values that it may have; only of what is not recorded
    ``machine``    what it was given around its vCPUs; ``None``: not recorded
    ``unknown``    what the KVM under it has that no row knows, so that a VMM may have given it; of passthrough guests
    ``tolerates``  classes of fields that were allowed to differ (``el2-only`` ...), recorded because they weaken it
    """

    name: str
    shape: Shape
    registers: Mapping[str, int]
    register_list: tuple[int, ...] | None = None
    firmware: Mapping[str, int] = field(default_factory=nothing)
    sve_vls: tuple[int, ...] | None = None
    facts: Facts = Facts()
    implementation: ShownImplementation | None = None
    starts_on: tuple[str, ...] = ()
    tolerates: tuple[str, ...] = ()
    made: Made = Made()
    pmu_counters: int | None = None
    possible: Mapping[str, frozenset[int]] = field(default_factory=nothing)
    machine: GuestMachine | None = None
    unknown: tuple[str, ...] = ()

    @property
    def id_registers(self) -> dict[str, int]:
        """The guest's ID registers that are recorded, those of its implementation included."""
        shown = self.implementation.shown if self.implementation is not None else Implementation()
        return {**shown.registers(), **self.registers, **shown.registers()}

    @property
    def unrecorded_implementation(self) -> tuple[str, ...]:
        """Which of the registers of its implementation are not recorded."""
        return self.implementation.shown.unrecorded if self.implementation else IMPLEMENTATION_REGISTERS
