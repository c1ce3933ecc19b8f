"""The structure of every document, for validation and for its JSON Schema.

The long maps and lists (limits, accepted values, register ids) are passed through here, for speed; ``maps`` checks all
of them while it decodes them. Their schema stands beside them, so that the JSON Schema is whole.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from armlevel.documents.model_base import Count, HexText, Model, Text
from armlevel.documents.model_verdict import ImplementationModel, VerdictModel
from armlevel.documents.names import FROZEN_NAME, FROZEN_VERSION
from armlevel.documents.structure import MOST_OFFERS, VALUE_PATTERN
from armlevel.profile.host import FACT_RANGES

__all__ = [
    "MODELS",
    "FrozenModel",
    "GivenModel",
    "GuestModel",
    "HostModel",
    "ImplementationModel",
    "OfferModel",
    "OriginModel",
    "PolicyModel",
    "VerdictModel",
]

_STATE_PATTERN = "^0x[0-9a-f]{16}([0-9a-f]{16})?$"
_REGISTER_PATTERN = r"^[A-Za-z0-9_]+(\[[0-9]{1,2}\])?$"
_SUBJECT_PATTERN = r"^[A-Za-z0-9_]+(\[[0-9]{1,2}\])?\.([A-Za-z0-9_]+|[0-9]{1,2}:[0-9]{1,2})$"

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


Values = Annotated[Any, _map(_REGISTER_PATTERN, _value)]
State = Annotated[Any, _map(_REGISTER_PATTERN, {"type": "string", "pattern": _STATE_PATTERN})]
AcceptMap = Annotated[Any, _map(_SUBJECT_PATTERN, {"anyOf": [_numbers, _accepts]})]
Ids = Annotated[Any, WithJsonSchema({"type": "array", "items": _value, "uniqueItems": True})]
VectorLengths = Annotated[list[Annotated[int, Field(ge=128, le=2048, multiple_of=128)]], Field(max_length=16)]
Lowered = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+\.[A-Za-z0-9_]+=[0-9]+$")]
Small = Annotated[int, Field(ge=0, lt=2**8)]
Frequency = Annotated[int, Field(gt=0, lt=FACT_RANGES["cntfrq_hz"].stop)]
Errno = Annotated[str, Field(pattern="^(yes|E[A-Z0-9]{1,31})$")]
Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class SoftwareModel(Model):
    """The software level: evidence for a person."""

    kernel: Text | None = None
    kvm_capabilities: dict[str, Count] = Field(default_factory=dict, max_length=4096)
    vmms: dict[str, Text] = Field(default_factory=dict, max_length=1024)
    firmware: Text | None = None
    boot_options: list[Text] = Field(default_factory=list, max_length=1024)
    vulnerabilities: dict[str, Text] = Field(default_factory=dict, max_length=1024)


class OriginModel(Model):
    """A host that a profile was levelled for."""

    name: Text
    digest: Digest | None = None


class PolicyModel(Model):
    """Choices of a person that made a guest."""

    without: list[Text] = Field(default_factory=list, max_length=65536)
    hide: list[Text] = Field(default_factory=list, max_length=65536)
    require: list[Text] = Field(default_factory=list, max_length=65536)
    pins: dict[Text, HexText] = Field(default_factory=dict)
    implementation: ImplementationModel | None = None
    also_targets: list[ImplementationModel] = Field(default_factory=list, max_length=65536)
    tolerate: list[Text] = Field(default_factory=list, max_length=65536)
    assume_same_impdef: bool = False
    accept_weaker_mitigation: bool = False


class GivenModel(Model):
    """A fact that a person gave for a host of which it is not recorded."""

    host: Text
    fact: Literal["cntfrq_hz", "dczid", "gmid", "page_size", "kernel"]
    value: Count | Text


class MadeModel(Model):
    """Who made a document, when and out of what; not part of the digest."""

    tool: Text | None = None
    catalogue: Text | None = None
    at: Text | None = None
    source: Text | None = None
    hosts: list[OriginModel] = Field(default_factory=list, max_length=1 << 20)
    policy: PolicyModel | None = None
    given: list[GivenModel] = Field(default_factory=list, max_length=65536)


class CpuModel(ImplementationModel):
    """Physical CPUs that read alike; an absent count is not recorded."""

    count: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    numbers: list[Count] = Field(default_factory=list)
    cntfrq_hz: Frequency | None = None


class FactsModel(Model):
    """What KVM can neither hide nor change; an absent fact is not known."""

    cntfrq_hz: Frequency | None = None
    dczid: Annotated[int, Field(ge=FACT_RANGES["dczid"].start, lt=FACT_RANGES["dczid"].stop)] | None = None
    gmid: Annotated[int, Field(ge=FACT_RANGES["gmid"].start, lt=FACT_RANGES["gmid"].stop)] | None = None
    page_size: Literal[4096, 16384, 65536] | None = None
    sources: dict[str, Text] = Field(default_factory=dict, max_length=64)


class TriedModel(Model):
    """A field that userspace writes when it restores a VM: what a fresh VM shows, and which values it takes."""

    shown: Small
    taken: list[Small] = Field(max_length=256)
    refused: list[Small] = Field(default_factory=list, max_length=256)


class GicModel(Model):
    """The interrupt controller devices: "yes", or the errno of creating one."""

    v2: Errno | None = None
    v3: Errno | None = None
    its: Errno | None = None
    v5: Errno | None = None


class IccCtlrModel(Model):
    """The fields of ICC_CTLR_EL1 that say what the CPU interface is."""

    PRIbits: TriedModel | None = None
    IDbits: TriedModel | None = None
    SEIS: TriedModel | None = None
    A3V: TriedModel | None = None


class MachineModel(Model):
    """What a host offers around the vCPU; what is absent is not recorded."""

    gic: GicModel | None = None
    icc_ctlr: IccCtlrModel | None = None
    ich_vtr: HexText | None = None
    gicd_iidr: TriedModel | None = None
    gicd_typer2: HexText | None = None
    ipa_bits: Small | None = None
    ipa_min: Small | None = None
    ipa_fixed: bool | None = None
    mode: Literal["vhe", "nvhe", "protected"] | None = None
    counter_offset: bool | None = None
    steal_time: bool | None = None
    ptp: bool | None = None
    unknown: list[Text] | None = Field(default=None, max_length=4096)


class ShapeModel(Model):
    """The choices made before a vCPU exists."""

    features: list[str] = Field(default_factory=list, max_length=64)
    imp_id_writable: bool = False


class OfferModel(Model):
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
    pmu: dict[str, Count] = Field(default_factory=dict, max_length=1024)
    like: Count | None = None
    changed_by_kvm: Values = Field(default_factory=dict)
    side_effects: dict[Lowered, dict[str, Count | None]] = Field(default_factory=dict, max_length=65536)


class HostModel(Model):
    """host-profile/1: one host, what its KVM offers, and the facts KVM cannot change."""

    kind: Literal["host-profile/1"]
    name: Text | None = None
    digest: Digest | None = None
    made: MadeModel = MadeModel()
    software: SoftwareModel = SoftwareModel()
    cpus: list[CpuModel] = Field(default_factory=list, max_length=65536)
    other_cpus: list[CpuModel] = Field(default_factory=list, max_length=65536)
    hwcaps: list[Text] | None = Field(default=None, max_length=1024)
    facts: FactsModel = FactsModel()
    machine: MachineModel | None = None
    accelerator: Literal["tcg"] | None = None
    offers: Annotated[list[OfferModel], Field(min_length=1, max_length=MOST_OFFERS)]


class ShownModel(ImplementationModel):
    """What the guest is shown, and the implementations it may run on."""

    targets: list[ImplementationModel] = Field(default_factory=list, max_length=65536)


class HeldIccCtlrModel(Model):
    """What the fields of a guest's ICC_CTLR_EL1 hold that say what its CPU interface is."""

    PRIbits: Small | None = None
    IDbits: Small | None = None
    SEIS: Small | None = None
    A3V: Small | None = None


