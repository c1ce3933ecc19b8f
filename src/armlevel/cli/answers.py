"""Answers in words: what they rest on, and what a person gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.cli.words import part_text, unknown_text
from armlevel.operations import Answer, Finding, Part
from armlevel.profile import Given

__all__ = ["given_lines", "judged_text"]


def judged_text(parts: Mapping[Part, Answer], findings: Sequence[Finding]) -> str:
    """Say which parts an answer rests on, so that no yes is more than it is.

    >>> known = {"registers": "runs", "facts": "unknown"}
    >>> judged_text(known, [Finding("facts.cntfrq_hz", "facts", "unknown", offers=(("n1", "not recorded"),))])
    'registers only; counter frequency not recorded'
    >>> judged_text({"registers": "runs", "facts": "runs"}, [])
    'every part'
    """
    unknown = [part for part, answer in parts.items() if answer == "unknown"]
    if not unknown:
        return "every part"
    judged = [part_text(part) for part, answer in parts.items() if answer != "unknown" and part != "shape"]
    rest = (
        unknown_text([finding for finding in findings if finding.part in unknown], 2)
        or f"{', '.join(map(part_text, unknown))} not known"
    )
    return f"{', '.join(judged) if judged else 'nothing'} only; {rest}"


def given_lines(given: Sequence[Given]) -> list[str]:
    """Return what was given with --fact as lines to print."""
    return [f"given: {one.host} has {one.fact} {one.value}" for one in given]
