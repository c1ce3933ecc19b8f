"""The JSON of what ``migrate`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.documents.model_verdict import FindingModel, RemedyModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import AnswerModel, Means, Part, ResultModel

__all__ = ["AnyGuestsModel", "MovesModel"]


class PredictionModel(ResultModel):
    """What a VMM would do with a move."""

    vmm: str
    outcome: str
    alive: bool | None
    harm: list[str]
    blocking: list[str]
    counts: list[int] | None
    messages: list[str]


class AnyGuestModel(ResultModel):
    """Whether any guest that is on one host may go to another, wherever it was started."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    answer: Answer
    parts: dict[Part, Answer]
    not_judged: list[Part]
    shapes: list[str]
    about: list[str]


class AnyGuestsModel(AnswerModel):
    """any-guest/1: whether any guest may go, for each pair of hosts that was asked about."""

    kind: Literal["any-guest/1"]
    moves: list[AnyGuestModel]


class MoveModel(ResultModel):
    """One direction of a move; ``any_guest`` is absent where the guest is given, or levelled for the two."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    answer: Answer
    means: Means | None
    switches: str | None
    no_switch: list[str]
    parts: dict[Part, Answer]
    not_judged: list[Part]
    findings: list[FindingModel]
    remedies: list[RemedyModel]
    prediction: PredictionModel | None = None
    any_guest: AnyGuestModel | None = None


class MovesModel(AnswerModel):
    """moves/1: a move between two hosts, there and back."""

    kind: Literal["moves/1"]
    moves: list[MoveModel]
