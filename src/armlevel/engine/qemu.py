"""Which QEMU options have to accompany a profile: what is decided before a register can be written.

Source: QEMU docs/system/arm/cpu-features.rst, docs/system/arm/virt.rst and target/arm/kvm.c, 10.0 and 11.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from armlevel.profile import Guest

__all__ = ["QemuOptions", "qemu_options"]

_GIC_LSB = 24  # ID_AA64PFR0_EL1.GIC, which follows from the interrupt controller that the VM has
_STEAL_TIME = "KVM_REG_ARM_STD_HYP_BMAP"
_CHOICES = {"pmu": "pmu_v3", "sve": "sve", "pauth": "ptrauth"}


@dataclass(frozen=True, slots=True)
class QemuOptions:
    """Properties of ``-machine`` and of ``-cpu host``, in the order in which they are written."""

    board: Mapping[str, str]
    cpu: Mapping[str, str]


def qemu_options(guest: Guest) -> QemuOptions:
    """Return the options that have to accompany ``guest``.

    A vector length that is on leaves larger ones off and takes the host's smaller ones with it.

    >>> from armlevel.profile import Shape
    >>> guest = Guest("g", Shape(frozenset({"sve"})), {"ID_AA64PFR0_EL1": 1 << 24}, sve_vls=(128,))
    >>> qemu_options(guest)
    QemuOptions(board={'gic-version': '3'}, cpu={'pmu': 'off', 'sve': 'on', 'sve128': 'on', 'pauth': 'off'})
    """
    features = guest.shape.features
    board: dict[str, str] = {}
    if (value := guest.registers.get("ID_AA64PFR0_EL1")) is not None:
        board["gic-version"] = "3" if value >> _GIC_LSB & 0xF else "2"
    board |= {"mte": "on"} if "mte" in features else {}
    board |= {"virtualization": "on"} if "has_el2" in features else {}
    cpu = {"aarch64": "off"} if "el1_32bit" in features else {}
    for name, feature in _CHOICES.items():
        cpu[name] = "on" if feature in features else "off"
        if name == "sve" and feature in features:
            cpu |= {f"sve{length}": "on" for length in guest.sve_vls or ()}
    if _STEAL_TIME in guest.firmware:
        cpu["kvm-steal-time"] = "on" if guest.firmware[_STEAL_TIME] & 1 else "off"
    return QemuOptions(board, cpu)
