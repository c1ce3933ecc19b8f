"""The JSON of what the verbs of ``fleet`` answer about pools and levels, for its schemas."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.documents.model_verdict import FindingModel
from armlevel.documents.models import PolicyModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import ChangeModel, ResultModel

__all__ = ["FleetAcceptModel", "FleetCheckModel", "FleetLevelModel", "FleetPoolsModel", "FleetWhyModel"]


class PoolPolicyModel(ResultModel):
    """Which hosts belong to a pool, what its level may be, and after how many days a host is silent."""

    hosts: list[str]
    labels: list[str]
    silent_after: int
    choices: PolicyModel


class PoolModel(ResultModel):
    """A pool; ``level`` is the version in force, null if none was accepted."""

    name: str
    policy: PoolPolicyModel
    hosts: list[str]
    level: int | None


class FleetPoolsModel(ResultModel):
    """fleet-pools/1: pools."""

    kind: Literal["fleet-pools/1"]
    pools: list[PoolModel]


class InForceModel(ResultModel):
    """A level in force, and who accepted it when and why."""

    version: int
    digest: str
    cpu: str
    at: str
    by: str | None
    reason: str | None
    catalogue: str


class CandidateModel(ResultModel):
    """What levelling gives; ``cpu`` is null where nothing could be accepted."""

    answer: Answer
    cpu: str | None
    kinds: list[str]
    conflicts: list[FindingModel]


class StandingModel(ResultModel):
    """A host, and whether it runs the level in force; null where there is no level."""

    host: str
    answer: Answer | None
    host_kind: str = Field(alias="kind")
    findings: list[FindingModel]


class FleetLevelModel(ResultModel):
    """fleet-level/1: the level of a pool, and what levelling would give today."""

    kind: Literal["fleet-level/1"]
    pool: str
    hosts: int
    silent: list[str]
    outside: list[StandingModel]
    in_force: InForceModel | None
    candidate: CandidateModel
    same: bool
    changes: list[ChangeModel]


class LevelNameModel(ResultModel):
    """A level by its version and its digests."""

    version: int
    digest: str
    cpu: str


class FleetAcceptModel(ResultModel):
    """fleet-accept/1: what was put into force, or why nothing was."""

    kind: Literal["fleet-accept/1"]
    pool: str
    moved: bool
    level: LevelNameModel | None
    again: int | None
    candidate: CandidateModel | None
    lacking: list[str]
    outside: list[str]


class BlockerModel(ResultModel):
    """A kind without which the others would have more."""

    host_kind: str = Field(alias="kind")
    hosts: list[str]
    changes: list[ChangeModel]


class HeldModel(BlockerModel):
    """The same, with since when its hosts are of it."""

    since: str


class FleetCheckModel(ResultModel):
    """fleet-check/1: what would change; nothing was changed."""

    kind: Literal["fleet-check/1"]
    pool: str
    question: Literal["add", "remove", "as", "raise", "lower"]
    about: list[str]
    answer: Answer
    hosts: list[StandingModel]
    before: CandidateModel
    after: CandidateModel
    changes: list[ChangeModel]
    blockers: list[BlockerModel]


class FleetWhyModel(ResultModel):
    """fleet-why/1: why a level is what it is."""

    kind: Literal["fleet-why/1"]
    pool: str
    in_force: InForceModel
    kinds: list[str]
    hosts: int
    recomputed: Literal["same", "tables-changed", "program-changed", "unknown"]
    before: int | None
    changes: list[ChangeModel]
    held: list[HeldModel]
    moved: list[str]
