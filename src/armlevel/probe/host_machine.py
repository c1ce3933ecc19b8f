"""What a host offers around the vCPU: all of it learnt in scratch VMs."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace

from armlevel.errors import KvmError
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.interrupt_controller import gic_devices, gicd_iidr, gicd_typer2, icc_ctlr, ich_vtr
from armlevel.probe.novelties import novelties
from armlevel.profile import HostMachine, Offer
from armlevel.profile.machine import YES, KvmMode

__all__ = ["machine_of"]

_DEFAULT_BITS = 40


def machine_of(kvm: KvmLike, offers: Sequence[Offer], mode: KvmMode | None = None) -> HostMachine:
    """Return what this host offers around the vCPU; ``offers`` are its own, whole.

    ``mode`` is what Linux tells of how KVM runs; that it runs protected is seen from what it does.
    """
    with kvm.create_vm() as vm:
        limit = vm.extension("ARM_VM_IPA_SIZE")
        offset, steal, ptp = (
            bool(vm.extension(name)) for name in ("COUNTER_OFFSET", "STEAL_TIME", "PTP_KVM")
        )
    gic = gic_devices(kvm)
    v3 = gic["v3"] == YES
    nested = any("has_el2" in offer.shape.features for offer in offers)
    found = HostMachine(
        gic=gic,
        icc_ctlr=icc_ctlr(kvm) if v3 else None,
        ich_vtr=ich_vtr(kvm) if v3 and nested else None,
        gicd_iidr=gicd_iidr(kvm) if v3 else None,
        gicd_typer2=gicd_typer2(kvm) if v3 else None,
        mode=mode,
        counter_offset=offset,
        steal_time=steal,
        ptp=ptp,
        unknown=novelties(kvm, offers),
    )
    if not limit:  # a kernel before 4.20, whose VMs are all of one size
        return replace(found, ipa_bits=_DEFAULT_BITS, ipa_fixed=True)
    smallest = next((bits for bits in range(1, limit) if _creates(kvm, bits)), limit)
    if smallest > 1:
        return replace(found, ipa_bits=limit, ipa_min=smallest, ipa_fixed=False)
    # No VM has an address of one bit: the size that was asked for plays no part, and only a protected KVM does so.
    return replace(found, ipa_bits=limit, ipa_fixed=True, mode="protected")


def _creates(kvm: KvmLike, bits: int) -> bool:
    try:
        with kvm.create_vm(bits):
            return True
    except KvmError as exc:
        if exc.code != errno.EINVAL:
            raise
        return False
