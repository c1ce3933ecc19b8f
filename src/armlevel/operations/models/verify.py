"""The JSON of what ``verify`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.model_base import HexText
from armlevel.engine import Answer
from armlevel.operations.models.shared import ResultModel
from armlevel.probe.apply import Code, Seen

__all__ = ["VerifyModel"]


class DifferenceModel(ResultModel):
    """Where a scratch VM is not what the profile says, or is not known to be; a value that is null is not recorded.

    ``errno`` is KVM's answer to a register that it refused whole, and null for all else.
    """

    subject: str
    code: Code
    seen: Seen
    wanted: int | None
    found: int | None
    errno: int | None


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
