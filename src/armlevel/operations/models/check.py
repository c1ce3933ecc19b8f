"""The JSON of what ``check`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.model_verdict import RemedyModel, VerdictModel
from armlevel.operations.models.shared import AnswerModel, Means, ResultModel

__all__ = ["CheckModel"]


class WaysOutModel(ResultModel):
    """What was tried and changes a host's answer; ``means`` is the cheapest one, of a host's passthrough guest."""

    host: str
    means: Means | None
    no_switch: list[str]
    remedies: list[RemedyModel]


class CheckModel(AnswerModel):
    """check/1: a verdict for each host."""

    kind: Literal["check/1"]
    verdicts: list[VerdictModel]
    ways_out: list[WaysOutModel]
