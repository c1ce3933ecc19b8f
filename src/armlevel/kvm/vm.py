"""A virtual machine: capabilities first, then vCPUs, then devices."""

from __future__ import annotations

import ctypes
import mmap
import os
from types import TracebackType
from typing import final

from armlevel.errors import KvmError
from armlevel.kvm import numbers
from armlevel.kvm.calls import ask, exchange
from armlevel.kvm.structs import CREATE_DEVICE_ARG, ENABLE_CAP_ARG, MEMORY_REGION, REG_MASK_RANGE
from armlevel.kvm.vcpu import Vcpu
from armlevel.kvm.vgic import VGIC_TYPES, Device

__all__ = ["MASK_ENTRIES", "Vm", "mask_index"]

_TEST = 1  # KVM_CREATE_DEVICE_TEST
#: Entries of the table of writable masks: op1 of 0, 1 and 3, CRm 0..7, op2 0..7.
MASK_ENTRIES = 3 * 8 * 8


def mask_index(encoding: tuple[int, int, int, int, int]) -> int:
    """Return the place of an ID register in the table of writable masks (ARM64_FEATURE_ID_RANGE_IDX).

    >>> mask_index((3, 0, 0, 4, 0)), mask_index((3, 3, 0, 0, 1))
    (32, 129)
    """
    _op0, op1, _crn, crm, op2 = encoding
    return (2 if op1 == 3 else op1) << 6 | crm << 3 | op2


@final
class Vm:
    """A scratch VM. As a context manager it is gone, with its vCPUs and devices, when the block ends."""

    def __init__(self, fd: int, run_size: int) -> None:
        """Take over a VM's file descriptor; ``run_size`` is KVM_GET_VCPU_MMAP_SIZE."""
        self.fd = fd
        self._run_size = run_size
        self._vcpus: list[Vcpu] = []
        self._devices: list[Device] = []
        self._memory: list[mmap.mmap] = []

    def __enter__(self) -> Vm:
        """Return this VM."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the VM."""
        self.close()

    def close(self) -> None:
        """Close vCPUs, devices, then the VM; its memory goes with it."""
        for vcpu in self._vcpus:
            vcpu.close()
        for device in self._devices:
            device.close()
        os.close(self.fd)
        for memory in self._memory:
            memory.close()
        self._vcpus, self._devices, self._memory = [], [], []

    def extension(self, name: str) -> int:
        """Return the answer of KVM_CHECK_EXTENSION for this VM."""
        return self.extension_at(numbers.CAPABILITIES[name])

    def extension_at(self, number: int) -> int:
        """Return the answer of KVM_CHECK_EXTENSION for a capability by its number, known or not."""
        return ask(self.fd, numbers.CHECK_EXTENSION, number, f"KVM_CAP {number}")

    def enable(self, name: str) -> None:
        """Enable a capability; only before the first vCPU.

        Raises:
            KvmError: the host does not have it, or a vCPU exists.

        """
        argument = ENABLE_CAP_ARG.pack(numbers.CAPABILITIES[name], 0, 0, 0, 0, 0)
        ask(self.fd, numbers.ENABLE_CAP, argument, f"KVM_CAP_{name}")

    def create_vcpu(self) -> Vcpu:
        """Create the next vCPU."""
        index = len(self._vcpus)
        fd = ask(self.fd, numbers.CREATE_VCPU, index, f"vCPU {index}")
        vcpu = Vcpu(fd, self.fd, self._run_size)
        self._vcpus.append(vcpu)
        return vcpu

    def writable_masks(self) -> tuple[int, ...] | None:
        """Return which bits of each ID register this VM lets userspace write, by :func:`mask_index`.

        None on kernels without the call (before 6.7). KVM overstates: bits are in it that can never change.
        """
        masks = (ctypes.c_uint64 * MASK_ENTRIES)()
        argument = REG_MASK_RANGE.pack(ctypes.addressof(masks), 0, *[0] * 13)
        try:
            exchange(self.fd, numbers.REG_WRITABLE_MASKS, argument)
        except KvmError:
            return None
        return tuple(masks)

    def create_vgic(self, kind: str) -> Device:
        """Create a device of :data:`armlevel.kvm.vgic.VGIC_TYPES`, not yet initialised.

        Raises:
            KvmError: this host has none of that kind for guests.

        """
        argument = CREATE_DEVICE_ARG.pack(VGIC_TYPES[kind], 0, 0)
        _type, fd, _flags = CREATE_DEVICE_ARG.unpack(exchange(self.fd, numbers.CREATE_DEVICE, argument, kind))
        device = Device(fd, kind)
        self._devices.append(device)
        return device

    def has_vgic(self, kind: str) -> bool:
        """Tell whether this host has such an interrupt controller for guests; nothing is created."""
        return self.has_device(VGIC_TYPES[kind])

    def has_device(self, number: int) -> bool:
        """Tell whether this host has devices of a type (KVM_DEV_TYPE_*) by its number; nothing is created."""
        try:
            exchange(
                self.fd, numbers.CREATE_DEVICE, CREATE_DEVICE_ARG.pack(number, 0, _TEST), f"type {number}"
            )
        except KvmError:
            return False
        return True

    def add_memory(self, guest_address: int, content: bytes) -> None:
        """Give the guest private memory at a page-aligned address, ``content`` at its beginning."""
        size = -len(content) // mmap.PAGESIZE * -mmap.PAGESIZE
        memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory[: len(content)] = content
        # The exported address would keep the mapping from being closed, so only its number is kept.
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        slot = len(self._memory)
        argument = MEMORY_REGION.pack(slot, 0, guest_address, size, address)
        self._memory.append(memory)
        ask(self.fd, numbers.SET_USER_MEMORY_REGION, argument, f"{size} bytes at {guest_address:#x}")
