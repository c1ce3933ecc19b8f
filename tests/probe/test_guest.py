"""A guest of a few instructions that does not come back does not keep the probe."""

from __future__ import annotations

import ctypes
import errno
import signal

import pytest

from armlevel.errors import KvmError
from armlevel.kvm.vcpu import Exit
from armlevel.probe import guest
from tests.probe.fake import FakeKvm, FakeVcpu, FakeVm

WANTED = {"cntfrq_hz": (3, 3, 14, 0, 0)}


class Spinning(FakeVcpu):
    """KVM_RUN that only a signal ends, as the kernel has it."""

    def run(self) -> Exit:
        ctypes.CDLL(None).pause()
        raise KvmError("KVM_RUN: a signal came in between (EINTR)", code=errno.EINTR)


def vcpu_of(kind: type[FakeVcpu]) -> tuple[FakeVm, FakeVcpu]:
    kvm = FakeKvm()
    vm = FakeVm(kvm)
    vcpu = kind(kvm, vm)
    vcpu.init([2])
    return vm, vcpu


def test_a_guest_that_spins_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guest, "_PATIENCE", 0.05)
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(KvmError, match="did not come back within"):
        guest.read_by_mrs(*vcpu_of(Spinning), WANTED)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_one_that_comes_back_leaves_no_alarm():
    assert guest.read_by_mrs(*vcpu_of(FakeVcpu), WANTED) == {"cntfrq_hz": 100_000_000}
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
