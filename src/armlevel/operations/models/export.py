"""The JSON of what ``export`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.engine import Answer, Part
from armlevel.operations.models.shared import ResultModel

__all__ = ["ExportModel"]


class GapModel(ResultModel):
    """Something of a profile that a file does not bring about."""

    subject: str
    needs: str
    has: str | None
    ways: list[str]
    certain: bool


class ExportModel(ResultModel):
    """export/1: a file for another tool; ``text`` is absent where it was written to ``output``."""

    kind: Literal["export/1"]
    guest: str
    to: str
    form: str
    answer: Answer
    not_judged: list[Part]
    left: list[GapModel]
    text: str | None = None
    output: str | None = None
