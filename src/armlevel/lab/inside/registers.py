"""The registers of a running guest, read through KVM with the descriptors of the QEMU that owns it.

KVM answers only the process that created the VM (``kvm->mm``), so QEMU is stopped under ptrace for a moment and its
main thread makes the calls: KVM_GET_REG_LIST and KVM_GET_ONE_REG on each vCPU. Its registers are put back, and the
system call it was in starts again. The guest has to be paused first: a vCPU that runs holds its lock.

Sources: ptrace(2); Linux 7.3 ``arch/arm64/kernel/signal.c`` (a restarted call), ``Documentation/virt/kvm/api.rst``.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["read_vcpu", "says_what_it_is", "vcpus_of"]

_ATTACH, _DETACH, _STEP, _GETREGSET, _SETREGSET = 16, 17, 9, 0x4204, 0x4205
_NT_PRSTATUS = 1
_WALL = 0x40000000
_SVC = b"\x01\x00\x00\xd4"  # svc #0
_REGISTERS = struct.Struct("<34Q")  # x0..x30, sp, pc, pstate
_IOCTL = 29  # __NR_ioctl
_GET_REG_LIST, _GET_ONE_REG = 0xC008AEB0, 0x4010AEAB
_SYSTEM = 0x13
_TELLING = (0x11, 0x14, 0x16)  # CCSIDR_EL1, firmware, bitmaps
_ROOM = 1024  # register ids in a list
_BELOW = 0x4000  # this far below the stack pointer nothing is in use


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def vcpus_of(pid: int) -> dict[int, int]:
    """Return the descriptors of the process's vCPUs by their numbers."""
    descriptors = {}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            match = re.fullmatch(r"anon_inode:kvm-vcpu:(\d+)", str(link.readlink()))
        except OSError:
            continue
        if match:
            descriptors[int(match[1])] = int(link.name)
    return descriptors


def says_what_it_is(number: int) -> bool:
    """Tell whether a register says what the CPU is: ID and cache registers, and the firmware's.

    >>> [says_what_it_is(number) for number in (0x603000000013C020, 0x603000000013C100, 0x6030000000140000)]
    [True, False, True]
    """
    group = number >> 16 & 0xFFF
    # Arm ARM: (3, x, 0, y, z) is the space of ID registers.
    return group in _TELLING or (group == _SYSTEM and number >> 14 & 3 == 3 and number >> 7 & 15 == 0)


def read_vcpu(pid: int, fd: int) -> dict[int, int | None]:
    """Return the registers in KVM's list that say what the CPU is, by id; ``None`` where KVM does not read one out.

    Raises:
        OSError: the process cannot be traced, or KVM refuses the list.

    """
    with _stopped(pid) as call:
        counted = call(fd, _GET_REG_LIST, struct.pack("<Q", _ROOM), 8 + 8 * _ROOM)
        if isinstance(counted, int):
            raise OSError(-counted, f"KVM_GET_REG_LIST: {os.strerror(-counted)}")
        (count,) = struct.unpack_from("<Q", counted)
        values: dict[int, int | None] = {}
        for number in struct.unpack_from(f"<{count}Q", counted, 8):
            size = 1 << (number >> 52 & 0xF)
            if size in (4, 8) and says_what_it_is(number):
                values[number] = call.read(fd, number, size)
        return values


class _Caller:
    """A stopped process that makes system calls for us."""

    def __init__(self, pid: int, memory: int, registers: bytes, gadget: int) -> None:
        self._pid, self._memory, self._gadget = pid, memory, gadget
        self._registers = list(_REGISTERS.unpack(registers))
        self._scratch = (self._registers[31] - _BELOW) & ~15

    def __call__(self, fd: int, request: int, argument: bytes, size: int) -> bytes | int:
        """Call ioctl with a copy of ``argument``; return ``size`` bytes of what is there then, or a negative errno."""
        os.pwrite(self._memory, argument, self._scratch)
        result = self._ioctl(fd, request)
        return result if result < 0 else os.pread(self._memory, size, self._scratch)

    def read(self, fd: int, number: int, size: int) -> int | None:
        """Return one register, or nothing if KVM refuses to read it."""
        os.pwrite(self._memory, struct.pack("<QQQ", number, self._scratch + 16, 0), self._scratch)
        if self._ioctl(fd, _GET_ONE_REG) < 0:
            return None
        return int.from_bytes(os.pread(self._memory, size, self._scratch + 16), "little")

    def _ioctl(self, fd: int, request: int) -> int:
        words = list(self._registers)
        words[0:3] = [fd, request, self._scratch]
        words[8], words[32] = _IOCTL, self._gadget
        _set_registers(self._pid, _REGISTERS.pack(*words))
        _ptrace(_STEP, self._pid, 0, 0)
        _, status = os.waitpid(self._pid, _WALL)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != signal.SIGTRAP:
            raise OSError(f"process {self._pid} did not make the call: wait status {status:#x}")
        (result,) = struct.unpack_from("<q", _get_registers(self._pid))
        return int(result)


@contextmanager
def _stopped(pid: int) -> Iterator[_Caller]:
    gadget = _find_svc(pid)
    _ptrace(_ATTACH, pid, 0, 0)
    try:
        os.waitpid(pid, _WALL)
        before = _get_registers(pid)
        memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        try:
            yield _Caller(pid, memory, before, gadget)
        finally:
            os.close(memory)
            _set_registers(pid, before)
    finally:
        _ptrace(_DETACH, pid, 0, 0)


def _find_svc(pid: int) -> int:
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines():
        span, access, *rest = line.split()
        if access.startswith("r-x") and rest[-1].rpartition("/")[2].startswith("libc.so"):
            start, end = (int(part, 16) for part in span.split("-"))
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
                memory.seek(start)
                code = memory.read(end - start)
            at = code.find(_SVC)
            while at >= 0 and at % 4:
                at = code.find(_SVC, at + 1)
            if at >= 0:
                return start + at
    raise OSError(f"process {pid} has no C library in which a system call could be made")


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    if libc.ptrace(request, pid, address, data) == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"ptrace of process {pid}: {os.strerror(code)}")


def _get_registers(pid: int) -> bytes:
    room = ctypes.create_string_buffer(_REGISTERS.size)
    vector = _Vector(ctypes.addressof(room), _REGISTERS.size)
    _ptrace(_GETREGSET, pid, _NT_PRSTATUS, ctypes.addressof(vector))
    return room.raw


def _set_registers(pid: int, registers: bytes) -> None:
    room = ctypes.create_string_buffer(registers, _REGISTERS.size)
    vector = _Vector(ctypes.addressof(room), _REGISTERS.size)
    _ptrace(_SETREGSET, pid, _NT_PRSTATUS, ctypes.addressof(vector))
