"""The JSON of what the lab's verbs answer, for its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from armlevel.operations.models import ResultModel

__all__ = ["MODELS"]


class LineModel(ResultModel):
    """A kernel line of the lab, as it can be had."""

    line: str
    release: str
    cached: bool
    needed: bool
    problem: str


class CpuModel(ResultModel):
    """A CPU model, and the options worth a host."""

    cpu: str
    variants: list[str]


class ListModel(ResultModel):
    """lab-list/1: what the lab can boot; ``emulator`` is null where there is no QEMU, and ``problem`` says why."""

    kind: Literal["lab-list/1"]
    lines: list[LineModel]
    cpus: list[CpuModel]
    emulator: str | None
    problem: str | None
    cache: str


class ChangedModel(ResultModel):
    """An ID register that is not as it was; null where it was not read."""

    name: str = Field(alias="register")
    was: str | None
    now: str | None = Field(alias="is")


class VirshModel(ResultModel):
    """What virsh was told at the source, and said; ``unharmed`` is of a guest that did not go, null where it went.

    ``guarded``: the destination had armlevel's hook, and the guest its mark.
    """

    command: list[str]
    status: int
    says: list[str]
    guarded: bool
    unharmed: bool | None


class MeasuredMoveModel(ResultModel):
    """lab-move/1: a real migration between two emulated hosts, and what became of the guest.

    ``libvirt`` is null where QEMU was told by its monitor.
    """

    kind: Literal["lab-move/1"]
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    switches: str | None
    healthy: bool
    arrived: bool
    ticks: bool
    clock_rate: float | None
    keeps_time: bool | None
    same_cpu: bool
    source_status: str
    problem: str
    messages: list[str]
    before: list[str]
    after: list[str]
    changed: list[ChangedModel]
    registers: dict[str, str | None]
    downtime_s: float | None
    seconds: float
    libvirt: VirshModel | None


MODELS: dict[str, type[BaseModel]] = {"lab-list/1": ListModel, "lab-move/1": MeasuredMoveModel}
