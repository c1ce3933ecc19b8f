"""What a guest was given around its vCPUs: interrupt controller, memory, windows above it, stolen time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

__all__ = ["GIC_ASKED", "GIC_VERSIONS", "WINDOWS", "GicAsked", "GuestMachine", "StealTimeAsked"]

GicAsked = Literal["2", "3", "host", "max", "default"]
StealTimeAsked = Literal["on", "off", "default"]

#: What a VMM can be asked for; ``default`` is what it takes where nothing is said.
GIC_ASKED: tuple[GicAsked, ...] = ("2", "3", "host", "max", "default")

#: The versions that are the same on every host.
GIC_VERSIONS: tuple[GicAsked, ...] = ("3", "2")

#: The windows above a guest's memory: of redistributors, of PCI configuration, and of PCI memory.
WINDOWS = ("redistributors", "ecam", "mmio")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMachine:
    """What stands around the vCPUs of one guest. ``None`` is not recorded, and never a match.

    ``vmm``         the family that it runs under: ``qemu``, ``firecracker``;  ``machine``  the type, as ``virt-10.0``
    ``gic_asked``   what the VMM was asked for, and ``gic`` the version that the guest has;  ``its``  whether it has one
    ``vcpus``       how many it may have at most
    ``memory``, ``maxmem``, ``slots``   bytes at its start, bytes at most, and slots for memory that is plugged
    ``highmem`` …   the options of QEMU's board about what lies above 4 GiB;  ``highmem_mmio_size``  in bytes
    ``virtualization``    whether it was asked to have EL2
    ``steal_time_asked``  what the VMM was asked for, and ``steal_time`` whether the guest has it
    ``backing_page``      bytes of the pages that its memory is made of, where they are huge
    ``windows``     window above its memory -> where it begins; one that is not there does not exist
    ``icc_ctlr``    field of ICC_CTLR_EL1 -> what its GICv3 holds;  ``ich_vtr``  ICH_VTR_EL2, with EL2
    ``gicd_iidr``   the revision in GICD_IIDR

    >>> GuestMachine(gic=3).recorded
    ('gic',)
    """

    vmm: str | None = None
    machine: str | None = None
    gic_asked: GicAsked | None = None
    gic: int | None = None
    its: bool | None = None
    vcpus: int | None = None
    memory: int | None = None
    maxmem: int | None = None
    slots: int | None = None
    highmem: bool | None = None
    compact_highmem: bool | None = None
    highmem_redists: bool | None = None
    highmem_ecam: bool | None = None
    highmem_mmio: bool | None = None
    highmem_mmio_size: int | None = None
    virtualization: bool | None = None
    steal_time_asked: StealTimeAsked | None = None
    steal_time: bool | None = None
    backing_page: int | None = None
    windows: Mapping[str, int] | None = None
    icc_ctlr: Mapping[str, int] | None = None
    ich_vtr: int | None = None
    gicd_iidr: int | None = None

    def __hash__(self) -> int:
        """Hash what tells most guests apart; all of it is compared."""
        return hash((self.vmm, self.machine, self.gic_asked, self.gic, self.vcpus, self.memory, self.maxmem))

    @property
    def recorded(self) -> tuple[str, ...]:
        """The names of what is recorded."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) is not None)

    def content(self) -> dict[str, Any]:
        """Return what is recorded as plain values, the same for equal machines; what is not recorded is left out."""
        said = {name: getattr(self, name) for name in self.recorded}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in said.items()}
