"""The JSON of what ``guests`` answers, and of what the program on a host reads, for their schemas."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from armlevel.documents.model_verdict import FindingModel
from armlevel.documents.models import GuestModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import Part, ResultModel
from armlevel.operations.stamps import StampOutcome
from armlevel.profile import KNOWN
from armlevel.profile.birth import BirthPart

__all__ = ["GuestsModel", "RunningModel"]


class ArrivalModel(ResultModel):
    """Whether a guest may go to a host; ``any_guest`` names the parts that any guest of its host would pass."""

    to: str
    answer: Answer
    parts: dict[Part, Answer]
    any_guest: list[Part]
    not_judged: list[Part]
    findings: list[FindingModel]


class RunningGuestModel(ResultModel):
    """One guest: how it is known what it holds, part by part; ``guest`` is absent where it may be any of its host."""

    name: str
    pid: int
    fd: int
    uuid: str
    vmm: str
    known: KNOWN
    parts: dict[BirthPart, KNOWN]
    not_known: list[BirthPart]
    remarks: list[str]
    shape: str | None
    boot_id: str | None
    stamp: Literal["none", "read", "unreadable"]
    traits: list[str]
    moves: list[ArrivalModel]
    guest: GuestModel | None = None


class StampedModel(ResultModel):
    """What became of a guest's stamp."""

    name: str
    outcome: StampOutcome
    said: str


class GuestsModel(ResultModel):
    """guests/1: the guests that run on a host, and where each may go."""

    kind: Literal["guests/1"]
    host: str
    unread: int
    idregs: bool
    guests: list[RunningGuestModel]
    stamps: list[StampedModel] = Field(default_factory=list)


class RunningVmModel(BaseModel):
    """One VM of one process; what could not be read is absent."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    pid: int
    fd: int
    beside: int
    program: str | None = None
    replaced: bool | None = None
    words: list[str] = Field(default_factory=list)
    started: int | None = None
    levelled: bool | None = None
    idregs: str | None = None
    domain: str | None = None
    apart: bool | None = None


class RunningModel(ResultModel):
    """running-guests/1: what was read of the VMs of a host."""

    kind: Literal["running-guests/1"]
    vms: list[RunningVmModel]
    unread: int
    boot_id: str | None = None
    kernel: str | None = None
    has_idregs: bool
    qemu_configured: bool
