"""What KVM itself changes once a vCPU is about to run, and what a few guest instructions read."""

from __future__ import annotations

from armlevel.errors import KvmError
from armlevel.probe.guest import Encoding, read_by_mrs
from armlevel.probe.hypervisor import GicLike, KvmLike, VcpuLike, VmLike
from armlevel.probe.plan import ProbePlan
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Offer, Shape

__all__ = [
    "CNTFRQ",
    "DCZID",
    "GICS",
    "GMID",
    "changed_by_kvm",
    "facts_by_guest",
    "gic_of",
    "make_ready",
    "pmu_by_guest",
]

#: Interrupt controllers for guests, the better one first.
GICS = ("vgic-v3", "vgic-v2")
#: The registers that are facts.
CNTFRQ: Encoding = (3, 3, 14, 0, 0)
DCZID: Encoding = (3, 3, 0, 0, 7)
GMID: Encoding = (3, 1, 0, 0, 4)
_PMCEID: dict[str, Encoding] = {"pmceid0": (3, 3, 9, 12, 6), "pmceid1": (3, 3, 9, 12, 7)}


def gic_of(kvm: KvmLike) -> tuple[str, ...]:
    """Return the kinds of interrupt controller that this host has for guests."""
    with kvm.create_vm() as vm:
        return tuple(kind for kind in GICS if vm.has_vgic(kind))


def make_ready(vm: VmLike, vcpu: VcpuLike, shape: Shape, gic: str | None) -> GicLike | None:
    """Do to an initialised vCPU all that KVM wants before it runs: SVE finalized, interrupt controller, PMU.

    Returns the interrupt controller, where there is one.
    """
    if "sve" in shape.features:
        vcpu.finalize_sve()
    vgic = None if gic is None else vm.create_vgic(gic)
    if vgic is not None:
        vgic.initialise()
    if "pmu_v3" in shape.features:
        vcpu.enable_pmu(irq=gic is not None)
    return vgic


def changed_by_kvm(
    kvm: KvmLike, offer: Offer, plan: ProbePlan, gic: str | None, *, pmu: int | None = None
) -> dict[str, int]:
    """Return the registers whose limit KVM itself replaces before the first instruction, with what they are then.

    KVM_RUN with immediate_exit gives the VM its final identity and runs nothing.
    """
    with vcpu_of(kvm, offer.shape, pmu=pmu) as (vm, vcpu):
        make_ready(vm, vcpu, offer.shape, gic)
        vcpu.finalize()
        after = {
            row.name: vcpu.get(row.kvm_id, row.name) for row in plan.identity if row.name in offer.limits
        }
    return {name: value for name, value in after.items() if value != offer.limits[name]}


def facts_by_guest(kvm: KvmLike, *, mte: bool) -> dict[str, int]:
    """Return ``cntfrq_hz``, ``dczid`` and, on a host with memory tagging, ``gmid``, as a guest reads them."""
    with vcpu_of(kvm, Shape(frozenset({"mte"}) if mte else frozenset())) as (vm, vcpu):
        wanted = {"cntfrq_hz": CNTFRQ, "dczid": DCZID} | ({"gmid": GMID} if mte else {})
        read = read_by_mrs(vm, vcpu, wanted)
    return {name: value for name, value in read.items() if value is not None}


def pmu_by_guest(kvm: KvmLike) -> dict[str, int]:
    """Return the common events that the PMU of a guest counts: PMCEID0_EL0 and PMCEID1_EL0, in halves of 32 bits.

    The upper halves (``_high``) are events 0x4000 and up (Arm DDI 0487, PMCEID0_EL0).
    """
    shape = Shape(frozenset({"pmu_v3"}))
    try:
        with vcpu_of(kvm, shape) as (vm, vcpu):
            make_ready(vm, vcpu, shape, None)
            read = read_by_mrs(vm, vcpu, _PMCEID)
    except KvmError:
        return {}
    events = {}
    for name, value in read.items():
        if value is not None:
            events[name], events[f"{name}_high"] = value & 0xFFFF_FFFF, value >> 32
    return events
