"""The JSON of what ``run`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.model_verdict import FindingModel
from armlevel.engine import Answer, Part
from armlevel.operations.models.shared import ResultModel

__all__ = ["RunModel"]


class RunModel(ResultModel):
    """run/1: what starts QEMU with a guest's CPU, or why nothing does."""

    kind: Literal["run/1"]
    answer: Answer
    guest: str | None
    host: str | None
    side: Literal["start", "arrive"] | None
    not_judged: list[Part]
    findings: list[FindingModel]
    command: list[str] | None
    environment: dict[str, str] | None
    config: str | None
