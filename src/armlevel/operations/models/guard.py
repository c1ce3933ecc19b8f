"""The JSON of what ``guard`` and ``override`` answer, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.operations.models.shared import ResultModel

__all__ = ["GuardModel", "OverrideModel"]


class GuardCheckModel(ResultModel):
    """Something about the guard of a host, and what to do about it."""

    name: str
    state: Literal["ok", "not", "unknown"]
    code: str
    text: str
    do: str


class GuardModel(ResultModel):
    """guard/1: what was done about the guard of a host, and how it stands now."""

    kind: Literal["guard/1"]
    done: Literal["installed", "removed", "nothing"]
    checks: list[GuardCheckModel]


class OverrideModel(ResultModel):
    """override/1: the override in a domain's metadata; without ``until`` there is none."""

    kind: Literal["override/1"]
    domain: str
    running: bool
    persistent: bool
    saved: bool
    until: str | None = None
    reason: str | None = None
    breaks: bool | None = None
