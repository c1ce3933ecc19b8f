"""The JSON of what the verbs of ``fleet`` answer about guests and where they may go, for its schemas."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.documents.model_verdict import FindingModel
from armlevel.engine import Answer
from armlevel.engine.findings import Cause
from armlevel.operations.models.fleet import HeadModel
from armlevel.operations.models.shared import ChangeModel, ResultModel
from armlevel.profile import KNOWN

__all__ = ["FleetEvacuateModel", "FleetGuestsModel", "FleetRolloutModel", "FleetWatchModel"]


class InstanceModel(ResultModel):
    """A guest that runs: the digest of its CPU, null if it may be any of its host; ``level`` is ``POOL VERSION``."""

    name: str
    guest: str | None
    known: KNOWN
    level: str | None
    since: str


class ReportedModel(ResultModel):
    """The guests of one host, and when they were reported."""

    host: str
    reported: str
    guests: list[InstanceModel]


class FleetGuestsModel(ResultModel):
    """fleet-guests/1: the guests that run in a fleet."""

    kind: Literal["fleet-guests/1"]
    recorded: list[str]
    hosts: list[ReportedModel]
    not_reported: list[str]


class LeavingHostModel(ResultModel):
    """A host that is evacuated, and when its guests were reported; null: never."""

    host: str
    reported: str | None


class LeavingModel(ResultModel):
    """Guests of one host that are alike, and where they may go; no names: any guest that may be there."""

    host: str
    names: list[str]
    guest: str | None
    level: str | None
    known: KNOWN
    answer: Answer
    to: list[str]
    silent: list[str]
    unknown: list[str]
    refused: list[str]
    start: list[str]
    findings: list[FindingModel]
    not_judged: list[str]


class FleetEvacuateModel(ResultModel):
    """fleet-evacuate/1: where the guests of hosts may go."""

    kind: Literal["fleet-evacuate/1"]
    answer: Answer
    hosts: list[LeavingHostModel]
    targets: int
    guests: list[LeavingModel]


class TravelModel(ResultModel):
    """Guests that go elsewhere before a step."""

    guest: str
    born_at: str
    count: int
    from_: list[str] = Field(alias="from")
    to: list[str]


class StoppedModel(ResultModel):
    """Guests that have to be stopped before a step."""

    guest: str
    host: str
    count: int


class RolloutStepModel(ResultModel):
    """Hosts that are rolled, one after the other."""

    hosts: list[str]
    travels: list[TravelModel]
    stopped: list[StoppedModel]


class LostModel(ResultModel):
    """Guests that lose their way."""

    guest: str
    host: str
    count: int
    answer: Answer
    cornered: bool
    findings: list[FindingModel]


class TrapModel(ResultModel):
    """A way that is open in one direction only; ``before`` and ``after`` are digests of kinds."""

    guest: str
    before: str
    after: str
    answer: Answer
    findings: list[FindingModel]


class SavedModel(ResultModel):
    """A saved image or memory snapshot, and whether it can be restored once its host is rolled."""

    host: str
    guest: str
    answer: Answer
    to: list[str]
    findings: list[FindingModel]


class FleetRolloutModel(ResultModel):
    """fleet-rollout/1: an order in which to roll the hosts of a pool."""

    kind: Literal["fleet-rollout/1"]
    pool: str
    canaries: list[str]
    answer: Answer
    proven: bool
    guests: int
    steps: list[RolloutStepModel]
    lost: list[LostModel]
    traps: list[TrapModel]
    saved: list[SavedModel]
    outside: dict[str, Answer]
    rollback: dict[str, Answer]
    left: list[str]
    silent: list[str]
    not_reported: list[str]


class ChangedHostModel(ResultModel):
    """A host that is of another kind, and since when."""

    host: str
    since: str


class ChangedKindModel(ResultModel):
    """Hosts that became of another kind: ``software`` is what differs of it, before and after."""

    before: str
    after: str
    hosts: list[ChangedHostModel]
    cause: Cause
    changes: list[ChangeModel]
    software: dict[str, tuple[str, str]]


class WatchedLevelModel(ResultModel):
    """A level that was accepted."""

    pool: str
    at: str
    digest: str | None
    reason: str | None


class PoolFiguresModel(ResultModel):
    """A pool as it is."""

    pool: str
    hosts: int
    version: int | None
    silent: int
    outside: dict[str, Answer]
    candidate: Literal["same", "another", "none", "unknown"] | None


class FleetWatchModel(ResultModel):
    """fleet-watch/1: what changed in a fleet since the look before; ``since`` is null at the first look."""

    kind: Literal["fleet-watch/1"]
    since: HeadModel | None
    head: HeadModel
    at: str
    rewritten: bool
    joined: list[str]
    retired: list[str]
    changed: list[ChangedKindModel]
    silent: list[str]
    heard: list[str]
    outside: dict[str, dict[str, Answer]]
    inside: dict[str, list[str]]
    levels: list[WatchedLevelModel]
    pools: list[PoolFiguresModel]
    hosts: int
    kinds: int
