"""The structure of every document, for validation and for its JSON Schema.

The long maps and lists (limits, accepted values, register ids) are passed through here, for speed; ``maps`` checks all
of them while it decodes them. Their schema stands beside them, so that the JSON Schema is whole.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from armlevel.documents.items import shown

__all__ = [
    "FROZEN_KIND",
    "MODELS",
    "FrozenModel",
    "GuestModel",
    "HostModel",
    "OfferModel",
    "VerdictModel",
]

FROZEN_KIND = "frozen-profile/1"

VALUE_PATTERN = "^0x[0-9a-f]{16}$"
_STATE_PATTERN = "^0x[0-9a-f]{16}([0-9a-f]{16})?$"
_REGISTER_PATTERN = r"^[A-Za-z0-9_]+(\[[0-9]{1,2}\])?$"
_SUBJECT_PATTERN = r"^[A-Za-z0-9_]+(\[[0-9]{1,2}\])?\.[A-Za-z0-9_]+$"

_value = {"type": "string", "pattern": VALUE_PATTERN}
_numbers = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}}
_accepts = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "values": _numbers,
        "any": {"const": True},
        "changed": {"type": "object", "patternProperties": {"^[0-9]+$": {"type": "integer"}}},
        "unsure": _numbers,
        "others": {"enum": ["refused", "unknown", "ignored"]},
        "how": {"type": "string"},
    },
}


def _map(keys: str, values: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "object", "propertyNames": {"pattern": keys}, "additionalProperties": values}
    )


Count = Annotated[int, Field(ge=0, lt=2**53)]
Text = Annotated[str, Field(max_length=4096)]
HexText = Annotated[str, Field(pattern=VALUE_PATTERN)]
Values = Annotated[Any, _map(_REGISTER_PATTERN, _value)]
State = Annotated[Any, _map(_REGISTER_PATTERN, {"type": "string", "pattern": _STATE_PATTERN})]
AcceptMap = Annotated[Any, _map(_SUBJECT_PATTERN, {"anyOf": [_numbers, _accepts]})]
Ids = Annotated[Any, WithJsonSchema({"type": "array", "items": _value, "uniqueItems": True})]
VectorLengths = Annotated[list[Annotated[int, Field(ge=128, le=2048, multiple_of=128)]], Field(max_length=16)]
Lowered = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+\.[A-Za-z0-9_]+=[0-9]+$")]
Answer = Literal["runs", "refused", "unknown"]
Side = Literal["start", "arrive"]
Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _has_no_null(cls, given: Any) -> Any:
        # What is not recorded is left out: a key has a value.
        if isinstance(given, dict) and None in given.values():
            empty = ", ".join(shown(key) for key, value in given.items() if value is None)
            words = "null says nothing: leave {empty} out where it is not recorded"
            raise PydanticCustomError("null", words, {"empty": empty})
        return given


class MadeModel(_Model):
    """Who made a document, when and out of what; not part of the digest."""

    tool: Text = ""
    catalogue: Text = ""
    at: Text = ""
    source: Text = ""


class SoftwareModel(_Model):
    """The software level: evidence for a person."""

    kernel: Text = ""
    kvm_capabilities: dict[str, Count] = Field(default_factory=dict)
    vmms: dict[str, Text] = Field(default_factory=dict)
    firmware: Text = ""
    boot_options: list[Text] = Field(default_factory=list)
    vulnerabilities: dict[str, Text] = Field(default_factory=dict)


class ImplementationModel(_Model):
    """What one implementation calls itself; an absent number is not recorded."""

    midr: HexText | None = None
    revidr: HexText | None = None
    aidr: HexText | None = None


class CpuModel(ImplementationModel):
    """Physical CPUs that read alike; an absent count is not recorded."""

    count: Annotated[int, Field(ge=1, lt=2**53)] | None = None


class FactsModel(_Model):
    """What KVM can neither hide nor change; an absent fact is not known."""

    cntfrq_hz: Annotated[int, Field(gt=0, lt=2**32)] | None = None
    dczid: Annotated[int, Field(ge=0, lt=2**5)] | None = None
    gmid: Annotated[int, Field(ge=0, lt=2**4)] | None = None
    page_size: Literal[4096, 16384, 65536] | None = None
    sources: dict[str, Text] = Field(default_factory=dict)


class ShapeModel(_Model):
    """The choices made before a vCPU exists."""

    features: list[str] = Field(default_factory=list)
    imp_id_writable: bool = False


class OfferModel(_Model):
    """What one host's KVM offers for one shape."""

    shape: ShapeModel
    how: Literal["tried", "masks", "predicted"]
    default: Literal["limit-only", "unknown"]
    limits: Values = Field(default_factory=dict)
    accepts: AcceptMap = Field(default_factory=dict)
    register_list: Ids | None = None
    register_list_without: Ids = Field(default_factory=list)
    firmware: Values = Field(default_factory=dict)
    state: State = Field(default_factory=dict)
    sve_vls: VectorLengths | None = None
    pmu: dict[str, Count] = Field(default_factory=dict)
    like: Count | None = None
    changed_by_kvm: Values = Field(default_factory=dict)
    side_effects: dict[Lowered, dict[str, Count | None]] = Field(default_factory=dict)


