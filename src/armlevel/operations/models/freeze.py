"""The JSON of what ``freeze`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from armlevel.documents.models import Digest, GivenModel, OriginModel, PolicyModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import ResultModel

__all__ = ["FreezeModel", "SignatureModel"]


class SummaryLineageModel(ResultModel):
    """Where a frozen profile came from."""

    hosts: list[OriginModel]
    source: str
    policy: PolicyModel | None
    given: list[GivenModel]
    tolerates: list[str]
    catalogue: str
    tool: str
    at: str
    parent: Digest | None


class FrozenSummary(ResultModel):
    """What a frozen profile is; nothing of it where there is none."""

    name: str | None = None
    version: str | None = None
    digest: Digest | None = None
    signed_by: list[str] | None = None
    lineage: SummaryLineageModel | None = None


class AgainstModel(ResultModel):
    """A host that does not certainly run a guest."""

    host: str
    answer: Answer


class FreezeModel(FrozenSummary):
    """freeze/1: a profile that was frozen, or the hosts that stand against it."""

    kind: Literal["freeze/1"]
    answer: Answer
    against: list[AgainstModel]
    lacking: list[str]
    file: str | None


class SignatureModel(FrozenSummary):
    """signature/1: whether a trusted key signed a frozen profile."""

    kind: Literal["signature/1"]
    answer: Literal["yes", "no"]
    by: list[str]
    fault: Literal["not as frozen", "not signed", "other key", "other profile"] | None
    detail: str | None
    wanted: dict[Literal["name", "version", "digest", "file name"], str]