class WindowsModel(Model):
    """Where the windows above a guest's memory begin; one that is absent does not exist."""

    redistributors: HexText | None = None
    ecam: HexText | None = None
    mmio: HexText | None = None


class GuestMachineModel(Model):
    """What stands around the vCPUs of a guest; what is absent is not recorded."""

    vmm: Text | None = None
    machine: Text | None = None
    gic_asked: Literal["2", "3", "host", "max", "default"] | None = None
    gic: Literal[2, 3] | None = None
    its: bool | None = None
    vcpus: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    memory: Count | None = None
    maxmem: Count | None = None
    slots: Count | None = None
    highmem: bool | None = None
    compact_highmem: bool | None = None
    highmem_redists: bool | None = None
    highmem_ecam: bool | None = None
    highmem_mmio: bool | None = None
    highmem_mmio_size: Count | None = None
    virtualization: bool | None = None
    steal_time_asked: Literal["on", "off", "default"] | None = None
    steal_time: bool | None = None
    backing_page: Count | None = None
    windows: WindowsModel | None = None
    icc_ctlr: HeldIccCtlrModel | None = None
    ich_vtr: HexText | None = None
    gicd_iidr: Count | None = None


class GuestModel(Model):
    """guest-profile/1: one guest CPU, exact."""

    kind: Literal["guest-profile/1"]
    name: Text | None = None
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
    possible: dict[Text, Annotated[list[HexText], Field(min_length=1, max_length=65536)]] = Field(
        default_factory=dict, max_length=65536
    )
    starts_on: list[Text] = Field(default_factory=list, max_length=65536)
    tolerates: list[Text] = Field(default_factory=list, max_length=65536)
    machine: GuestMachineModel | None = None
    unknown: list[Text] = Field(default_factory=list, max_length=4096)


class LineageModel(Model):
    """Where a frozen profile came from; part of its digest."""

    hosts: list[OriginModel] = Field(default_factory=list, max_length=1 << 20)
    source: Text | None = None
    policy: PolicyModel | None = None
    given: list[GivenModel] = Field(default_factory=list, max_length=65536)
    catalogue: Text | None = None
    tool: Text | None = None
    at: Text | None = None
    parent: Digest | None = None


class FrozenModel(Model):
    """frozen-profile/1: a guest CPU under a name and a version, as exact bytes."""

    kind: Literal["frozen-profile/1"]
    name: Annotated[str, Field(pattern=FROZEN_NAME)]
    version: Annotated[str, Field(pattern=FROZEN_VERSION)]
    digest: Digest
    guest: GuestModel
    lineage: LineageModel


MODELS: dict[str, type[Model]] = {
    "host-profile/1": HostModel,
    "guest-profile/1": GuestModel,
    "verdict/1": VerdictModel,
}
