"""The JSON of what ``show`` answers, for its schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from armlevel.documents.model_verdict import VerdictModel
from armlevel.documents.models import GuestModel, HostModel
from armlevel.operations.models.shared import ResultModel

__all__ = ["ShowModel"]


class CoreModel(ResultModel):
    """What a host's CPU is; null where no row knows it."""

    implementer: str | None
    name: str | None
    part: int | None
    revision: str | None


class ValueModel(ResultModel):
    """The value of a field, and its name; empty if it has none."""

    value: int
    name: str


class ClusterModel(ResultModel):
    """The CPUs of one kind in a host that has several: its name as it can be typed; count null: not recorded."""

    name: str
    count: int | None
    numbers: list[int]


class ShownDocumentModel(ResultModel):
    """A document, and what its registers decode to."""

    document: Annotated[HostModel | GuestModel | VerdictModel, Field(discriminator="kind")]
    cores: list[CoreModel] | None = None
    clusters: list[ClusterModel] | None = None
    fields: dict[str, ValueModel] | None = None
    features: dict[str, bool | None] | None = None


class ShowModel(ResultModel):
    """show/1: documents, decoded."""

    kind: Literal["show/1"]
    shown: list[ShownDocumentModel]
