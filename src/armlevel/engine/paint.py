"""Which implementation a levelled guest is shown, and the implementations it may run on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from armlevel.arch import Catalogue
from armlevel.engine.bundles import Bundled, level_bundle, register_outcome
from armlevel.engine.causes import implementations
from armlevel.engine.findings import Finding, Remedy
from armlevel.profile import Host, Implementation, Offer, Paint

__all__ = ["level_paint", "paint_of"]


def level_paint(
    offers: Sequence[tuple[str, Offer]], catalogue: Catalogue, asked: Implementation | None
) -> Bundled:
    """Choose MIDR_EL1, REVIDR_EL1 and AIDR_EL1: those ``asked`` for, or the lowest that every host keeps.

    A host keeps what is not its own only where KVM_CAP_ARM_WRITABLE_IMP_ID_REGS is enabled before the first vCPU.
    """
    lowest = level_bundle("paint", offers, catalogue)
    if asked is None or not _recorded(lowest, offers):
        return lowest
    wanted = {"MIDR_EL1": asked.midr, "REVIDR_EL1": asked.revidr, "AIDR_EL1": asked.aidr}
    shown = {register for _, offer in offers for register in offer.limits}
    registers = {register: value for register, value in wanted.items() if register in shown}
    refusing = [
        (host, ", ".join(f"{r}={offer.limits[r]:#x}" for r in registers if r in offer.limits))
        for host, offer in offers
        if any(register_outcome(offer, r, value, catalogue) != "same" for r, value in registers.items())
    ]
    if not refusing:
        return Bundled(tuple(registers.items()))
    finding = Finding(
        "policy.paint",
        "registers",
        "stops",
        tuple(f"{register}={value:#x}" for register, value in registers.items()),
        tuple(refusing),
        "kernel",
        because=("these hosts can show no other implementation than their own",),
        remedies=(Remedy("upgrade-kernel", hosts=tuple(host for host, _ in refusing)),),
    )
    return Bundled((), (finding,), conflict=True)


def _recorded(lowest: Bundled, offers: Sequence[tuple[str, Offer]]) -> bool:
    return bool(offers) and not any(finding.severity == "unknown" for finding in lowest.findings)


def paint_of(
    shown: Mapping[str, int], hosts: Sequence[Host], also: Iterable[Implementation] = ()
) -> Paint | None:
    """Return the paint of a levelled guest: its face, and every implementation of the hosts and of those to come."""
    if "MIDR_EL1" not in shown:
        return None
    targets = sorted({one for host in hosts for one in implementations(host)}.union(also))
    face = Implementation(shown["MIDR_EL1"], shown.get("REVIDR_EL1", 0), shown.get("AIDR_EL1", 0))
    return Paint(face, tuple(targets))
