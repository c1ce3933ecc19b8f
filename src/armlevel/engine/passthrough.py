"""The passthrough profile: the guest CPU of a passthrough VM."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from armlevel.arch import Catalogue
from armlevel.engine.fields.partial import possible_midrs
from armlevel.engine.parts.machine_given import given_on
from armlevel.engine.parts.registers_certain import guest_possible
from armlevel.engine.parts.registers_implementation import shown_by
from armlevel.engine.parts.shape import passthrough_shape
from armlevel.engine.parts.shape_unknown import unknown_to_rows
from armlevel.errors import UsageError
from armlevel.profile import Guest, GuestMachine, Host, Implementation, Offer, Shape, ShownImplementation

__all__ = ["guest_of_offer", "passthrough", "passthrough_name"]


def guest_of_offer(host: Host, offer: Offer, catalogue: Catalogue) -> Guest:
    """Return the guest CPU that ``offer`` gives when nothing is written: every register at its limit.

    Registers without meaning stay: a VMM that passes the host's CPU through carries them all the same.
    """
    shown = shown_by(offer.limits, host)
    # Where any core can be shown, what is shown does not say on which one the guest has run.
    targets = (shown,) if shown is not None and offer.shape.imp_id_writable else ()
    identity = set(catalogue.bundles["implementation"].registers)
    registers = {
        name: value
        for name, value in offer.limits.items()
        if name not in identity and not _per_vcpu(catalogue, name)
    }
    return Guest(
        name=passthrough_name(host.name),
        shape=offer.shape,
        registers=registers,
        register_list=offer.register_list,
        firmware=offer.firmware,
        sve_vls=offer.sve_vls,
        facts=host.facts,
        implementation=ShownImplementation(shown, targets) if shown else None,
        starts_on=(host.name,),
        pmu_counters=offer.pmu.get("counters") if "pmu_v3" in offer.shape.features else None,
        unknown=unknown_to_rows(host),
        possible={**guest_possible(host, offer, catalogue), **_midrs(host, offer, shown)},
    )


def _midrs(host: Host, offer: Offer, shown: Implementation | None) -> dict[str, frozenset[int]]:
    # What the guest is told is one of these, where it is not recorded which.
    midrs = possible_midrs(host)
    known = (shown is not None and shown.midr is not None) or offer.shape.imp_id_writable
    return {} if known or midrs is None else {"MIDR_EL1": midrs}


def _per_vcpu(catalogue: Catalogue, name: str) -> bool:
    known = catalogue.registers.get(name)
    return known is not None and known.derived


_SUFFIX: Literal[" passthrough"] = " passthrough"


def passthrough_name(host: str) -> str:
    """Return what the passthrough guest of a host is called.

    >>> passthrough_name("n1")
    'n1 passthrough'
    """
    return host + _SUFFIX


def passthrough(
    host: Host,
    catalogue: Catalogue,
    *,
    vmm: str = "kvm",
    shape: Shape | None = None,
    machine: GuestMachine | None = None,
) -> Guest:
    """Return the passthrough profile of ``host`` under a VMM (``kvm``, ``qemu``, ``firecracker``).

    ``machine`` is what the VMM is asked for around the vCPUs; without it nothing is recorded of that.

    Raises:
        UsageError: the host has no offer for that shape.

    """
    chosen = shape if shape is not None else passthrough_shape(host, vmm)
    offer = host.offer(chosen) if chosen is not None else None
    if offer is None:
        raise UsageError(
            f"{host.name} has no offer for {'any shape' if shape is None else f'shape {shape.label}'}",
            hint="probe the host again",
        )
    guest = guest_of_offer(host, offer, catalogue)
    return guest if machine is None else replace(guest, machine=given_on(machine, host, catalogue))
