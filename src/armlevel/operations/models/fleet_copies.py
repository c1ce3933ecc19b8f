"""The JSON of a fleet that is copied, put back, taken along or partly forgotten, for its schemas."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.models import FrozenModel, GuestModel, HostModel
from armlevel.engine import Answer
from armlevel.operations.models.fleet import ChainFaultModel, ContentFaultModel, HeadModel, HostKindModel
from armlevel.operations.models.fleet_pools import PoolPolicyModel
from armlevel.operations.models.shared import ResultModel

__all__ = [
    "FleetBackupModel",
    "FleetExportModel",
    "FleetForgetModel",
    "FleetRestoreModel",
    "FleetRetireModel",
]


class FleetBackupModel(ResultModel):
    """fleet-backup/1: a copy of a store, and whether its history is whole."""

    kind: Literal["fleet-backup/1"]
    place: str
    file: str
    bytes: int
    hosts: int
    whole: bool
    faults: int
    head: HeadModel


class FleetRestoreModel(ResultModel):
    """fleet-restore/1: what became of a backup; if its history is not whole nothing did."""

    kind: Literal["fleet-restore/1"]
    file: str
    place: str
    restored: bool
    hosts: int
    head: HeadModel
    replaced: HeadModel | None
    kept: str | None
    chain: list[ChainFaultModel]
    contents: list[ContentFaultModel]


class FleetRetireModel(ResultModel):
    """fleet-retire/1: a host that a person took out of every question."""

    kind: Literal["fleet-retire/1"]
    host: str
    at: str
    pools: list[str]


class NamedInModel(ResultModel):
    """A level that names a host which was forgotten, and keeps the name."""

    pool: str
    version: int


class FleetForgetModel(ResultModel):
    """fleet-forget/1: what was forgotten."""

    kind: Literal["fleet-forget/1"]
    hosts: list[str]
    guests: list[str]
    actors: int
    kinds: int
    named_in: list[NamedInModel]
    head: HeadModel


class HostInPoolModel(ResultModel):
    """A pool of a host, and whether the host runs the level in force there; null where there is none."""

    pool: str
    answer: Answer | None
    silent: bool


class RunningGuestModel(ResultModel):
    """A guest that runs: the digest of what it was born with (null: any of its host), and how that is known."""

    name: str
    guest: str | None
    known: str
    since: str


class RunningModel(ResultModel):
    """What runs on a host as of its last report."""

    at: str
    guests: list[RunningGuestModel]


class ExportedHostModel(ResultModel):
    """A host: its kind, since when, and when last heard of; ``running`` is null where nobody reported its guests."""

    name: str
    labels: dict[str, str]
    kind: str
    since: str
    last_seen: str
    silent: bool
    retired: str | None
    pools: list[HostInPoolModel]
    running: RunningModel | None


class ExportedKindModel(HostKindModel):
    """A kind of hosts, and the profile of them all."""

    profile: HostModel


class ExportedLevelModel(ResultModel):
    """A level that was accepted."""

    version: int
    digest: str
    cpu: str
    profile: FrozenModel


class ExportedPoolModel(ResultModel):
    """A pool with its levels, oldest first; the version in force is null where none was accepted."""

    name: str
    policy: PoolPolicyModel
    level: int | None
    levels: list[ExportedLevelModel]


class ExportedGuestModel(ResultModel):
    """A guest profile."""

    digest: str
    name: str
    profile: GuestModel


class FleetExportModel(ResultModel):
    """fleet-export/1: a fleet as it was at a moment, in one file."""

    kind: Literal["fleet-export/1"]
    at: str
    head: HeadModel
    hosts: list[ExportedHostModel]
    kinds: list[ExportedKindModel]
    pools: list[ExportedPoolModel]
    guests: list[ExportedGuestModel]
    digest: str
