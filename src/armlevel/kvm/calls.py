"""One way into the kernel: an ioctl whose refusal says what was asked, of what, and what the errno means here."""

from __future__ import annotations

import errno
import fcntl
import os

from armlevel.errors import KvmError
from armlevel.kvm import numbers
from armlevel.kvm.numbers import Ioctl

__all__ = ["ask", "exchange", "meaning"]

_ANY = "*"
# What an errno means depends on who is asked: Linux 7.3 arch/arm64/kvm/{arm,guest,sys_regs}.c.
_MEANINGS: dict[tuple[str, int], str] = {
    (numbers.GET_ONE_REG.name, errno.ENOENT): "this kernel has no such register for this vCPU",
    (numbers.GET_ONE_REG.name, errno.EPERM): "the SVE registers exist only once SVE is finalized",
    (numbers.SET_ONE_REG.name, errno.ENOENT): "this kernel has no such register for this vCPU",
    (numbers.SET_ONE_REG.name, errno.EINVAL): "KVM does not take this value",
    (numbers.SET_ONE_REG.name, errno.EBUSY): "the VM has run, so its identity is frozen",
    (numbers.SET_ONE_REG.name, errno.EPERM): "vector lengths are fixed once SVE is finalized",
    (numbers.GET_REG_LIST.name, errno.EPERM): "the list exists only once SVE is finalized",
    (numbers.VCPU_INIT.name, errno.ENOENT): "this kernel does not know one of the vCPU features",
    (numbers.VCPU_INIT.name, errno.EINVAL): "this host cannot have these vCPU features together",
    (
        numbers.ENABLE_CAP.name,
        errno.EINVAL,
    ): "this host does not have the capability, or a vCPU exists already",
    (numbers.CREATE_VM.name, errno.EINVAL): "this host cannot have so large a guest address space",
    (numbers.CREATE_VM.name, errno.EBUSY): "another hypervisor has the CPU",
    (numbers.CREATE_DEVICE.name, errno.ENODEV): "this host has no such interrupt controller for guests",
    (numbers.RUN.name, errno.ENXIO): "the interrupt controller is not initialised",
    (numbers.RUN.name, errno.EPERM): "SVE is not finalized",
    (_ANY, errno.ENOEXEC): "the vCPU is not initialised",
    (_ANY, errno.EIO): "KVM gave the VM up",
    (_ANY, errno.ENOMEM): "the host is out of memory",
    (_ANY, errno.EINTR): "a signal came in between",
    (_ANY, errno.ENOTTY): "this kernel does not know the call",
    (_ANY, errno.ENXIO): "there is no such attribute",
}


def meaning(call: str, code: int) -> str:
    """Say what an errno of a KVM ioctl means; the kernel's own words where no more is known.

    >>> meaning("KVM_SET_ONE_REG", errno.EBUSY)
    'the VM has run, so its identity is frozen'
    """
    return _MEANINGS.get((call, code)) or _MEANINGS.get((_ANY, code)) or os.strerror(code).lower()


def _refusal(call: Ioctl, what: str, exc: OSError) -> KvmError:
    code = exc.errno or 0
    about = f" of {what}" if what else ""
    return KvmError(
        f"{call.name}{about}: {meaning(call.name, code)} ({errno.errorcode.get(code, str(code))})",
        code=code,
        call=call.name,
        subject=what,
    )


def ask(fd: int, call: Ioctl, argument: int | bytes | bytearray = 0, what: str = "") -> int:
    """Make a call and return its answer; the kernel writes into a ``bytearray``, and only reads ``bytes``.

    Raises:
        KvmError: KVM refused; ``what`` (a register, a capability) is named in the sentence.

    """
    try:
        if isinstance(argument, int):
            return fcntl.ioctl(fd, call.number, argument)
        # A mutable buffer, which alone may exceed 1024 bytes, makes fcntl return the call's own answer.
        room = argument if isinstance(argument, bytearray) else bytearray(argument)
        return int(fcntl.ioctl(fd, call.number, room))
    except OSError as exc:
        raise _refusal(call, what, exc) from exc


def exchange(fd: int, call: Ioctl, argument: bytes, what: str = "") -> bytes:
    """Make a call whose argument the kernel also writes; return what it wrote.

    Raises:
        KvmError: KVM refused.

    """
    try:
        return fcntl.ioctl(fd, call.number, argument)
    except OSError as exc:
        raise _refusal(call, what, exc) from exc
