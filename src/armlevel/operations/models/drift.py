"""The JSON of what ``drift`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.model_verdict import FindingModel, RemedyModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import AnswerModel, ChangeModel, Means, ResultModel

__all__ = ["DriftModel"]


class StableModel(ResultModel):
    """A stable update of a kernel that explains a change."""

    line: str
    had: int
    has: int
    why: str
    see: str


class MovedModel(ChangeModel):
    """One change of a host, with its likely cause."""

    cause: Literal["silicon", "kernel", "firmware", "boot option", "recording", "not known"]
    known: StableModel | None


class DriftedModel(ResultModel):
    """One host today."""

    host: str
    guest: str
    answer: Answer
    start: Answer
    arrive: Answer
    born_here: bool
    since: str | None
    not_compared: list[str]
    changes: list[MovedModel]
    findings: list[FindingModel]
    means: Means | None
    no_switch: list[str]
    remedies: list[RemedyModel]


class DriftModel(AnswerModel):
    """drift/1: whether hosts still run a guest, and what changed on them."""

    kind: Literal["drift/1"]
    answer: Answer
    hosts: list[DriftedModel]
