"""What a host offers around the vCPU: interrupt controller, guest-physical addresses, time, and what nobody knows yet.

Nothing here is an ID register of a vCPU; a guest depends on it all the same. Each was tried in scratch VMs of the host.
Whatever is ``None`` is not recorded, and never a match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["GIC_DEVICES", "ICC_CTLR_FIELDS", "YES", "HostMachine", "KvmMode", "TriedField"]

KvmMode = Literal["vhe", "nvhe", "protected"]

#: What ``HostMachine.gic`` says of a device that can be created; else the name of an errno (``ENODEV``).
YES = "yes"

#: The interrupt controller devices that a host is asked for.
GIC_DEVICES = ("v2", "v3", "its", "v5")

#: The fields of ICC_CTLR_EL1 that say what the CPU interface is: bits of each (Arm IHI 0069, ICC_CTLR_EL1).
ICC_CTLR_FIELDS: Mapping[str, tuple[int, int]] = {
    "PRIbits": (10, 8),
    "IDbits": (13, 11),
    "SEIS": (14, 14),
    "A3V": (15, 15),
}


@dataclass(frozen=True, slots=True)
class TriedField:
    """A field that userspace writes when it restores a VM: what a fresh VM shows, and which values it takes.

    >>> field = TriedField(4, taken=frozenset(range(5)), refused=frozenset({5, 6, 7}))
    >>> field.takes(3), field.takes(5), field.takes(8)
    (True, False, None)
    """

    shown: int
    taken: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()

    def takes(self, value: int) -> bool | None:
        """Tell whether a fresh VM takes ``value`` and keeps it; None where that was not tried."""
        if value in self.taken:
            return True
        return False if value in self.refused else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMachine:
    """What one host offers around the vCPU.

    ``gic``          device of :data:`GIC_DEVICES` -> ``yes``, or the errno of creating it
    ``icc_ctlr``     field of ICC_CTLR_EL1 -> what a fresh VM shows and takes; each value was tried on a VM of its own,
                     because a refused write lowers PRIbits all the same
    ``ich_vtr``      ICH_VTR_EL2 of a VM with EL2, which a restored value must equal
    ``gicd_iidr``    the revision in GICD_IIDR;  ``gicd_typer2``  GICD_TYPER2, both of a fresh vGICv3
    ``ipa_bits``     the largest guest-physical size, bits;  ``ipa_min``  the smallest
    ``ipa_fixed``    whether a VM has ``ipa_bits`` whatever size is asked for
    ``mode``         how KVM runs
    ``counter_offset``  whether a VM's counters may be set;  ``steal_time``, ``ptp``: whether KVM offers these to guests
    ``unknown``      what this KVM has that the catalogue does not know (vCPU features, capabilities, devices, groups of
                     registers), by name; ``()``: nothing
    """

    gic: Mapping[str, str] | None = None
    icc_ctlr: Mapping[str, TriedField] | None = None
    ich_vtr: int | None = None
    gicd_iidr: TriedField | None = None
    gicd_typer2: int | None = None
    ipa_bits: int | None = None
    ipa_min: int | None = None
    ipa_fixed: bool | None = None
    mode: KvmMode | None = None
    counter_offset: bool | None = None
    steal_time: bool | None = None
    ptp: bool | None = None
    unknown: tuple[str, ...] | None = None

    def __hash__(self) -> int:
        """Hash what tells most machines apart; all of it is compared."""
        return hash((self.ipa_bits, self.ipa_min, self.mode, self.unknown, self.gicd_typer2))

    def has_gic(self, device: str) -> bool | None:
        """Tell whether a VM here can have the device of :data:`GIC_DEVICES`; None where that is not recorded.

        >>> HostMachine(gic={"v3": "yes", "v2": "ENODEV"}).has_gic("v2"), HostMachine().has_gic("v2")
        (False, None)
        """
        answer = (self.gic or {}).get(device)
        return None if answer is None else answer == YES

    def content(self) -> dict[str, Any]:
        """Return what is recorded as plain values, the same for equal machines; what is not recorded is left out."""
        said: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        said["gic"] = None if self.gic is None else dict(self.gic)
        said["icc_ctlr"] = (
            None if self.icc_ctlr is None else {name: _tried(field) for name, field in self.icc_ctlr.items()}
        )
        said["gicd_iidr"] = None if self.gicd_iidr is None else _tried(self.gicd_iidr)
        said["unknown"] = None if self.unknown is None else list(self.unknown)
        return {name: said[name] for name in self.__slots__ if said[name] is not None}


_PLAIN = (
    "ich_vtr",
    "gicd_typer2",
    "ipa_bits",
    "ipa_min",
    "ipa_fixed",
    "mode",
    "counter_offset",
    "steal_time",
    "ptp",
)


def _tried(field: TriedField) -> dict[str, Any]:
    said: dict[str, Any] = {"shown": field.shown, "taken": sorted(field.taken)}
    return said | ({"refused": sorted(field.refused)} if field.refused else {})
