"""The JSON of what is answered to agents, and of who is known, for their schemas."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.models import Digest
from armlevel.operations.agents.accept import Part, ReportRefusal
from armlevel.operations.agents.enrol import EnrolRefusal
from armlevel.operations.agents.values import How, Standing
from armlevel.operations.models.shared import ResultModel

__all__ = ["AgentsModel", "EnrolledModel", "NewTokenModel", "ReportAnswerModel"]


class ReportAnswerModel(ResultModel):
    """report-answer/1: whether a report was taken, and what became of what it names."""

    kind: Literal["report-answer/1"]
    answer: Literal["taken", "refused"]
    reason: ReportRefusal | None
    detail: str | None
    host: str | None
    key: str | None
    says: str | None
    sequence: int | None
    boot_id: str | None
    at: str | None
    clock: Literal["held", "unknown"]
    digest: Digest | None
    profile: Part
    guests: Part
    events: int
    lost: int


class EnrolledModel(ResultModel):
    """enrolled/1: whether a host is known by a key now, and what vouched."""

    kind: Literal["enrolled/1"]
    answer: Literal["enrolled", "refused"]
    reason: EnrolRefusal | None
    detail: str | None
    name: str | None
    key: str | None
    how: How | None
    replaced: str | None


class NewTokenModel(ResultModel):
    """new-token/1: a token, which is shown here and nowhere else."""

    kind: Literal["new-token/1"]
    id: str
    token: str
    pattern: str
    until: str


class KnownAgentModel(ResultModel):
    """Who is known by a key, and the newest that it said."""

    name: str
    key: str
    how: How
    at: str
    standing: Standing
    sequence: int
    boot_id: str | None


class AgentsModel(ResultModel):
    """agents/1: the keys by which hosts speak."""

    kind: Literal["agents/1"]
    agents: list[KnownAgentModel]
