"""The JSON of what ``plan`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.documents.models import GuestModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import AnswerModel, Part, ResultModel, StockMeansModel

__all__ = ["PlanModel"]


class HeldModel(ResultModel):
    """Hosts without which the rest of a group would have more."""

    by: str
    hosts: list[str]
    gains: list[str]


class PlanGroupModel(ResultModel):
    """A group of a plan, and what it costs each host."""

    hosts: list[str]
    answer: Answer
    without: list[str]
    means: StockMeansModel | None
    costs: dict[str, list[str]]
    held_by: HeldModel | None
    baseline: GuestModel | None


class UpgradeModel(ResultModel):
    """One host on another kernel."""

    host: str
    now: str = Field(alias="from")
    then: str = Field(alias="to")
    like: str = Field(alias="as")


class MergeModel(ResultModel):
    """Two groups that kernel upgrades would join."""

    groups: list[int]
    upgrades: list[UpgradeModel]


class OneWayModel(ResultModel):
    """Groups of which the first one's guest may go to the second."""

    source: int = Field(alias="from")
    target: int = Field(alias="to")


class JoiningModel(ResultModel):
    """What a host would do to a group."""

    group: int
    answer: Answer
    loses: list[str]


class AddedModel(ResultModel):
    """What a host would do to each group."""

    host: str
    groups: list[JoiningModel]


class RemovedModel(ResultModel):
    """The plan that is left when hosts go away."""

    least: int
    groups: list[list[str]]


class PlanModel(AnswerModel):
    """plan/1: the fewest groups of hosts that share a baseline."""

    kind: Literal["plan/1"]
    hosts: int
    kinds: int
    not_judged: list[Part]
    least: int
    optimal: bool
    groups: list[PlanGroupModel]
    left: list[str]
    left_open: list[str]
    apart: list[str]
    merges: list[MergeModel]
    one_way: list[OneWayModel]
    tolerated: list[list[str]] | None
    add: list[AddedModel] | None = None
    remove: RemovedModel | None = None
