"""What a person gave for an answer, in words."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.cli.output import wrapped
from armlevel.profile import Given
from armlevel.words.subjects import FACTS, key_text, listed_few

__all__ = ["given_lines", "open_lines"]

_OPEN = 8


def given_lines(given: Sequence[Given]) -> list[str]:
    """Return what was given with --fact as lines to print."""
    return [f"given: {one.host} has {one.fact} {one.value}" for one in given]


def open_lines(subjects: Sequence[str], head: str, *, explain: bool) -> list[str]:
    """Return what a comparison left open, because it is not recorded on both sides."""
    names = [
        key_text(one) if one.startswith("machine") else FACTS.get(one.removeprefix("facts."), one)
        for one in subjects
    ]
    texts = listed_few(names, _OPEN, every=explain)
    text = f"{head}: {len(subjects)}, for they are not recorded on both sides: {texts}"
    return ["", *wrapped(text, rest="  ")] if subjects else []
