"""The natural profile: the guest CPU of a passthrough VM."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.arch import Catalogue
from armlevel.engine.parts.shape import natural_shape
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host, Implementation, Offer, Paint, Shape

__all__ = ["guest_of_offer", "natural", "shown_by", "untold"]

# With MIDR_EL1 KVM lists both of them on every host (Linux arch/arm64/kvm/sys_regs.c, invariant registers).
_REVISIONS = frozenset({"REVIDR_EL1", "AIDR_EL1"})


def shown_by(limits: Mapping[str, int], host: Host) -> Implementation | None:
    """Return the implementation that a guest sees under these limits, or the host's only one."""
    if "MIDR_EL1" in limits:
        return Implementation(limits["MIDR_EL1"], limits.get("REVIDR_EL1", 0), limits.get("AIDR_EL1", 0))
    kinds = {cpu.implementation for cpu in host.cpus}
    return kinds.pop() if len(kinds) == 1 else None


def untold(offer: Offer) -> frozenset[str]:
    """Return which revision numbers this offer does not record: they are not 0, they are not known.

    The host's list of CPUs does not tell either: a kernel before 6.15 shows no AIDR_EL1 outside KVM. Where userspace
    writes the numbers, the host's own do not matter.

    >>> sorted(untold(Offer(Shape(), limits={"MIDR_EL1": 0x410FD490, "REVIDR_EL1": 0})))
    ['AIDR_EL1']
    """
    if offer.shape.imp_id_writable or "MIDR_EL1" not in offer.limits:
        return frozenset()
    return _REVISIONS.difference(offer.limits)


def guest_of_offer(host: Host, offer: Offer, catalogue: Catalogue) -> Guest:
    """Return the guest CPU that ``offer`` gives when nothing is written: every register at its limit.

    Registers without meaning stay: a VMM that passes the host's CPU through carries them all the same.
    """
    shown = None if untold(offer) else shown_by(offer.limits, host)
    # Where any core can be shown, what is shown does not say on which one the guest has run.
    targets = (shown,) if shown is not None and offer.shape.imp_id_writable else ()
    identity = set(catalogue.bundles["paint"].registers)
    registers = {
        name: value
        for name, value in offer.limits.items()
        if name not in identity and not _per_vcpu(catalogue, name)
    }
    return Guest(
        name=f"{host.name} natural",
        shape=offer.shape,
        registers=registers,
        carries=offer.registers,
        firmware=offer.firmware,
        sve_vls=offer.sve_vls,
        facts=host.facts,
        paint=Paint(shown, targets) if shown else None,
        born_on=(host.name,),
        pmu_counters=offer.pmu.get("counters") if "pmu_v3" in offer.shape.features else None,
    )


def _per_vcpu(catalogue: Catalogue, name: str) -> bool:
    known = catalogue.registers.get(name)
    return known is not None and known.derived


def natural(host: Host, catalogue: Catalogue, *, vmm: str = "kvm", shape: Shape | None = None) -> Guest:
    """Return the natural profile of ``host`` under a VMM (``kvm``, ``qemu``, ``firecracker``).

    Raises:
        UsageError: the host has no offer for that shape.

    """
    chosen = shape if shape is not None else natural_shape(host, vmm)
    offer = host.offer(chosen) if chosen is not None else None
    if offer is None:
        asked = f"shape {shape.label}" if shape is not None else "any shape"
        raise UsageError(f"{host.name} has no offer for {asked}", hint="probe the host again")
    return guest_of_offer(host, offer, catalogue)
