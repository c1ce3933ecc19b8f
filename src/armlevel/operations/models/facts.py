"""The JSON of what ``facts`` answers, for its schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from armlevel.documents.model_base import HexText
from armlevel.operations.models.shared import ResultModel

__all__ = ["FactsModel"]


class AnnouncedModel(ResultModel):
    """A condition that announces a feature, and where it holds."""

    where: str
    condition: str


class WhoModel(ResultModel):
    """A field of a feature, and at which exception level it is of use."""

    subject: str
    who: str


class FeatureRow(ResultModel):
    """A feature."""

    row: Literal["feature"]
    name: str
    announced: list[AnnouncedModel]
    fields: list[WhoModel]
    hwcaps: list[str]
    mandatory_from: list[str]
    rules: list[str]
    source: str


class WriteRuleModel(ResultModel):
    """What the KVM of a kernel line lets a field be set to; ``rule`` is null for the limit only."""

    line: str
    rule: str | None
    safe: str | None = None
    least: int | None = None
    most: int | None = None
    needs_imp_id: bool = False


class FieldRow(ResultModel):
    """A field of a register."""

    row: Literal["field"]
    name: str
    arm: str
    msb: int
    lsb: int
    order: str
    listing: list[int]
    who: str
    values: dict[str, str]
    kvm: list[WriteRuleModel]
    source: str


class RegisterRow(ResultModel):
    """A register."""

    row: Literal["register"]
    name: str
    encoding: list[int]
    kvm_id: HexText
    view: str
    scope: str
    fields: list[str]
    source: str


class HwcapRow(ResultModel):
    """A hwcap of Linux."""

    row: Literal["hwcap"]
    name: str
    flag: str
    announced: str | None
    source: str


class KvmRegisterRow(ResultModel):
    """A register that is no ID register: where KVM has it, and the host's fact that it is."""

    row: Literal["kvm-register"]
    name: str
    group: str
    encoding: list[int] | None
    kvm_id: HexText
    listed: bool
    fact: str | None
    source: str


class NamedRowModel(ResultModel):
    """A row that has a name, and says something in a few texts."""

    row: Literal[
        "firmware-register", "host-fact", "shape-feature", "erratum", "tolerance", "vmm", "kernel-line"
    ]
    name: str
    said: dict[str, str]
    source: str


class CoreRow(ResultModel):
    """A core, or with ``midr`` one revision of it."""

    row: Literal["core"]
    name: str
    implementer: int
    part: int
    midr: HexText | None
    revision: str | None
    source: str


class InProfileModel(ResultModel):
    """What a guest of this shape has of a field, a register or a feature; null where it is not recorded."""

    profile: str
    shape: str
    name: str
    value: int | bool | None


class FactsModel(ResultModel):
    """facts/1: rows of the catalogue that are called so."""

    kind: Literal["facts/1"]
    found: list[
        Annotated[
            FeatureRow | FieldRow | RegisterRow | KvmRegisterRow | HwcapRow | CoreRow | NamedRowModel,
            Field(discriminator="row"),
        ]
    ]
    nothing: list[str]
    near: dict[str, list[str]]
    shown: list[InProfileModel]
