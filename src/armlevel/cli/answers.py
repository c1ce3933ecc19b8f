"""Answers: in words, as an exit status, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from armlevel.cli.inputs import Given
from armlevel.cli.output import wrapped
from armlevel.cli.subjects import subject_text
from armlevel.cli.words import listed_few, part_text, unknown_text
from armlevel.documents import verdict_object
from armlevel.engine import Answer, Finding, Part, Verdict, worst

__all__ = ["exit_of", "findings_json", "given_json", "given_lines", "judged_text", "open_lines"]

_OPEN = 8
_EXIT: dict[Answer, int] = {"runs": 0, "refused": 1, "unknown": 3}


def exit_of(answers: Iterable[Answer]) -> int:
    """Return the exit status of several answers: that of the worst.

    >>> exit_of(["runs", "unknown"]), exit_of(["unknown", "refused"]), exit_of([])
    (3, 1, 0)
    """
    return _EXIT[worst(answers)]


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


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as a verdict document holds them."""
    listed: list[dict[str, Any]] = verdict_object(Verdict("", "", {}, tuple(findings)))["findings"]
    return listed


def given_json(given: Sequence[Given]) -> dict[str, Any]:
    """Return what was given with --fact, for a result to record; nothing if nothing was."""
    facts = [{"host": one.host, "fact": one.fact, "value": one.value} for one in given]
    return {"given": facts} if facts else {}


def given_lines(given: Sequence[Given]) -> list[str]:
    """Return the same as lines to print."""
    return [f"given: {one.host} has {one.fact} {one.value}" for one in given]


def open_lines(subjects: Sequence[str], head: str, *, explain: bool) -> list[str]:
    """Return what a comparison left open, because it is not recorded on both sides."""
    texts = listed_few([subject_text(one) for one in subjects], _OPEN, every=explain)
    text = f"{head}: {len(subjects)}, for they are not recorded on both sides: {texts}"
    return ["", *wrapped(text, rest="  ")] if subjects else []
