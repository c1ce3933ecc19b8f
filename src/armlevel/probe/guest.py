"""A few guest instructions: read registers by MRS where userspace cannot, and say each value by one store.

The guest has one page of code and no memory besides. It stores each value to an address where nothing is, KVM hands
the store to userspace, and that is the whole conversation. An instruction that is UNDEFINED here goes to the vector
table, which stores to another address, so that the guest never runs on its own. Should it, on a kernel or a CPU that
does otherwise, it is stopped after some seconds.
"""

from __future__ import annotations

import errno
import signal
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from armlevel.errors import KvmError
from armlevel.probe.hypervisor import VcpuLike, VmLike

__all__ = ["code_for", "read_by_mrs"]

Encoding = tuple[int, int, int, int, int]

_CODE = 0x4000_0000
_PAGE = 0x1000
_SAYS = 0x1000_0000
_FAULTS = 0x1000_1000
_PC, _PSTATE, _X1, _X2 = (0x6030_0000_0010_0000 | offset for offset in (0x40, 0x42, 0x02, 0x04))
_VBAR_EL1 = 0x603000000013C600
_EL1H_MASKED = 0x3C5  # EL1 with its own stack, DAIF masked
_EXIT_MMIO = 6
_PATIENCE = 20.0  # seconds for a few hundred instructions; emulated hosts are slow

# Arm DDI 0487: MRS <Xt>, <systemreg> and STR <Xt>, [<Xn>].
_MRS_X0 = 0xD530_0000
_STR_X0_X1 = 0xF900_0020
_STR_X2_X2 = 0xF900_0042
_BRANCH_SELF = 0x1400_0000
_VECTORS = 16
_VECTOR_WORDS = 32


def code_for(encodings: Iterable[Encoding]) -> bytes:
    """Return a page of vectors and a page of code that says each register in turn.

    >>> code_for([(3, 3, 14, 0, 0)])[4096:4104].hex()
    '00e03bd5200000f9'
    """
    vector = [_STR_X2_X2, _BRANCH_SELF] + [_BRANCH_SELF] * (_VECTOR_WORDS - 2)
    vectors = struct.pack(f"<{_VECTOR_WORDS}I", *vector) * _VECTORS
    words: list[int] = []
    for op0, op1, crn, crm, op2 in encodings:
        words += (_MRS_X0 | (op0 & 1) << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5, _STR_X0_X1)
    words.append(_BRANCH_SELF)
    return vectors.ljust(_PAGE, b"\0") + struct.pack(f"<{len(words)}I", *words)


def read_by_mrs(vm: VmLike, vcpu: VcpuLike, encodings: Mapping[str, Encoding]) -> dict[str, int | None]:
    """Let the guest read each register; None for one whose reading is UNDEFINED. The VM is of no use afterwards.

    Raises:
        KvmError: the vCPU cannot run, or its guest does not come back.

    """
    with _stopped(_PATIENCE):
        return _read_by_mrs(vm, vcpu, encodings)


@contextmanager
def _stopped(seconds: float) -> Iterator[None]:
    # A signal ends KVM_RUN, and nothing else does. It comes again and again, for one may come right before KVM_RUN.
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's; a probe is one
        return
    rang = False

    def ring(_number: int, _frame: object) -> None:
        nonlocal rang
        rang = True

    before = signal.signal(signal.SIGALRM, ring)
    left, again = signal.setitimer(signal.ITIMER_REAL, seconds, min(seconds, 1.0))
    try:
        yield
    except KvmError as exc:
        if rang and exc.code == errno.EINTR:
            raise KvmError(
                f"the guest that reads registers did not come back within {seconds:g} seconds",
                hint="try again when the machine is less busy; this CPU or kernel may not do what the probe expects",
            ) from exc
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, again)
        signal.signal(signal.SIGALRM, before)


def _read_by_mrs(vm: VmLike, vcpu: VcpuLike, encodings: Mapping[str, Encoding]) -> dict[str, int | None]:
    names = list(encodings)
    vm.add_memory(_CODE, code_for(encodings.values()))
    for register, value in ((_VBAR_EL1, _CODE), (_PSTATE, _EL1H_MASKED), (_X1, _SAYS), (_X2, _FAULTS)):
        vcpu.set(register, value)
    values: dict[str, int | None] = {}
    at = 0
    vcpu.set(_PC, _CODE + _PAGE)
    while at < len(names):
        exit_ = vcpu.run()
        if exit_.reason != _EXIT_MMIO or exit_.address not in (_SAYS, _FAULTS):
            raise KvmError(f"the guest left for reason {exit_.reason} while reading {names[at]}")
        if exit_.address == _SAYS:
            values[names[at]] = exit_.value
        else:
            values[names[at]] = None
            # KVM completes a store on the next entry, and would then step over what PC says by now.
            with suppress(KvmError):
                vcpu.finalize()
            vcpu.set(_PSTATE, _EL1H_MASKED)
            vcpu.set(_PC, _CODE + _PAGE + 8 * (at + 1))
        at += 1
    return values
