"""Every word that an answer uses as a title or a letter is explained."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

from armlevel.operations import Answer, Part, Severity
from armlevel.operations.matrix import LETTERS
from armlevel.words.answers import part_text

PAGE = Path(__file__).parents[2] / "docs/concepts/glossary.md"


def _terms() -> set[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    heads = [line for line, below in pairwise(lines) if below.startswith(": ")]
    return {term.strip(" `") for head in heads for term in head.split(",")}


def test_answers_severities_and_letters_are_explained():
    terms = _terms()
    assert len(terms) > 40
    assert {*get_args(Answer), *get_args(Severity)} <= terms
    assert {letter for letter in LETTERS if letter.isalpha() or letter == "?"} <= terms
    assert {"start", "arrive", "judged", "cause", "remedy", "one way", "means"} <= terms


def test_every_part_is_explained():
    text = PAGE.read_text(encoding="utf-8").lower()
    for part in get_args(Part):
        if part != "policy":
            assert re.search(rf"\b{part_text(part).lower().removeprefix('vcpu ')}\b", text), part
