"""Devices and attributes: the virtual interrupt controller, and what it needs before a vCPU may run.

Source: Linux 7.3 ``Documentation/virt/kvm/devices/arm-vgic-v3.rst``, ``arm-vgic.rst``, ``vcpu.rst``.
"""

from __future__ import annotations

import ctypes
import os
from typing import NamedTuple

from armlevel.kvm import numbers
from armlevel.kvm.calls import ask
from armlevel.kvm.structs import DEVICE_ATTR

__all__ = ["VGIC_TYPES", "Attribute", "Device", "set_attribute"]

#: KVM_DEV_TYPE_ARM_VGIC_*
VGIC_TYPES = {"vgic-v2": 5, "vgic-v3": 7}

_SPIS = 64
_CELLS: dict[int, type[ctypes.c_uint32 | ctypes.c_uint64]] = {32: ctypes.c_uint32, 64: ctypes.c_uint64}


class Attribute(NamedTuple):
    """An attribute of a VM, vCPU or device: its group, number in it, our name, and the bits of its value."""

    group: int
    number: int
    name: str
    bits: int = 64


_INTERRUPTS = Attribute(3, 0, "number of interrupts", 32)
_INITIALISE = Attribute(4, 0, "initialisation")
# Where the frames lie in guest memory: far below the memory slots and away from each other.
_FRAMES = {
    "vgic-v2": {Attribute(0, 0, "distributor"): 0x0800_0000, Attribute(0, 1, "CPU interface"): 0x0801_0000},
    "vgic-v3": {Attribute(0, 2, "distributor"): 0x0800_0000, Attribute(0, 3, "redistributors"): 0x080A_0000},
}


def set_attribute(fd: int, attribute: Attribute, value: int | None = None) -> None:
    """Set an attribute; ``value`` None for one that is only a command.

    Raises:
        KvmError: there is no such attribute, or it does not take the value.

    """
    cell: ctypes.c_uint64 | ctypes.c_uint32 = _CELLS[attribute.bits](value or 0)
    address = 0 if value is None else ctypes.addressof(cell)
    argument = DEVICE_ATTR.pack(0, attribute.group, attribute.number, address)
    ask(fd, numbers.SET_DEVICE_ATTR, argument, attribute.name)


class Device:
    """An in-kernel device of a VM: here, its interrupt controller."""

    def __init__(self, fd: int, kind: str) -> None:
        """Take over the device's file descriptor."""
        self.fd, self.kind = fd, kind

    def close(self) -> None:
        """Close the device's descriptor; the device itself lives as long as its VM."""
        os.close(self.fd)

    def initialise(self) -> None:
        """Set frame addresses and the number of interrupts, then initialise the device; all vCPUs must exist by now."""
        for attribute, address in _FRAMES[self.kind].items():
            set_attribute(self.fd, attribute, address)
        set_attribute(self.fd, _INTERRUPTS, _SPIS)
        set_attribute(self.fd, _INITIALISE)
