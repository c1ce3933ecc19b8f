"""Devices and attributes: the virtual interrupt controller, what it needs before a vCPU may run, and its registers.

Source: Linux 7.3 ``Documentation/virt/kvm/devices/arm-vgic-v3.rst``, ``arm-vgic.rst``, ``vcpu.rst``;
``include/uapi/linux/kvm.h`` (kvm_device_type).
"""

from __future__ import annotations

import ctypes
import os
from typing import NamedTuple

from armlevel.kvm import numbers
from armlevel.kvm.calls import ask
from armlevel.kvm.structs import DEVICE_ATTR

__all__ = [
    "GICD_IIDR",
    "GICD_TYPER2",
    "ICC_CTLR_EL1",
    "ICH_VTR_EL2",
    "VGIC_TYPES",
    "Attribute",
    "Device",
    "get_attribute",
    "set_attribute",
]

#: KVM_DEV_TYPE_ARM_VGIC_*
VGIC_TYPES = {"vgic-v2": 5, "vgic-v3": 7, "vgic-its": 8, "vgic-v5": 16}

_SPIS = 64
_CELLS: dict[int, type[ctypes.c_uint32 | ctypes.c_uint64]] = {32: ctypes.c_uint32, 64: ctypes.c_uint64}


class Attribute(NamedTuple):
    """An attribute of a VM, vCPU or device: its group, number in it, our name, and the bits of its value."""

    group: int
    number: int
    name: str
    bits: int = 64


#: Registers of a vGICv3 that userspace saves and restores, those of vCPU 0 (KVM_DEV_ARM_VGIC_GRP_*: 1 DIST_REGS, by the
#: offset in the frame; 6 CPU_SYSREGS, by the encoding op0 to op2).
GICD_IIDR = Attribute(1, 0x8, "GICD_IIDR", 32)
GICD_TYPER2 = Attribute(1, 0xC, "GICD_TYPER2", 32)
ICC_CTLR_EL1 = Attribute(6, 0xC664, "ICC_CTLR_EL1")
ICH_VTR_EL2 = Attribute(6, 0xE659, "ICH_VTR_EL2")

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


def get_attribute(fd: int, attribute: Attribute) -> int:
    """Return the value of an attribute.

    Raises:
        KvmError: there is no such attribute, or it cannot be read now.

    """
    cell: ctypes.c_uint64 | ctypes.c_uint32 = _CELLS[attribute.bits]()
    argument = DEVICE_ATTR.pack(0, attribute.group, attribute.number, ctypes.addressof(cell))
    ask(fd, numbers.GET_DEVICE_ATTR, argument, attribute.name)
    return int(cell.value)


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

    def get(self, register: Attribute) -> int:
        """Return a register of an initialised interrupt controller; KvmError if it has none such."""
        return get_attribute(self.fd, register)

    def set(self, register: Attribute, value: int) -> None:
        """Write a register of an initialised interrupt controller; KvmError if it does not take the value."""
        set_attribute(self.fd, register, value)
