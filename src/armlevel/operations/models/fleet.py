"""The JSON of what the verbs of ``fleet`` answer about hosts and their history, for its schemas."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from armlevel.operations.models.shared import ResultModel

__all__ = [
    "FleetAddModel",
    "FleetAuditModel",
    "FleetHostModel",
    "FleetListModel",
    "FleetLogModel",
    "FleetStoreModel",
    "HeadModel",
    "HostKindModel",
]


class HeadModel(ResultModel):
    """The head of the chain of events: how many there are, and the digest of the last one; null if there is none."""

    length: int
    digest: str | None


class FleetStoreModel(ResultModel):
    """fleet-store/1: a store that was made, or brought up to date."""

    kind: Literal["fleet-store/1"]
    place: str
    revision: str
    before: str | None
    hosts: int
    events: int


class AddedHostModel(ResultModel):
    """What became of a host's profile."""

    name: str
    state: Literal["new", "same", "changed", "known"]
    host_kind: str = Field(alias="kind")
    seen: str
    dated: bool


class AddedGuestModel(ResultModel):
    """What became of a guest's profile."""

    name: str
    digest: str
    new: bool


class FleetAddModel(ResultModel):
    """fleet-add/1: profiles that were put into a store."""

    kind: Literal["fleet-add/1"]
    hosts: list[AddedHostModel]
    guests: list[AddedGuestModel]
    kinds: int
    new_kinds: int
    head: HeadModel


class HostKindModel(ResultModel):
    """A kind of hosts, with what tells kinds apart at a glance; null is not recorded."""

    digest: str
    view: str
    midrs: list[str]
    kernel: str | None
    cntfrq_hz: int | None
    dczid: int | None
    gmid: int | None
    page_size: int | None


class ListedKindModel(HostKindModel):
    """A kind with the hosts that are of it now."""

    hosts: list[str]


class ListedPoolModel(ResultModel):
    """A pool, and how many hosts belong to it."""

    name: str
    hosts: int


class FleetListModel(ResultModel):
    """fleet-list/1: a fleet by kind."""

    kind: Literal["fleet-list/1"]
    hosts: int
    kinds: list[ListedKindModel]
    silent: list[str]
    retired: list[str]
    pools: list[ListedPoolModel]
    guests: int


class SeenEvidenceModel(ResultModel):
    """What a host said of its software, and from when to when."""

    digest: str
    document: str
    since: str
    until: str
    software: dict[str, Any]


class SeenModel(ResultModel):
    """A kind that a host was of, from when to when."""

    host_kind: HostKindModel = Field(alias="kind")
    first_seen: str
    last_seen: str
    event: int
    evidence: list[SeenEvidenceModel]


class FleetHostModel(ResultModel):
    """fleet-host/1: one host, and what it was."""

    kind: Literal["fleet-host/1"]
    id: str
    name: str
    labels: dict[str, str]
    retired: str | None
    silent: bool
    pools: list[str]
    seen: list[SeenModel]


class EventModel(ResultModel):
    """An event; the names are those of today, null where there is none any more."""

    seq: int
    at: str
    actor: str
    actor_name: str | None
    request: str
    action: str
    object: str
    object_name: str | None
    before: str | None
    after: str | None
    reason: str | None
    state: str | None
    previous: str | None
    digest: str


class FleetLogModel(ResultModel):
    """fleet-log/1: events, oldest first."""

    kind: Literal["fleet-log/1"]
    events: list[EventModel]
    head: HeadModel


class ChainFaultModel(ResultModel):
    """What is wrong with the chain, and at which number."""

    fault: Literal["changed", "missing", "unlinked", "shortened", "other-history"]
    seq: int


class ContentFaultModel(ResultModel):
    """What is wrong with a row."""

    fault: Literal["content", "no-event", "no-row", "other-row", "forgotten"]
    table: str
    row: str


class ForgottenModel(ResultModel):
    """An object whose contents went, and the event that says so."""

    object: str
    event: int


class FleetAuditModel(ResultModel):
    """fleet-audit/1: whether the history of a fleet is whole."""

    kind: Literal["fleet-audit/1"]
    whole: bool
    head: HeadModel
    kept: HeadModel | None
    chain: list[ChainFaultModel]
    contents: list[ContentFaultModel]
    forgotten: list[ForgottenModel]
