"""What a VMM gives a guest around its vCPUs on one host, out of what it was asked for and what the host has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from armlevel.engine.parts.machine_map import memory_map
from armlevel.profile import GuestMachine, Host, HostMachine

if TYPE_CHECKING:
    from armlevel.arch import Around, Catalogue

__all__ = ["NO_GIC", "UNKNOWN_GIC", "gic_on", "given_on", "steal_time_on"]

#: Instead of a version: it is not known which, and the host has none such.
UNKNOWN_GIC, NO_GIC = None, 0


def given_on(asked: GuestMachine, host: Host, catalogue: Catalogue) -> GuestMachine:
    """Return what a guest that is started on ``host`` is given; what cannot be known of it is not recorded.

    >>> from armlevel.arch import load
    >>> from armlevel.profile import Host
    >>> there = Host("h", machine=HostMachine(gic={"v2": "ENODEV", "v3": "yes"}))
    >>> given_on(GuestMachine(vmm="qemu", gic_asked="default", vcpus=1), there, load()).gic
    3
    """
    row, around = catalogue.around.get(asked.vmm or ""), host.machine or HostMachine()
    gic = gic_on(asked, around, row) or None
    map_there = None
    if row is not None and row.board and around.ipa_bits is not None:
        map_there = memory_map(asked, around.ipa_bits, catalogue)
    held = {name: field.shown for name, field in (around.icc_ctlr or {}).items()}
    return replace(
        asked,
        gic=gic,
        its=None if asked.its is None or gic is None else asked.its and gic == 3,
        steal_time=steal_time_on(asked, host),
        windows=None if map_there is None else map_there.windows,
        icc_ctlr=(held or None) if gic == 3 else None,
        ich_vtr=around.ich_vtr if asked.virtualization else None,
        gicd_iidr=around.gicd_iidr.shown if gic == 3 and around.gicd_iidr is not None else None,
    )


def gic_on(asked: GuestMachine, host: HostMachine, row: Around | None) -> int | None:
    """Return the version that a VMM takes on a host: :data:`NO_GIC` if it starts no guest, None if it is not known."""
    there = {version: host.has_gic(f"v{version}") for version in (2, 3)}
    few = None if row is None or asked.vcpus is None else asked.vcpus <= row.v2_vcpus
    if asked.gic_asked in ("2", "3"):
        order: tuple[int, ...] = (int(asked.gic_asked),)
    elif asked.gic_asked in ("host", "max"):
        order = (3, 2)
    elif asked.gic_asked == "default" and row is not None:
        order = row.gic
        # With more vCPUs than a GICv2 has no VMM takes one unasked; how many there are may not be recorded.
        there[2] = _both(there[2], few)
    else:
        return UNKNOWN_GIC
    return _first(order, there)


def _both(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - three answers
    if one is False or other is False:
        return False
    return None if None in (one, other) else True


def _first(order: tuple[int, ...], there: dict[int, bool | None]) -> int | None:
    for version in order:
        if there[version] is None:
            return UNKNOWN_GIC
        if there[version]:
            return version
    return NO_GIC


def steal_time_on(asked: GuestMachine, host: Host) -> bool | None:
    """Return whether a guest is given stolen time there; None if it is not known."""
    if asked.steal_time_asked == "off":
        return False
    if asked.steal_time_asked is None:
        return None
    if host.machine is not None and host.machine.steal_time is not None:
        return host.machine.steal_time
    capability = host.software.kvm_capabilities.get("STEAL_TIME")
    return None if capability is None else capability > 0
