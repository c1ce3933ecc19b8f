"""The interrupt controllers that a guest can have here, and which of their registers' values KVM takes back.

A guest is restored by writing what it had; a host that refuses a value refuses the guest. Each value is written to a VM
of its own: KVM lowers PRIbits before it looks at the other fields of ICC_CTLR_EL1, and compares with what the VM has
now, so that one refused write spoils the VM (Linux 6.1 to 7.3, arch/arm64/kvm/vgic-sys-reg-v3.c, set_gic_ctlr).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from armlevel.errors import KvmError
from armlevel.kvm.vgic import GICD_IIDR, GICD_TYPER2, ICC_CTLR_EL1, ICH_VTR_EL2, Attribute
from armlevel.probe.after_first_run import make_ready
from armlevel.probe.hypervisor import GicLike, KvmLike
from armlevel.probe.plan import Run
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Shape, TriedField
from armlevel.profile.machine import GIC_DEVICES, ICC_CTLR_FIELDS, YES

__all__ = ["gic_devices", "gicd_iidr", "gicd_typer2", "icc_ctlr", "ich_vtr"]

_BASE = Shape()
_EL2 = Shape(frozenset({"has_el2"}))
_REVISION = Run("GICD_IIDR.Revision", 12, 0xF)  # Arm IHI 0069, GICD_IIDR


def gic_devices(kvm: KvmLike) -> dict[str, str]:
    """Return each device of :data:`GIC_DEVICES` with ``yes``, or the errno of creating it in a VM of its own."""
    answers = {}
    for device in GIC_DEVICES:
        with kvm.create_vm() as vm:
            try:
                vm.create_vgic(f"vgic-{device}")
            except KvmError as exc:
                answers[device] = errno.errorcode.get(exc.code, f"E{exc.code}")
            else:
                answers[device] = YES
    return answers


def icc_ctlr(kvm: KvmLike) -> dict[str, TriedField] | None:
    """Try every value of each identifying field of ICC_CTLR_EL1; None where it cannot be read."""
    runs = {
        name: Run(f"ICC_CTLR_EL1.{name}", lsb, (1 << (msb - lsb + 1)) - 1)
        for name, (msb, lsb) in ICC_CTLR_FIELDS.items()
    }
    shown = _read(kvm, ICC_CTLR_EL1)
    if shown is None:
        return None
    return {name: _tried(kvm, ICC_CTLR_EL1, run, shown) for name, run in runs.items()}


def gicd_iidr(kvm: KvmLike) -> TriedField | None:
    """Try every revision in GICD_IIDR; None where it cannot be read."""
    shown = _read(kvm, GICD_IIDR)
    return None if shown is None else _tried(kvm, GICD_IIDR, _REVISION, shown)


def gicd_typer2(kvm: KvmLike) -> int | None:
    """Return GICD_TYPER2 of a fresh vGICv3; None where it cannot be read."""
    return _read(kvm, GICD_TYPER2)


def ich_vtr(kvm: KvmLike) -> int | None:
    """Return ICH_VTR_EL2 as a guest with EL2 has it; None where it cannot be read."""
    return _read(kvm, ICH_VTR_EL2, _EL2)


@contextmanager
def _fresh(kvm: KvmLike, shape: Shape) -> Iterator[GicLike]:
    with vcpu_of(kvm, shape) as (vm, vcpu):
        make_ready(vm, vcpu, shape, None)
        gic = vm.create_vgic("vgic-v3")
        gic.initialise()
        yield gic


def _read(kvm: KvmLike, register: Attribute, shape: Shape = _BASE) -> int | None:
    try:
        with _fresh(kvm, shape) as gic:
            return gic.get(register)
    except KvmError:
        return None


def _tried(kvm: KvmLike, register: Attribute, run: Run, shown: int) -> TriedField:
    # What a fresh VM shows it takes, or it could not even be restored where it was saved: that is tried like the rest.
    taken, refused = set(), set()
    for value in range(run.ones + 1):
        with _fresh(kvm, _BASE) as gic:
            try:
                gic.set(register, run.put(shown, value))
            except KvmError as exc:
                if exc.code == errno.EINVAL:
                    refused.add(value)
            else:
                if run.get(gic.get(register)) == value:
                    taken.add(value)
    return TriedField(run.get(shown), frozenset(taken), frozenset(refused))
