"""The JSON of what ``baseline`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.model_verdict import FindingModel, RemedyModel
from armlevel.documents.models import GuestModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import AnswerModel, GroupModel, Part, StockMeansModel

__all__ = ["BaselineModel"]


class BaselineModel(AnswerModel):
    """baseline/1: the guest CPU that every host can run, or the candidate that stands refused and who could."""

    kind: Literal["baseline/1"]
    answer: Answer
    hosts: list[str]
    parts: dict[Part, Answer]
    not_judged: list[Part]
    dropped: list[str]
    guest: GuestModel | None
    candidate: GuestModel | None
    conflicts: list[FindingModel]
    notes: list[FindingModel]
    groups: list[GroupModel]
    groups_complete: bool
    means: StockMeansModel | None
    remedies: list[RemedyModel]
    left_open: list[str]
    apart: list[str]
