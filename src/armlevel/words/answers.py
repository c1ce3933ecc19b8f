"""Words for answers: the parts of a question, what refuses, what is not known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from armlevel.engine.findings import Answer, Finding, Part
from armlevel.engine.subjects import about_fact
from armlevel.engine.values import NOT_RECORDED
from armlevel.words.subjects import listed_few, subject_text

__all__ = [
    "ALL_BUT_MACHINE",
    "JUDGED_WELL",
    "against_text",
    "judged_text",
    "left_out_text",
    "not_judged_text",
    "part_text",
    "unknown_text",
]

#: What a judgement rests on that lacks nothing; without a record of its machine a guest is judged in the others.
JUDGED_WELL = EVERY_PART, ALL_BUT_MACHINE = ("every part", "all but machine")
_PARTS = {"shape": "vCPU shape", "list": "register list"}
_FACTS = {
    about_fact("cntfrq_hz"): "counter frequency",
    about_fact("dczid"): "DC ZVA block",
    about_fact("gmid"): "MTE tag block",
}


def part_text(part: str) -> str:
    """Return a part of a question in words."""
    return _PARTS.get(part, part)


def against_text(findings: Iterable[Finding]) -> str:
    """Return what refuses, in words: ``registers, counter frequency``."""
    found: dict[str, None] = {}
    for finding in findings:
        if finding.severity in ("stops", "breaks"):
            found[_FACTS.get(finding.subject, part_text(finding.part))] = None
    return ", ".join(found)


def unknown_text(findings: Iterable[Finding], few: int = 3) -> str:
    """Return what is not known, in words; empty if nothing is.

    >>> from armlevel.engine.values import offered
    >>> clock = about_fact("cntfrq_hz")
    >>> unknown_text([Finding(clock, "facts", "unknown", offers=offered(("n1", NOT_RECORDED)))])
    'counter frequency not recorded'
    """
    kinds: dict[str, dict[str, None]] = {"not recorded": {}, "not known": {}}
    for finding in findings:
        if finding.severity == "unknown":
            missing = NOT_RECORDED in (*finding.needs, *(value for _, value in finding.offers))
            by_part = finding.part in ("list", "firmware", "shape")
            name = (
                part_text(finding.part)
                if by_part
                else _FACTS.get(finding.subject, subject_text(finding.subject))
            )
            kinds["not recorded" if missing else "not known"][name] = None
    return "; ".join(f"{listed_few(list(names), few)} {kind}" for kind, names in kinds.items() if names)


def judged_text(parts: Mapping[Part, Answer], findings: Sequence[Finding]) -> str:
    """Say which parts an answer rests on, so that no yes is more than it is.

    >>> from armlevel.engine.values import offered
    >>> known, clock = {"registers": "runs", "facts": "unknown"}, about_fact("cntfrq_hz")
    >>> judged_text(known, [Finding(clock, "facts", "unknown", offers=offered(("n1", NOT_RECORDED)))])
    'registers only; counter frequency not recorded'
    >>> judged_text({"registers": "runs", "machine": "runs"}, []), judged_text({"registers": "runs"}, [])
    ('every part', 'all but machine')
    """
    unknown = [part for part, answer in parts.items() if answer == "unknown"]
    if not unknown:
        return EVERY_PART if "machine" in parts else ALL_BUT_MACHINE
    judged = [part_text(part) for part, answer in parts.items() if answer != "unknown" and part != "shape"]
    rest = (
        unknown_text([finding for finding in findings if finding.part in unknown], 2)
        or f"{', '.join(map(part_text, unknown))} not known"
    )
    return f"{', '.join(judged) if judged else 'nothing'} only; {rest}"


def left_out_text(parts: Collection[Part]) -> str:
    """Return which parts were not asked about, in words; empty if all were.

    >>> left_out_text(["machine"]), left_out_text([])
    ('not judged: machine', '')
    """
    return f"not judged: {', '.join(map(part_text, parts))}" if parts else ""


def not_judged_text(parts: Collection[Part], answers: Collection[Answer]) -> str:
    """Return what the first line adds where some answer is a yes, and no part speaks of the machine.

    >>> not_judged_text(["registers"], ["runs"]), not_judged_text(["registers", "machine"], ["runs"])
    ('; machine not judged', '')
    """
    return "; machine not judged" if "machine" not in parts and "runs" in answers else ""
