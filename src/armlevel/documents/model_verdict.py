"""The structure of verdicts: findings, their values, reasons and remedies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from armlevel.documents.model_base import Count, HexText, Model, Number, Text
from armlevel.engine.findings import Answer, Cause, Part, RemedyKind, Severity, Side
from armlevel.engine.reasons import ReasonCode
from armlevel.engine.subjects import SubjectKind
from armlevel.engine.values import Others, StateCode

__all__ = [
    "AnyValueModel",
    "BoundModel",
    "CoresModel",
    "CountModel",
    "EventsModel",
    "FieldModel",
    "FindingModel",
    "FrequencyModel",
    "ImplementationModel",
    "ImplementationsModel",
    "LoweredModel",
    "NamedModel",
    "NamesModel",
    "OfferedModel",
    "ReasonModel",
    "RegisterModel",
    "RemedyModel",
    "StateModel",
    "VectorLengthsModel",
    "VerdictModel",
]


class ImplementationModel(Model):
    """What one implementation calls itself; an absent number is not recorded."""

    midr: HexText | None = None
    revidr: HexText | None = None
    aidr: HexText | None = None


class _Value(Model):
    # What a guest needs; ``text`` is the sentence for a person, made anew whenever a document is written.
    text: Text | None = None


class StateModel(_Value):
    """What is said instead of a number."""

    kind: Literal["state"]
    state: StateCode


class FieldModel(_Value):
    """Values of one field; ``open`` says that others may be kept too."""

    kind: Literal["field"]
    values: list[Number]
    open: bool


class RegisterModel(_Value):
    """The whole value of a register or fact."""

    kind: Literal["register"]
    value: HexText


class NamedValueModel(Model):
    """One register or field and its value."""

    name: Text
    value: HexText


class NamedModel(_Value):
    """Values of registers or fields that go together, and what is known of others in their place."""

    kind: Literal["named"]
    values: list[NamedValueModel]
    others: Others


class BoundModel(_Value):
    """A field is at least, or at most, a value."""

    kind: Literal["bound"]
    field: Text
    limit: Literal["at-least", "at-most"]
    value: Number


class LoweringModel(Model):
    """A field, what the host has, and what the guest is told."""

    field: Text
    own: Count
    told: Count


class LoweredModel(_Value):
    """Fields of which a guest is told less than its host has."""

    kind: Literal["lowered"]
    fields: list[LoweringModel]


class FrequencyModel(_Value):
    """A counter frequency."""

    kind: Literal["frequency"]
    hz: Count


class VectorLengthsModel(_Value):
    """SVE vector lengths."""

    kind: Literal["vector-lengths"]
    bits: list[Count]


class CountModel(_Value):
    """How many there are."""

    kind: Literal["count"]
    number: Count


class EventsModel(_Value):
    """PMU events by number."""

    kind: Literal["events"]
    numbers: list[Count]


class ImplementationsModel(_Value):
    """What CPUs call themselves."""

    kind: Literal["implementations"]
    shown: list[ImplementationModel]


class CoresModel(_Value):
    """Kinds of core: implementer and part number."""

    kind: Literal["cores"]
    parts: list[Annotated[list[Count], Field(min_length=2, max_length=2)]]


class NamesModel(_Value):
    """Features, shapes, VMMs or errata by name."""

    kind: Literal["names"]
    names: list[Text]


AnyValueModel = Annotated[
    StateModel
    | FieldModel
    | RegisterModel
    | NamedModel
    | BoundModel
    | LoweredModel
    | FrequencyModel
    | VectorLengthsModel
    | CountModel
    | EventsModel
    | ImplementationsModel
    | CoresModel
    | NamesModel,
    Field(discriminator="kind"),
]


class SubjectModel(Model):
    """What a finding is about; the finding's ``subject`` is one word for it."""

    kind: SubjectKind
    names: list[Text] = Field(default_factory=list)


class OfferedModel(Model):
    """What one host offers; a host may stand in the list twice."""

    host: Text
    offer: AnyValueModel


class ReasonModel(Model):
    """One step of why: its code, what it is about, and the sentence for a person."""

    code: ReasonCode
    args: list[Number | Text] = Field(default_factory=list)
    text: Text | None = None


class RemedyModel(Model):
    """One thing a person could do, to what, and on which hosts."""

    kind: RemedyKind
    args: list[Number | Text] = Field(default_factory=list)
    hosts: list[Text] = Field(default_factory=list)
    text: Text | None = None


def _both() -> list[Side]:
    return ["start", "arrive"]


class FindingModel(Model):
    """One reason."""

    subject: Text
    about: SubjectModel
    part: Part
    needs: list[AnyValueModel] = Field(default_factory=list)
    offers: list[OfferedModel] = Field(default_factory=list)
    hosts: list[Text] = Field(default_factory=list)
    cause: Cause = "not known"
    severity: Severity
    applies: list[Side] = Field(default_factory=_both)
    because: list[ReasonModel] = Field(default_factory=list)
    remedies: list[RemedyModel] = Field(default_factory=list)
    sets: list[list[Text]] = Field(default_factory=list)
    messages: list[Text] = Field(default_factory=list)


class AnswersModel(Model):
    """Both answers of one part of the question."""

    start: Answer
    arrive: Answer


class VerdictModel(Model):
    """verdict/1: may this guest start and arrive on this host, and why."""

    kind: Literal["verdict/1"]
    guest: Text
    host: Text
    start: Answer
    arrive: Answer
    parts: dict[Part, AnswersModel]
    judged: list[Text] = Field(default_factory=list)
    not_judged: list[Text] = Field(default_factory=list)
    findings: list[FindingModel] = Field(default_factory=list)
