"""What a guest learnt of its PMU at boot, and whether another host's PMU keeps it: counters and common events.

PMCEID0_EL0 and PMCEID1_EL0 follow from the host's PMU and are no register of any KVM list, and a PMCR_EL0.N above the
host's is ignored in silence (Linux KVM pmu-emul.c and sys_regs.c), so nothing but a comparison tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from armlevel.engine.case import Case
from armlevel.engine.findings import Finding, Remedy, Severity, Side
from armlevel.engine.names import HostName, Name, hosts_of
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_whole
from armlevel.engine.values import NOT_RECORDED, Count, Events, Offers, State, Value, offered
from armlevel.profile import Offer, Shape

__all__ = ["EVENTS", "LevelledPmu", "judge_counters", "judge_events", "level_pmu"]

#: A counter's first event in each half of the two registers (Arm DDI 0487, PMCEID0_EL0): common events and those above.
EVENTS = {"pmceid0": 0, "pmceid1": 32, "pmceid0_high": 0x4000, "pmceid1_high": 0x4020}
_WITHOUT = Remedy("without", (Name("pmu_v3"),))


@dataclass(frozen=True, slots=True)
class LevelledPmu:
    """The event counters that all hosts have; on hosts ``no_start_on`` a new guest would be told of more."""

    counters: int | None
    no_start_on: frozenset[str]
    findings: tuple[Finding, ...]


def level_pmu(
    offers: Sequence[tuple[str, Offer]], shape: Shape, mixed: frozenset[str] = frozenset()
) -> LevelledPmu:
    """Return the fewest counters among the hosts of a shape with a PMU.

    A guest keeps the number that it was told at boot where there are as many or more (PMCR_EL0 is part of its state),
    so it has to start where there are fewest. Of ``mixed`` hosts it is not known: their CPUs are of several kinds.
    """
    if "pmu_v3" not in shape.features:
        return LevelledPmu(None, frozenset(), ())
    counts = {name: None if name in mixed else offer.pmu.get("counters") for name, offer in offers}
    silent = [name for name, count in counts.items() if count is None]
    if silent:
        why = Reason("pmu-follows-cpu" if mixed >= set(silent) else "counters-not-recorded")
        remedies = (Remedy("probe", hosts=hosts_of(silent)), _WITHOUT)
        missing = offered(*((name, NOT_RECORDED) for name in silent))
        return LevelledPmu(None, frozenset(), (_counters("unknown", (), missing, why, remedies=remedies),))
    known = {name: count for name, count in counts.items() if count is not None}
    least = min(known.values())
    more = frozenset(name for name, count in counts.items() if count != least)
    findings: tuple[Finding, ...] = ()
    if more:
        shown = offered(*((name, Count(count)) for name, count in known.items()))
        findings = (_counters("note", (Count(least),), shown, Reason("told-all-counters"), ("start",)),)
    return LevelledPmu(least, more, findings)


def judge_counters(case: Case) -> list[Finding]:
    """Compare the event counters that a guest was told of with those of a host."""
    guest, host, offer = case.guest, case.host.name, case.offer
    if "pmu_v3" not in guest.shape.features:
        return []
    ours, theirs = guest.pmu_counters, offer.pmu.get("counters")
    if case.host.mixed:
        # Which CPU's was recorded is not: the default PMU is that of the CPU where KVM_ARM_VCPU_INIT ran.
        offers, why = offered((host, NOT_RECORDED)), Reason("pmu-follows-cpu")
        return [_counters("unknown", (), offers, why)]
    if ours is None or theirs is None:
        whose = guest.name if ours is None else host
        why = Reason("counters-of-not-recorded", (HostName(whose),))
        remedies = (Remedy("probe", hosts=() if theirs is not None else hosts_of([host])), _WITHOUT)
        return [_counters("unknown", (), offered((host, NOT_RECORDED)), why, remedies=remedies)]
    needs, shown = (Count(ours),), offered((host, Count(theirs)))
    if theirs < ours:
        return [
            _counters("stops", needs, shown, Reason("told-fewer-counters"), ("start",)),
            _counters("breaks", needs, shown, Reason("counters-ignored"), ("arrive",)),
        ]
    if theirs > ours:
        return [_counters("stops", needs, shown, Reason("told-more-counters"), ("start",))]
    return []


def _counters(  # noqa: PLR0913, PLR0917 - a finding's parts
    severity: Severity,
    needs: tuple[Value, ...],
    offers: Offers,
    why: Reason,
    applies: tuple[Side, ...] = ("start", "arrive"),
    remedies: tuple[Remedy, ...] = (_WITHOUT,),
) -> Finding:
    return Finding(
        about_whole("pmu.counters"), "shape", severity, needs, offers, "silicon", applies, (why,), remedies
    )


def judge_events(
    source: Mapping[str, int], target: Mapping[str, int], hosts: tuple[str, str]
) -> tuple[Finding, ...]:
    """Compare the common events of two offers' ``pmu``; what is not recorded on either side is not judged.

    An event that is not counted there is a risk and no harm: a program that counts it reads 0, and what an event
    counts differs between cores anyway.

    >>> [f.subject.key for f in judge_events({"pmceid0": 3}, {"pmceid0": 1}, ("a", "b"))]
    ['pmu.events']
    """
    findings = []
    lost = [
        first + bit
        for name, first in EVENTS.items()
        if name in source and name in target
        for bit in range(32)
        if source[name] & ~target[name] & 1 << bit
    ]
    if lost:
        findings.append(
            Finding(
                about_whole("pmu.events"),
                "shape",
                "risk",
                (Events(tuple(lost)),),
                offered((hosts[1], State("not-counted"))),
                "not known",
                ("arrive",),
                (Reason("events-not-counted"),),
                (_WITHOUT,),
            )
        )
    return tuple(findings)
