"""The structure of an agent's report and of its request to be known, for their JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from armlevel.documents.model_base import Model
from armlevel.documents.models import Digest
from armlevel.documents.reports import ENROLMENT_KIND, HOST_NAME, MOST_EVENTS, REPORT_KIND

__all__ = ["MODELS", "EnrolmentModel", "ReportModel"]

BootId = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Time = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Name = Annotated[str, Field(max_length=255)]
Number = Annotated[int, Field(ge=1, lt=2**53)]


class EventModel(Model):
    """Something that happened on a host; numbers grow by one, so that a gap is seen."""

    number: Number
    at: Time
    code: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,63}$")]
    words: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=dict, max_length=32
    )


class ReportedHostModel(Model):
    """A host profile: its digest, and the digest of the file beside the report that holds it."""

    digest: Digest
    content: Digest


class ReportedGuestsModel(Model):
    """What is known of the running guests: the digest of the file beside the report that holds it."""

    content: Digest


class ReportModel(Model):
    """report/1: what an agent says of its host, signed with its own key."""

    kind: Literal["report/1"]
    name: Name
    tool: Name | None = None
    boot_id: BootId
    sequence: Number
    at: Time
    host: ReportedHostModel | None = None
    guests: ReportedGuestsModel | None = None
    events: list[EventModel] = Field(default_factory=list, max_length=MOST_EVENTS)


class EnrolmentModel(Model):
    """enrolment/1: an agent asks to be known by its key."""

    kind: Literal["enrolment/1"]
    name: Annotated[str, Field(pattern=HOST_NAME)]
    tool: Name | None = None
    key: Annotated[str, Field(max_length=2048)]
    boot_id: BootId | None = None
    at: Time
    token: Annotated[str, Field(max_length=256)] | None = None


MODELS: dict[str, type[BaseModel]] = {REPORT_KIND: ReportModel, ENROLMENT_KIND: EnrolmentModel}
