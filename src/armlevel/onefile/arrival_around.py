"""What stands around the vCPUs of a guest, compared with what the same command line gets on this host."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from armlevel.engine.parts.machine import judge_machine
from armlevel.errors import KvmError
from armlevel.kvm.vgic import ICC_CTLR_EL1
from armlevel.onefile.codes import Severity
from armlevel.onefile.found import Found
from armlevel.onefile.here import Here
from armlevel.onefile.rows import Rows
from armlevel.probe.after_first_run import make_ready
from armlevel.probe.hypervisor import GicLike, KvmLike, VmLike
from armlevel.probe.interrupt_controller import gicd_iidr, ich_vtr
from armlevel.probe.plan import Run
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Facts, Guest, GuestMachine, Host, HostMachine, Shape, TriedField
from armlevel.profile.machine import GIC_DEVICES, ICC_CTLR_FIELDS, YES

if TYPE_CHECKING:
    from armlevel.engine.findings import Finding
    from armlevel.engine.values import Value

__all__ = ["InVm", "around_of"]

_SEVERITIES: Mapping[str, Severity] = {"stops": "stops", "breaks": "breaks", "unknown": "unknown"}


class InVm(NamedTuple):
    """The scratch VM of the guest's shape that there is already, and its interrupt controller."""

    vm: VmLike
    gic: GicLike | None


def around_of(kvm: KvmLike, guest: Guest, rows: Rows, here: Here, there: InVm) -> Iterator[Found]:
    """Ask this host for what the guest's machine depends on, and compare."""
    machine = guest.machine or GuestMachine()
    around = rows.around.get(machine.vmm or "")
    revision = around is not None and "GICD_IIDR" in around.writes
    host = Host(
        "here",
        machine=_machine_here(kvm, machine, there, revision=revision),
        facts=Facts(page_size=here.page_size),
    )
    for finding in judge_machine(guest, host, cast("Any", rows)):
        if "arrive" in finding.applies:
            yield _found(finding)


def _found(finding: Finding) -> Found:
    severity = _SEVERITIES.get(finding.severity, "note")
    offers = "; ".join(_said(value) for _host, value in finding.offers)
    needs = "; ".join(map(_said, finding.needs))
    remedy = "" if severity == "note" else "elsewhere"
    return Found("around", severity, finding.subject.key, needs, offers, finding.cause, remedy)


def _said(value: Value) -> str:
    plain = [getattr(value, name) for name in value.__slots__]
    if len(plain) == 1 and not isinstance(plain[0], tuple):
        return str(plain[0])
    return ", ".join(
        f"{one[0]} {one[1]:#x}" if isinstance(one, tuple) else str(one)
        for part in plain
        if isinstance(part, tuple)
        for one in part
    )


def _machine_here(kvm: KvmLike, machine: GuestMachine, there: InVm, *, revision: bool) -> HostMachine:
    gic = {name: YES if there.vm.has_vgic(f"vgic-{name}") else "ENODEV" for name in GIC_DEVICES}
    v3 = gic["v3"] == YES and machine.gic == 3
    return HostMachine(
        gic=gic,
        icc_ctlr=_icc_ctlr(kvm, there.gic, machine.icc_ctlr or {}) if v3 else None,
        ich_vtr=ich_vtr(kvm) if machine.virtualization and v3 else None,
        gicd_iidr=gicd_iidr(kvm) if v3 and revision else None,
        ipa_bits=there.vm.extension("ARM_VM_IPA_SIZE") or 40,
        steal_time=bool(there.vm.extension("STEAL_TIME")),
        counter_offset=bool(there.vm.extension("COUNTER_OFFSET")),
    )


def _icc_ctlr(kvm: KvmLike, gic: GicLike | None, held: Mapping[str, int]) -> dict[str, TriedField] | None:
    # Each value that differs on a VM of its own: KVM lowers PRIbits before it looks at the other fields.
    shown = _try_icc_ctlr(gic, None) if gic is not None else None
    if shown is None:
        return None
    tried = {}
    for name, (msb, lsb) in ICC_CTLR_FIELDS.items():
        run = Run(name, lsb, (1 << (msb - lsb + 1)) - 1)
        own, want = run.get(shown), held.get(name)
        if want is None or want == own:
            tried[name] = TriedField(own, frozenset({own}))
            continue
        after = _icc_ctlr_after(kvm, run.put(shown, want))
        kept = after is not None and run.get(after) == want
        tried[name] = TriedField(
            own, frozenset({own} | ({want} if kept else set())), frozenset() if kept else frozenset({want})
        )
    return tried


def _icc_ctlr_after(kvm: KvmLike, value: int) -> int | None:
    with vcpu_of(kvm, Shape()) as (vm, vcpu):
        gic = make_ready(vm, vcpu, Shape(), "vgic-v3")
        return _try_icc_ctlr(gic, value) if gic is not None else None


def _try_icc_ctlr(gic: GicLike, value: int | None) -> int | None:
    # What it shows, after a write where a value is given; None where it is refused or cannot be read.
    try:
        if value is not None:
            gic.set(ICC_CTLR_EL1, value)
        return gic.get(ICC_CTLR_EL1)
    except KvmError as exc:
        if exc.code not in (errno.EINVAL, errno.ENXIO):
            raise
        return None
