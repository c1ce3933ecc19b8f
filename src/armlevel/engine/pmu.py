"""What a guest learnt of its PMU at boot, and whether another host's PMU keeps it: counters and common events.

PMCEID0_EL0 and PMCEID1_EL0 follow from the host's PMU and are no register of any KVM list, and a PMCR_EL0.N above the
host's is ignored in silence (Linux KVM pmu-emul.c and sys_regs.c), so nothing but a comparison tells.
"""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.engine.findings import Finding, Remedy

__all__ = ["judge_pmu"]

# A counter's first event in each half of the two registers (Arm DDI 0487, PMCEID0_EL0): common events and those above.
_HALVES = {"pmceid0": 0, "pmceid1": 32, "pmceid0_high": 0x4000, "pmceid1_high": 0x4020}


def judge_pmu(
    source: Mapping[str, int], target: Mapping[str, int], hosts: tuple[str, str]
) -> tuple[Finding, ...]:
    """Compare two offers' ``pmu``; what is not recorded on either side is not judged.

    Fewer counters break a guest that uses them all; an event that is not counted there is a risk.

    >>> [
    ...     f.subject
    ...     for f in judge_pmu({"counters": 6, "pmceid0": 3}, {"counters": 4, "pmceid0": 1}, ("a", "b"))
    ... ]
    ['pmu.counters', 'pmu.events']
    """
    findings = []
    ours, theirs = source.get("counters"), target.get("counters")
    if ours is not None and theirs is not None and theirs < ours:
        findings.append(
            Finding(
                "pmu.counters",
                "shape",
                "breaks",
                (str(ours),),
                ((hosts[1], str(theirs)),),
                "silicon",
                ("arrive",),
                (
                    "the guest was told of more event counters than there are; KVM ignores the rest in silence",
                ),
                (Remedy("without", "pmu_v3"),),
            )
        )
    lost = [
        first + bit
        for name, first in _HALVES.items()
        if name in source and name in target
        for bit in range(32)
        if source[name] & ~target[name] & 1 << bit
    ]
    if lost:
        findings.append(
            Finding(
                "pmu.events",
                "shape",
                "risk",
                (" ".join(f"{event:#x}" for event in lost),),
                ((hosts[1], "not counted"),),
                "not known",
                ("arrive",),
                ("events that the guest was told of count nothing there",),
                (Remedy("without", "pmu_v3"),),
            )
        )
    return tuple(findings)
