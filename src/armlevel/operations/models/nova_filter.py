"""The JSON of what a Nova scheduler filter is told, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.engine import Answer, Part
from armlevel.operations.models.shared import ResultModel

__all__ = ["NovaFilterModel"]


class BecauseModel(ResultModel):
    """The first subjects for which a kind of host refuses a guest CPU, of each question that it refuses."""

    start: list[str] | None = None
    arrive: list[str] | None = None


class KindAnswerModel(ResultModel):
    """What a kind of host says about one guest CPU."""

    start: Answer
    arrive: Answer
    because: BecauseModel | None = None
    not_judged: list[Part] | None = None


class InstanceModel(ResultModel):
    """The guest CPU that an instance holds, and that which a start of it has to give, by their digests."""

    birth: str | None = None
    level: str | None = None


class NovaFilterModel(ResultModel):
    """nova-filter/1: hosts and their kinds, guest CPUs and their answers, instances and their guest CPUs."""

    kind: Literal["nova-filter/1"]
    unknown: Literal["warn", "refuse", "let"]
    hosts: dict[str, str]
    guests: dict[str, str]
    answers: dict[str, dict[str, KindAnswerModel]]
    instances: dict[str, InstanceModel]
