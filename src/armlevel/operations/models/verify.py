"""The JSON of what ``verify`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.model_base import HexText
from armlevel.engine import Answer
from armlevel.operations.models.shared import ResultModel

__all__ = ["VerifyModel"]


class DifferenceModel(ResultModel):
    """Where a scratch VM is not what the profile says."""

    subject: str
    wanted: str
    found: str
    seen: Literal["kvm", "guest"]


class VerifyModel(ResultModel):
    """verify/1: what became of a guest's CPU in a scratch VM; ``host`` is null for this machine."""

    kind: Literal["verify/1"]
    guest: str
    host: str | None
    answer: Answer
    gic: str
    read: dict[str, HexText]
    findings: list[DifferenceModel]
    notes: list[DifferenceModel]
