"""The JSON of what ``matrix`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.engine import Answer
from armlevel.operations.models.shared import AnswerModel, GroupModel, Part, ResultModel

__all__ = ["MatrixModel"]

Letter = Literal["P", "S", "L", "p", "l", "r", "?", "."]


class CellModel(ResultModel):
    """One ordered pair of hosts."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    letter: Letter
    passthrough: Answer
    levelled: Answer
    switches: str | None
    passthrough_parts: dict[Part, Answer]
    levelled_parts: dict[Part, Answer]
    refused_by: list[str]
    conflicts: list[str]
    not_known: list[str]


class MatrixModel(AnswerModel):
    """matrix/1: who can go where."""

    kind: Literal["matrix/1"]
    hosts: list[str]
    not_judged: list[Part]
    moves: list[CellModel]
    groups: list[GroupModel]
    groups_complete: bool
    left_open: list[str]
    apart: list[str]
