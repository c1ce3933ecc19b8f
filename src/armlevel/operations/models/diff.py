"""The JSON of what ``diff`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.operations.models.shared import ChangeModel, ResultModel

__all__ = ["DiffModel"]


class KernelModel(ResultModel):
    """What KVM changed between two kernels, and the subjects that it explains."""

    until: str
    since: str
    why: str
    subjects: list[str]


class DiffModel(ResultModel):
    """diff/1: what differs between two hosts or guests."""

    kind: Literal["diff/1"]
    before: str = Field(alias="from")
    after: str = Field(alias="to")
    changes: list[ChangeModel]
    not_compared: list[str]
    kernels: list[KernelModel]
