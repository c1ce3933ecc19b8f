"""Only the library makes a VM: a filter of system calls that this process and all that it starts are under.

KVM_CREATE_VM is let through only with the secret of this start in registers that the kernel does not look at; the
library puts it there. A process without the library (statically linked, with file capabilities, started with an empty
environment) cannot make a VM then, whatever device it opens: the kernel ends it with SIGSYS.
Source: Linux include/uapi/linux/seccomp.h, filter.h, audit.h; Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence

from armlevel.errors import UsageError

__all__ = ["SECRET_SIZE", "program", "raise_barrier"]

SECRET_SIZE = 24  # bytes: three registers
_CREATE_VM = 0xAE01
# machine -> AUDIT_ARCH_* and numbers of ioctl and seccomp; of its 32-bit programs, AUDIT_ARCH_* and ioctl.
_MACHINES = {
    "aarch64": (0xC000_00B7, 29, 277, 0x4000_0028, 54),
    "x86_64": (0xC000_003E, 16, 317, 0x4000_0003, 54),  # for the tests of this file
}
_KILL, _ALLOW = 0x8000_0000, 0x7FFF_0000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_NO_NEW_PRIVILEGES, _SET_FILTER, _SPECULATION_ALLOWED = 38, 1, 4

Instruction = tuple[int, int, int, int]


def program(secret: bytes, machine: str = "aarch64") -> list[Instruction]:
    """Return the filter as instructions (code, jump if true, jump if false, constant).

    >>> len(program(bytes(24)))
    27
    """
    arch, ioctl, _, small_arch, small_ioctl = _MACHINES[machine]
    request = _ARGUMENTS + 8
    # The library reads the secret as three numbers written in hexadecimal: the first digits are the high ones.
    words = struct.unpack(">6I", secret)
    offsets = [_ARGUMENTS + 8 * register + half for register in (3, 4, 5) for half in (4, 0)]
    body: list[Instruction] = [
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, 2 + 2 * len(words), ioctl),
        (_LOAD, 0, 0, request),
        (_EQUAL, 0, 2 * len(words), _CREATE_VM),
    ]
    for place, (offset, word) in enumerate(zip(offsets, words, strict=True)):
        body += [(_LOAD, 0, 0, offset), (_EQUAL, 0, 2 * (len(words) - place) - 1, word)]
    body += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _KILL)]
    small: list[Instruction] = [
        (_EQUAL, 0, 5, small_arch),
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, 2, small_ioctl),
        (_LOAD, 0, 0, request),
        (_EQUAL, 1, 0, _CREATE_VM),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    ]
    return [(_LOAD, 0, 0, _ARCH), (_EQUAL, 0, len(body), arch), *body, *small]


def raise_barrier(secret: bytes) -> None:
    """Put this process, and all that it starts from now on, under the filter; there is no way back.

    Raises:
        UsageError: this kernel or container has no filters of system calls.

    """
    machine = platform.machine()
    fault = errno.ENOSYS if machine not in _MACHINES else _install(program(secret, machine), machine)
    if fault:
        raise UsageError(
            "QEMU is not started: this kernel does not filter system calls, so a VM without the profile could be "
            f"made unseen: {os.strerror(fault).lower()}",
            hint="use a kernel with CONFIG_SECCOMP_FILTER, and a container that allows seccomp",
        )


def _install(instructions: Sequence[Instruction], machine: str) -> int:
    # 0, or the errno. A process without privileges may filter itself only if it cannot gain any by what it starts.
    code = b"".join(struct.pack("<HBBI", *one) for one in instructions)
    room = ctypes.create_string_buffer(code, len(code))
    argument = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(room)))
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(one) for one in (_MACHINES[machine][2], _SET_FILTER, _SPECULATION_ALLOWED)]
    for _ in range(2):
        if not libc.syscall(*words, argument):
            return 0
        fault = ctypes.get_errno()
        if fault != errno.EACCES:
            return fault
        zero = ctypes.c_ulong(0)
        libc.prctl(ctypes.c_int(_NO_NEW_PRIVILEGES), ctypes.c_ulong(1), zero, zero, zero)
    return fault
