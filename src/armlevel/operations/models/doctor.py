"""The JSON of what ``doctor`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.operations.models.shared import ResultModel

__all__ = ["DoctorModel"]


class CheckUpModel(ResultModel):
    """Something about this machine, and what to do about it."""

    name: str
    state: Literal["ok", "not", "unknown"]
    code: str
    text: str
    do: str


class DoctorModel(ResultModel):
    """doctor/1: what armlevel can do on this machine."""

    kind: Literal["doctor/1"]
    architecture: str
    checks: list[CheckUpModel]
