"""What a person gave for an answer, in words."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.profile import Given

__all__ = ["given_lines"]


def given_lines(given: Sequence[Given]) -> list[str]:
    """Return what was given with --fact as lines to print."""
    return [f"given: {one.host} has {one.fact} {one.value}" for one in given]
