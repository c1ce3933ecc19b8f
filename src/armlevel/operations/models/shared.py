"""What results of several operations have in them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from armlevel.documents.models import GivenModel

__all__ = [
    "AnswerModel",
    "ChangeModel",
    "DiffPart",
    "Direction",
    "GroupModel",
    "Means",
    "Part",
    "ResultModel",
    "StockMeansModel",
]

Part = Literal["shape", "registers", "list", "firmware", "facts", "machine", "policy"]
Means = Literal["passthrough", "switches", "sysreg", "preload"]
Direction = Literal["less", "more", "other"]
DiffPart = Literal["shape", "registers", "list", "firmware", "facts", "machine", "software", "state"]


class ResultModel(BaseModel):
    """An object of a result: it has the keys that are named, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class AnswerModel(ResultModel):
    """The beginning of results that take facts: what was given, absent if nothing was."""

    given: list[GivenModel] = Field(default_factory=list)


class GroupModel(ResultModel):
    """Hosts that have a baseline together."""

    hosts: list[str]


class StockMeansModel(ResultModel):
    """The cheapest means by which a guest may go anywhere among hosts."""

    name: Means
    switches: str | None
    vmm: str | None


class ChangeModel(ResultModel):
    """One difference."""

    subject: str
    part: DiffPart
    before: str | None = Field(alias="from")
    after: str | None = Field(alias="to")
    direction: Direction
    features: list[str]
