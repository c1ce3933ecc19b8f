"""Answers as an exit status, and what was given for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from armlevel.cli.inputs import Given
from armlevel.engine import Answer, worst

__all__ = ["exit_of", "given_json", "given_lines"]

_EXIT: dict[Answer, int] = {"runs": 0, "refused": 1, "unknown": 3}


def exit_of(answers: Iterable[Answer]) -> int:
    """Return the exit status of several answers: that of the worst.

    >>> exit_of(["runs", "unknown"]), exit_of(["unknown", "refused"]), exit_of([])
    (3, 1, 0)
    """
    return _EXIT[worst(answers)]


def given_json(given: Sequence[Given]) -> dict[str, Any]:
    """Return what was given with --fact, for a result to record; nothing if nothing was."""
    facts = [{"host": one.host, "fact": one.fact, "value": one.value} for one in given]
    return {"given": facts} if facts else {}


def given_lines(given: Sequence[Given]) -> list[str]:
    """Return the same as lines to print."""
    return [f"given: {one.host} has {one.fact} {one.value}" for one in given]
