"""What a VMM itself cannot do for a guest, whatever KVM takes: features, capabilities, implementation."""

from __future__ import annotations

from armlevel.arch import Blocks, Catalogue, Vmm
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import Message, Name, hosts_of
from armlevel.engine.reasons import Reason, ReasonCode, from_row
from armlevel.engine.subjects import about_capability, about_fact, about_register, about_shape
from armlevel.engine.values import NOT_RECORDED, Count, RegisterValue, State, offered
from armlevel.profile import Guest, Host, Offer

__all__ = ["STEAL_TIME", "blocked", "implementation_refused", "judge_pages"]

#: Bit 0 says that a guest is given the time it was kept waiting, in memory that its VMM shares with KVM.
STEAL_TIME = "KVM_REG_ARM_STD_HYP_BMAP"


def blocked(guest: Guest, source: Host, target: Host, vmm: Vmm, catalogue: Catalogue) -> list[Finding]:
    """Return what rows say that the VMM refuses: a feature of the guest's shape, a capability that one end lacks.

    Where one end's capability is known and the other's is not, it is not known what the VMM does.
    """
    found = []
    for row in catalogue.blocks:
        if row.capability == "STEAL_TIME" and guest.machine is not None:
            continue  # judged with what the guest was given around its vCPUs
        severity = _severity(row, guest, source, target) if vmm.name in row.vmms else None
        if severity is None:
            continue
        subject = about_shape(row.feature) if row.feature else about_capability(row.capability)
        at = source.name if row.at == "source" else target.name
        remedies = (Remedy("without", (Name(row.feature),)),) if row.feature else ()
        if severity == "unknown":
            remedies = (Remedy("probe", hosts=hosts_of([at])),)
        found.append(
            Finding(
                subject,
                "shape",
                severity,
                offers=offered((at, State("no") if severity == "stops" else NOT_RECORDED)),
                cause="vmm" if row.feature else "kernel",
                applies=("arrive",),
                because=(from_row(row.why),),
                remedies=remedies,
                messages=(Message(row.message),) if severity == "stops" else (),
            )
        )
    return found


def _severity(row: Blocks, guest: Guest, source: Host, target: Host) -> Severity | None:
    if row.feature:
        return "stops" if row.feature in guest.shape.features else None
    here, there = (host.software.kvm_capabilities.get(row.capability) for host in (source, target))
    if here == 0 or there:
        return None
    return "unknown" if None in (here, there) else "stops"


def judge_pages(guest: Guest, source: Host, target: Host, family: str) -> list[Finding]:
    """Compare the sizes of the hosts' pages: no register, and yet a VMM may not move a guest between two of them.

    QEMU rounds blocks of memory up to its host's page: those of the ACPI tables, and of stolen time, are then too large
    for a host with smaller pages (both ways were tried in the lab: 4 KiB to 16 KiB goes, back does not); post-copy and
    huge pages want equal sizes whatever the VMM (migration/savevm.c). Where a size is not recorded, it is not known
    whether QEMU moves such a guest.
    """
    was, now = source.facts.page_size, target.facts.page_size
    known = was is not None and now is not None
    # Of a guest that records its machine, that is judged with the rest of it.
    rounded = family == "qemu" and guest.machine is None
    if (known and was == now) or not (known or rounded):
        return []
    # Larger pages take what arrives: QEMU rounds its size up to them before it compares (qemu_ram_resize).
    rounded = rounded and not (was is not None and now is not None and was < now)
    severity: Severity = "unknown" if not known else "stops" if rounded else "risk"
    missing = hosts_of(host.name for host, size in ((source, was), (target, now)) if size is None)
    why: ReasonCode = "pages-differ"
    if rounded:
        why = "blocks-rounded" if known else "pages-not-recorded"
    return [
        Finding(
            about_fact("page_size"),
            "facts",
            severity,
            () if was is None else (Count(was),),
            offered((target.name, NOT_RECORDED if now is None else Count(now))),
            "kernel" if known else "not known",
            ("arrive",),
            (Reason(why),),
            () if known else (Remedy("fact", (Name("page_size"),), missing),),
        )
    ]


def implementation_refused(
    guest: Guest, source: tuple[str, Offer], target: tuple[str, Offer], vmm: Vmm
) -> list[Finding]:
    """Return the implementation IDs of a profile that a host does not show by itself, where the VMM writes none."""
    if vmm.writes_implementation or guest.implementation is None:
        return []
    wanted = guest.implementation.shown.registers()
    return [
        Finding(
            about_register(name),
            "registers",
            "stops",
            (RegisterValue(value),),
            offered((host, RegisterValue(offer.limits[name]))),
            "vmm",
            ("arrive",),
            (Reason("implementation-never-writable"),),
            (Remedy("other-vmm", (Name("kvm"),)),),
        )
        for host, offer in (source, target)
        for name, value in wanted.items()
        if offer.limits.get(name, value) != value
    ]
