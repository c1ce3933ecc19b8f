"""(b) Restoring all of one host's registers on another: what `check` says of each, against what KVM did.

The source's passthrough profile of each shape that both have; ID and firmware registers in the order in which
`armlevel verify` writes them; what is there at the end is compared, so one write that undoes another is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from armlevel.arch import Catalogue
from armlevel.engine import Finding, check
from armlevel.engine.passthrough import guest_of_offer
from armlevel.kvm import id_of
from armlevel.profile import Guest, Host, Shape

__all__ = ["Restored", "compare", "naturals", "said_of", "tasks_for", "values_of"]

# What KVM says of Spectre v4 depends on the SSBS that the VM shows.
_SSBS, _LEVEL = "ID_AA64PFR1_EL1", "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2"


@dataclass(slots=True)
class Restored:
    """Registers restored, by what KVM did; what `check` could not tell; what it told wrongly.

    ``moot``: what was said of a workaround level supposed an ID_AA64PFR1_EL1 that KVM, as was said too, refused.
    ``kept`` says for a host, shape, register and value whether KVM kept the value.
    """

    pairs: int = 0
    was: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    wrong_yes: list[tuple[str, ...]] = field(default_factory=list)
    wrong_no: list[tuple[str, ...]] = field(default_factory=list)
    kept: dict[tuple[str, str, str, int], bool] = field(default_factory=dict)
    moot: int = 0

    def add(self, other: Restored) -> None:
        """Take in the counts of another destination."""
        self.pairs += other.pairs
        self.was.update(other.was)
        self.unknown.update(other.unknown)
        self.wrong_yes += other.wrong_yes
        self.wrong_no += other.wrong_no
        self.kept |= other.kept
        self.moot += other.moot

    def __str__(self) -> str:
        """Give the counts in a line."""
        parts = [f"{self.was[name]:,} {name}" for name in ("same", "ignored", "refused")]
        return (
            f"{self.pairs:,} moves, {self.was.total():,} registers: {', '.join(parts)}; "
            f"{self.unknown.total():,} unknown, {self.moot} moot; "
            f"{len(self.wrong_yes)} wrong yes, {len(self.wrong_no)} wrong no"
        )


def values_of(guest: Guest) -> dict[str, int]:
    """Return every ID and firmware register of a guest, in the order in which they are written."""
    wanted = guest.id_registers
    ordered = sorted(wanted, key=lambda name: (name != "CTR_EL0", name))
    return {**{name: wanted[name] for name in ordered}, **guest.firmware}


def naturals(
    target: Host, sources: Sequence[Host], catalogue: Catalogue
) -> Iterator[tuple[Shape, list[Guest]]]:
    """Give each shape of ``target`` with the passthrough guests of the sources that have it, each content once."""
    for shape in target.shapes:
        guests: dict[tuple[object, ...], Guest] = {}
        for source in sources:
            offer = source.offer(shape)
            if offer is not None:
                guest = guest_of_offer(source, offer, catalogue)
                guests.setdefault(tuple(values_of(guest).items()), guest)
        yield shape, list(guests.values())


def shape_task(shape: Shape) -> dict[str, Any]:
    """Return a shape as a task spells it."""
    return {"features": sorted(shape.features), "imp_id_writable": shape.imp_id_writable}


def tasks_for(target: Host, sources: Sequence[Host], catalogue: Catalogue) -> list[Any]:
    """Return what the target is to restore."""
    return [
        [shape_task(shape), [[id_of(name), value] for name, value in values_of(guest).items()]]
        for shape, guests in naturals(target, sources, catalogue)
        for guest in guests
    ]


def compare(target: Host, sources: Sequence[Host], answers: Sequence[Any], catalogue: Catalogue) -> Restored:
    """Compare the target's answers with what `check` says of the same guests."""
    total, given = Restored(), iter(answers)
    for _shape, guests in naturals(target, sources, catalogue):
        for guest in guests:
            _compare(guest, target, next(given), catalogue, total)
    return total


def _compare(
    guest: Guest, target: Host, answers: Sequence[Any], catalogue: Catalogue, total: Restored
) -> None:
    leaks = {row.field for row in catalogue.leaks}
    findings = check(guest, target, catalogue).findings
    # What a guest reads from the hardware changes nothing in what KVM keeps.
    said = said_of(
        [one for one in findings if one.severity not in ("note", "risk") or one.subject.key not in leaks]
    )
    shape = guest.shape
    total.pairs += 1
    truths = {
        name: "refused" if isinstance(answer, list) else "same" if answer == value else "ignored"
        for (name, value), answer in zip(values_of(guest).items(), answers, strict=True)
    }
    without = truths.get(_SSBS) == said.get(_SSBS) == "refused"
    for (name, value), answer in zip(values_of(guest).items(), answers, strict=True):
        truth = truths[name]
        told = said.get(name, "same")
        total.was[truth] += 1
        total.kept[target.name, shape.label, name, value] = truth == "same"
        if told == "unknown":
            total.unknown[name] += 1
        elif told != truth and without and name == _LEVEL:
            total.moot += 1
        elif told != truth:
            rank = ("refused", "ignored", "same")
            wrong = total.wrong_no if rank.index(told) < rank.index(truth) else total.wrong_yes
            kept = answer if isinstance(answer, list) else f"{answer:#x}"
            wrong.append((guest.name, target.name, shape.label, name, f"{value:#x}", told, truth, str(kept)))


def said_of(findings: Sequence[Finding]) -> dict[str, str]:
    """Return what a verdict says of each register: ``refused``, ``unknown`` or ``ignored``; the others are the same."""
    rank = ("same", "ignored", "unknown", "refused")
    said: dict[str, str] = {}
    for one in findings:
        if one.part not in ("registers", "firmware", "list"):
            continue
        name = one.subject.register
        arrives = "arrive" in one.applies
        told = "refused" if one.severity == "stops" and arrives else "ignored"
        told = "unknown" if one.severity == "unknown" else told
        said[name] = max(said.get(name, "same"), told, key=rank.index)
    return said
