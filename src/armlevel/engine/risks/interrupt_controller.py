"""A guest CPU without the GIC's system registers: it needs a GICv2 around it, which few hosts can give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.arch import Catalogue
from armlevel.engine.findings import Finding
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_whole
from armlevel.engine.values import NOT_RECORDED, FieldValues, State, Value, offered
from armlevel.profile import Guest, Host, HostMachine, Offer

__all__ = ["without_system_registers"]

_GIC = "ID_AA64PFR0_EL1.GIC"


def without_system_registers(
    guest: Guest, fleet: Sequence[tuple[Host, Offer]], values: Mapping[str, int], catalogue: Catalogue
) -> tuple[Finding, ...]:
    """Name the hosts that are not known to give a guest the GICv2 that its ID_AA64PFR0_EL1.GIC of 0 stands for.

    ``values`` are the guest's, by ``REG.FIELD``; a host that shows 0 itself has no other. KVM sets the field from the
    interrupt controller that the VM has (Linux arch/arm64/kvm/vgic/vgic-init.c), so beside a GICv3 no guest has it at
    0. A guest whose own interrupt controller is recorded has that judged instead.
    """
    if values.get(_GIC) != 0 or (guest.machine is not None and guest.machine.gic is not None):
        return ()
    field, lacking = catalogue.fields[_GIC], list[tuple[str, Value]]()
    for host, offer in fleet:
        if not field.get(offer.limits.get(field.register, 0)):
            continue
        has = (host.machine or HostMachine()).has_gic("v2")
        if not has:
            lacking.append((host.name, NOT_RECORDED if has is None else State("no")))
    if not lacking:
        return ()
    return (
        Finding(
            about_whole("interrupt-controller"),
            "registers",
            "risk",
            needs=(FieldValues((0,)),),
            offers=offered(*lacking),
            cause="silicon",
            because=(Reason("gic-follows-machine"),),
        ),
    )
