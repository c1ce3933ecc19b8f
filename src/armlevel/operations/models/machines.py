"""The JSON of what ``machines`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.operations.models.shared import ResultModel

__all__ = ["MachinesModel"]


class RecordedMachineModel(ResultModel):
    """A recorded machine; ``typed`` is what commands take for it. Null is not recorded."""

    typed: str
    name: str
    cpus: list[str]
    kernel: str | None
    vmms: dict[str, str]
    shapes: list[str]
    how: list[str]
    source: str | None
    cntfrq_hz: int | None = None


class MachinesModel(ResultModel):
    """machines/1: the recorded machines that ship."""

    kind: Literal["machines/1"]
    machines: list[RecordedMachineModel]
    near: list[str]
