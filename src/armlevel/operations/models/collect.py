"""The JSON of what `armlevel collect` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.operations.models.shared import ResultModel

__all__ = ["CollectModel"]


class CollectedModel(ResultModel):
    """What became of one host: ``failed`` is a code, null if its profile is there."""

    host: str
    ssh: str
    failed: str | None
    detail: str | None
    path: str | None
    state: Literal["new", "same", "changed", "known"] | None
    remarks: list[str]


class CollectModel(ResultModel):
    """collect/1: hosts that were asked over ssh."""

    kind: Literal["collect/1"]
    hosts: list[CollectedModel]
