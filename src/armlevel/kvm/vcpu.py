"""A vCPU: its features, its registers, and running it for no time at all or for a few instructions."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from armlevel.errors import KvmError
from armlevel.kvm import numbers
from armlevel.kvm.calls import ask, exchange
from armlevel.kvm.structs import ONE_REG, VCPU_INIT_ARG
from armlevel.kvm.vgic import Attribute, set_attribute

__all__ = ["EXIT_MMIO", "Exit", "Vcpu", "size_of"]

EXIT_MMIO = 6
_FEATURE_SVE = 4  # what KVM_ARM_VCPU_FINALIZE is told
_LIST_ROOM = 2048
_IMMEDIATE_EXIT = 1  # byte offsets in struct kvm_run
_EXIT_REASON = 8
_MMIO = struct.Struct("<Q8sIB")
_MMIO_AT = 32
_PMU_IRQ = Attribute(0, 0, "PMU interrupt", 32)
_PMU_INIT = Attribute(0, 1, "PMU initialisation")
_PMU_CHOOSE = Attribute(0, 3, "choice of a PMU", 32)
_PMU_PPI = 23


@cache
def _libc_ioctl() -> Callable[..., int]:
    # PyDLL keeps the interpreter's lock: what is called here takes microseconds, and nobody waits.
    call: Callable[..., int] = ctypes.PyDLL(None).ioctl
    return call


def size_of(register_id: int) -> int:
    """Return how many bytes a register has, from its id.

    >>> size_of(0x6030000000140000), size_of(0x6040000000100054)
    (8, 16)
    """
    return 1 << (register_id >> 52 & 0xF)


@dataclass(frozen=True, slots=True)
class Exit:
    """Why KVM_RUN came back: KVM_EXIT_*, and for MMIO the guest's write."""

    reason: int
    address: int = 0
    value: int = 0
    write: bool = False


class Vcpu:
    """One vCPU of a scratch VM."""

    def __init__(self, fd: int, vm_fd: int, run_size: int) -> None:
        """Take over the descriptor of a vCPU that is not yet initialised."""
        self.fd = fd
        self._vm_fd = vm_fd
        self._run_size = run_size
        self._run: mmap.mmap | None = None
        self._value = (ctypes.c_char * 256)()
        self._address = ctypes.addressof(self._value)
        view = memoryview(self._value).cast("B")
        self._cells = {4: view.cast("I"), 8: view.cast("Q")}

    def close(self) -> None:
        """Unmap kvm_run and close the vCPU's descriptor."""
        if self._run is not None:
            self._run.close()
            self._run = None
        os.close(self.fd)

    def init(self, bits: Iterable[int]) -> None:
        """Initialise the vCPU with feature bits (:data:`armlevel.kvm.numbers.FEATURE_BITS`).

        Raises:
            KvmError: ENOENT, the kernel does not know a bit; EINVAL, the host cannot have them (together).

        """
        preferred = exchange(self._vm_fd, numbers.PREFERRED_TARGET, bytes(VCPU_INIT_ARG.size))
        target = VCPU_INIT_ARG.unpack(preferred)[0]
        word = 0
        for bit in bits:
            word |= 1 << bit
        ask(self.fd, numbers.VCPU_INIT, VCPU_INIT_ARG.pack(target, word, *[0] * 6), f"features {word:#x}")

    def finalize_sve(self) -> None:
        """Fix the vector lengths; from here on there are SVE registers and a list."""
        ask(self.fd, numbers.VCPU_FINALIZE, struct.pack("<i", _FEATURE_SVE), "SVE")

    def registers(self) -> tuple[int, ...]:
        """Return KVM_GET_REG_LIST, in KVM's own order."""
        room = bytearray(8 + 8 * _LIST_ROOM)
        struct.pack_into("<Q", room, 0, _LIST_ROOM)
        ask(self.fd, numbers.GET_REG_LIST, room)
        count = struct.unpack_from("<Q", room)[0]
        return struct.unpack_from(f"<{count}Q", room, 8)

    def get(self, register_id: int, what: str = "") -> int:
        """Return a register of any size as a number.

        Raises:
            KvmError: there is no such register.

        """
        argument = ONE_REG.pack(register_id, self._address)
        ask(self.fd, numbers.GET_ONE_REG, argument, what or f"register {register_id:#x}")
        return int.from_bytes(self._value.raw[: size_of(register_id)], "little")

    def set(self, register_id: int, value: int, what: str = "") -> None:
        """Write a register of any size.

        Raises:
            KvmError: there is no such register, or KVM does not take the value.

        """
        size = size_of(register_id)
        ctypes.memmove(self._address, value.to_bytes(size, "little"), size)
        argument = ONE_REG.pack(register_id, self._address)
        ask(self.fd, numbers.SET_ONE_REG, argument, what or f"register {register_id:#x}")

    def write_and_read_back(self, register_id: int, values: Sequence[int]) -> list[int | None]:
        """Write each value in turn and return what was there afterwards; None where KVM refused.

        The one hot loop of a probe. A refusal is the common case, and an exception for each would cost
        more than the call itself, so this one goes to the C library's ioctl with arguments made once.
        """
        cell = self._cells[size_of(register_id)]
        argument = (ctypes.c_uint64 * 2)(register_id, self._address)
        call = _libc_ioctl()
        fd, at = ctypes.c_int(self.fd), ctypes.c_void_p(ctypes.addressof(argument))
        write, read = ctypes.c_ulong(numbers.SET_ONE_REG.number), ctypes.c_ulong(numbers.GET_ONE_REG.number)
        read_back: list[int | None] = []
        note = read_back.append
        for value in values:
            cell[0] = value
            note(None if call(fd, write, at) or call(fd, read, at) else cell[0])
        return read_back

    def choose_pmu(self, kind: int) -> None:
        """Choose the physical PMU (its perf event type); a strict one has no identity before."""
        set_attribute(self.fd, _PMU_CHOOSE, kind)

    def enable_pmu(self, *, irq: bool) -> None:
        """Initialise the PMU, which a vCPU with PMU_V3 needs before it runs; ``irq`` where the VM has a vGIC."""
        if irq:
            set_attribute(self.fd, _PMU_IRQ, _PMU_PPI)
        set_attribute(self.fd, _PMU_INIT)

    def finalize(self) -> None:
        """Enter KVM_RUN and leave at once: KVM gives the VM its final identity, no guest instruction runs.

        Raises:
            KvmError: the VM is not ready to run.

        """
        run = self._mapped()
        run[_IMMEDIATE_EXIT] = 1
        try:
            ask(self.fd, numbers.RUN)
        except KvmError as exc:
            if exc.code != errno.EINTR:
                raise
        finally:
            run[_IMMEDIATE_EXIT] = 0

    def run(self) -> Exit:
        """Run the guest until it exits to userspace.

        Raises:
            KvmError: the VM is not ready to run, or a signal came (EINTR).

        """
        run = self._mapped()
        ask(self.fd, numbers.RUN)
        reason = int(struct.unpack_from("<I", run, _EXIT_REASON)[0])
        if reason != EXIT_MMIO:
            return Exit(reason)
        address, data, length, write = _MMIO.unpack_from(run, _MMIO_AT)
        return Exit(reason, address, int.from_bytes(data[:length], "little"), bool(write))

    def _mapped(self) -> mmap.mmap:
        if self._run is None:
            self._run = mmap.mmap(self.fd, self._run_size)
        return self._run
