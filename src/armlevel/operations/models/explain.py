"""The JSON of what ``explain`` answers, for its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from armlevel.documents.model_base import HexText
from armlevel.documents.model_verdict import FindingModel, RemedyModel
from armlevel.engine import Answer
from armlevel.operations.models.shared import AnswerModel, ResultModel

__all__ = ["ExplanationModel"]


class SentenceModel(ResultModel):
    """A code, and its sentence for a person."""

    code: str
    text: str


class FieldValuesModel(ResultModel):
    """A field that a message gives two values of."""

    subject: str
    value: int
    own: int


class RegisterFoundModel(ResultModel):
    """A register that a text names, and the values that it says."""

    text: str
    name: str
    kvm_id: HexText
    group: str
    encoding: list[int] | None
    listed: bool
    why: str
    line: int
    fields: list[FieldValuesModel]
    value: HexText | None = None
    own: HexText | None = None


class AttributeModel(ResultModel):
    """A register of a virtual interrupt controller, as KVM's device attributes number it."""

    group: str
    name: str


class MessageModel(ResultModel):
    """A message that a row knows."""

    name: str
    says: str
    versions: str
    lines: list[int]
    text: str
    words: dict[str, str]
    part: Literal["registers", "list", "shape", "firmware", "machine", "host"]
    about: list[str]
    means: SentenceModel
    do: list[SentenceModel]
    registers: list[RegisterFoundModel]
    source: str
    attribute: AttributeModel | None = None
    core: str | None = None


class LineModel(ResultModel):
    """A line that speaks of a fault, and that no row knows."""

    line: int
    text: str


class BlockedMoveModel(ResultModel):
    """A move, and what stands in its way."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    vmm: str
    answer: Answer
    blocking: list[FindingModel]
    remedies: list[RemedyModel]


class ExplanationModel(AnswerModel):
    """explanation/1: what an error line or a log means; ``move`` where two hosts were named."""

    kind: Literal["explanation/1"]
    lines: int
    messages: list[MessageModel]
    registers: list[RegisterFoundModel]
    not_known: int
    unexplained: list[LineModel]
    move: BlockedMoveModel | None = None