class HostModel(_Model):
    """host-profile/1: one host, what its KVM offers, and the facts KVM cannot change."""

    kind: Literal["host-profile/1"]
    name: Text = ""
    digest: Digest | None = None
    made: MadeModel = MadeModel()
    software: SoftwareModel = SoftwareModel()
    cpus: list[CpuModel] = Field(default_factory=list)
    facts: FactsModel = FactsModel()
    offers: Annotated[list[OfferModel], Field(min_length=1)]


class ShownModel(ImplementationModel):
    """What the guest is shown, and the implementations it may run on."""

    targets: list[ImplementationModel] = Field(default_factory=list)


class GuestModel(_Model):
    """guest-profile/1: one guest CPU, exact."""

    kind: Literal["guest-profile/1"]
    name: Text = ""
    digest: Digest | None = None
    made: MadeModel = MadeModel()
    shape: ShapeModel
    registers: Values
    register_list: Ids | None = None
    firmware: Values = Field(default_factory=dict)
    sve_vls: VectorLengths | None = None
    pmu_counters: Annotated[int, Field(ge=0, le=31)] | None = None
    facts: FactsModel = FactsModel()
    implementation: ShownModel | None = None
    starts_on: list[Text] = Field(default_factory=list)
    tolerates: list[Text] = Field(default_factory=list)


class OriginModel(_Model):
    """A host that a frozen profile was levelled for."""

    name: Text
    digest: Digest | None = None


class LineageModel(_Model):
    """Where a frozen profile came from; part of its digest."""

    hosts: list[OriginModel] = Field(default_factory=list)
    source: Text = ""
    policy: list[Text] = Field(default_factory=list)
    catalogue: Text = ""
    tool: Text = ""
    at: Text = ""
    parent: Digest | None = None


class FrozenModel(_Model):
    """frozen-profile/1: a guest CPU under a name and a version, as exact bytes."""

    kind: Literal["frozen-profile/1"]
    name: Text
    version: Text
    digest: Digest
    guest: GuestModel
    lineage: LineageModel


class AnswersModel(_Model):
    """Both answers of one part of the question."""

    start: Answer
    arrive: Answer


class RemedyModel(_Model):
    """One thing a person could do."""

    do: Text
    what: Text = ""
    hosts: list[Text] = Field(default_factory=list)


class FindingModel(_Model):
    """One reason."""

    subject: Text
    part: Literal["shape", "registers", "list", "firmware", "facts", "policy"]
    needs: list[Text] = Field(default_factory=list)
    offers: dict[str, Text] = Field(default_factory=dict)
    hosts: list[Text] = Field(default_factory=list)
    cause: Literal["silicon", "kernel", "shape", "boot option", "vmm", "policy", "not known"] = "not known"
    severity: Literal["stops", "breaks", "unknown", "risk", "note"]
    applies: list[Side] = ["start", "arrive"]
    because: list[Text] = Field(default_factory=list)
    remedies: list[RemedyModel] = Field(default_factory=list)
    messages: list[Text] = Field(default_factory=list)


class VerdictModel(_Model):
    """verdict/1: may this guest start and arrive on this host, and why."""

    kind: Literal["verdict/1"]
    guest: Text
    host: Text
    start: Answer
    arrive: Answer
    parts: dict[Literal["shape", "registers", "list", "firmware", "facts", "policy"], AnswersModel]
    judged: list[Text] = Field(default_factory=list)
    findings: list[FindingModel] = Field(default_factory=list)


MODELS: dict[str, type[_Model]] = {
    "host-profile/1": HostModel,
    "guest-profile/1": GuestModel,
    "verdict/1": VerdictModel,
}
