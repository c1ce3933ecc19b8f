"""Whether hosts still run a guest, and what changed on those that were recorded before, with the likely cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from armlevel.arch import Catalogue, StableChange
from armlevel.engine.compare.diff import Change, diff
from armlevel.engine.compare.not_compared import not_compared
from armlevel.engine.findings import Answer, Verdict, worst
from armlevel.engine.values import FieldValues, RegisterValue, State, Value
from armlevel.engine.verdict import check
from armlevel.kvm import group_of, id_of
from armlevel.profile import Guest, Host, Software, alike

__all__ = ["Drift", "DriftCause", "Moved", "drift"]

DriftCause = Literal["silicon", "kernel", "firmware", "boot option", "recording", "not known"]

# What no software of the host decides: it is of the CPU, or the machine's firmware programmed it.
_BY_FIRMWARE = ("facts.cntfrq_hz",)
_BY_SILICON = ("MIDR_EL1", "facts.dczid", "facts.gmid")


@dataclass(frozen=True, slots=True)
class Moved:
    """One change of a host that its guests may notice; ``known`` is the stable update that is recognised in it."""

    change: Change
    cause: DriftCause
    known: StableChange | None = None

    @property
    def real(self) -> bool:
        """Whether the host changed, and not only what was written down of it."""
        return self.cause != "recording"


@dataclass(frozen=True, slots=True)
class Drift:
    """One host today: what it answers a guest, and what changed since it was recorded before.

    ``not_compared``  what one of the two recordings lacks: whether it changed is not known
    ``born_here``  whether the guest starts here; where it only arrives, not starting is no drift
    """

    host: str
    verdict: Verdict
    born_here: bool
    changes: tuple[Moved, ...] = ()
    since: str = ""
    not_compared: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        """Whether the guest can do here what it is for: arrive, and start where it is born."""
        return worst([self.verdict.arrive, self.verdict.start] if self.born_here else [self.verdict.arrive])


def drift(
    host: Host,
    guest: Guest,
    catalogue: Catalogue,
    before: Host | None = None,
    verdict: Verdict | None = None,
) -> Drift:
    """Judge a guest on a host as it is now; ``before`` is the same host as it was recorded earlier.

    A profile that names no host where it is born is born everywhere. ``verdict`` is what the guest was answered there,
    if that is known already.
    """
    names = {host.name} if before is None else {host.name, before.name}
    born_here = not guest.starts_on or not names.isdisjoint(guest.starts_on)
    verdict = check(guest, host, catalogue) if verdict is None else verdict
    if before is None:
        return Drift(host.name, verdict, born_here)
    moved = tuple(
        _moved(change, before, host, catalogue) for change in diff(before, host, catalogue) if change.identity
    )
    return Drift(host.name, verdict, born_here, moved, before.name, not_compared(before, host, catalogue))


def _moved(change: Change, before: Host, now: Host, catalogue: Catalogue) -> Moved:
    older, newer = before.software.kernel, now.software.kernel
    known = next(
        (
            row
            for row in catalogue.stable
            if (row.subject, _value_of(row.before), _value_of(row.after))
            == (change.subject, change.before, change.after)
            and older is not None
            and newer is not None
            and row.between(older, newer)
        ),
        None,
    )
    return Moved(change, "kernel" if known is not None else _cause(change, before, now), known)


def _value_of(text: str) -> Value | None:
    # A side of a row: of a list, of firmware or a whole register in hex, of a field.
    if text in ("", "listed"):
        return State("listed") if text else None
    return RegisterValue(int(text, 16)) if text.startswith("0x") else FieldValues((int(text),))


def _cause(change: Change, before: Host, now: Host) -> DriftCause:
    if change.part == "list" and group_of(id_of(change.subject)) == "core":
        return "recording"  # every KVM lists every core register
    were, are = before.implementations, now.implementations
    if were and are:
        if {one.part for one in were} != {one.part for one in are} or change.subject in _BY_SILICON:
            return "silicon"
        same = alike(were, are)
        if same is False or change.subject in _BY_FIRMWARE:  # firmware patches a revision, and sets the clock
            return "firmware"
        if same and None not in (before.software.kernel, now.software.kernel):
            return _by_software(change, before.software, now.software)
    return "not known"


def _by_software(change: Change, old: Software, new: Software) -> DriftCause:
    if old.kernel != new.kernel:
        return "kernel"
    if old.boot_options != new.boot_options:
        return "boot option"
    # The same kernel by its name: firmware tells KVM which workarounds there are; all else is for its boot options.
    if change.part == "firmware":
        return "firmware"
    if None in (old.firmware, new.firmware):
        return "not known"
    return "firmware" if old.firmware != new.firmware else "boot option"
