"""The JSON of every result, for its schema; documents that stand inside a result are those of ``documents.models``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from armlevel.documents.model_base import HexText
from armlevel.documents.model_verdict import FindingModel, RemedyModel, VerdictModel
from armlevel.documents.models import (
    Digest,
    GivenModel,
    GuestModel,
    HostModel,
    OriginModel,
    PolicyModel,
)
from armlevel.engine import Answer

__all__ = ["MODELS", "ResultModel"]

Part = Literal["shape", "registers", "list", "firmware", "facts", "machine", "policy"]
Means = Literal["passthrough", "switches", "sysreg", "preload"]
Direction = Literal["less", "more", "other"]
DiffPart = Literal["shape", "registers", "list", "firmware", "facts", "machine", "software", "state"]
Letter = Literal["P", "S", "L", "p", "l", "r", "?", "."]


class ResultModel(BaseModel):
    """An object of a result: it has the keys that are named, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class AnswerModel(ResultModel):
    """The beginning of results that take facts: what was given, absent if nothing was."""

    given: list[GivenModel] = Field(default_factory=list)


class GroupModel(ResultModel):
    """Hosts that have a baseline together."""

    hosts: list[str]


class StockMeansModel(ResultModel):
    """The cheapest means by which a guest may go anywhere among hosts."""

    name: Means
    switches: str | None
    vmm: str | None


class BaselineModel(AnswerModel):
    """baseline/1: the guest CPU that every host can run, or the candidate that stands refused and who could."""

    kind: Literal["baseline/1"]
    answer: Answer
    hosts: list[str]
    parts: dict[Part, Answer]
    dropped: list[str]
    guest: GuestModel | None
    candidate: GuestModel | None
    conflicts: list[FindingModel]
    notes: list[FindingModel]
    groups: list[GroupModel]
    groups_complete: bool
    means: StockMeansModel | None
    remedies: list[RemedyModel]
    left_open: list[str]
    apart: list[str]


class WaysOutModel(ResultModel):
    """What was tried and changes a host's answer; ``means`` is the cheapest one, of a host's passthrough guest."""

    host: str
    means: Means | None
    no_switch: list[str]
    remedies: list[RemedyModel]


class CheckModel(AnswerModel):
    """check/1: a verdict for each host."""

    kind: Literal["check/1"]
    verdicts: list[VerdictModel]
    ways_out: list[WaysOutModel]


class PredictionModel(ResultModel):
    """What a VMM would do with a move."""

    vmm: str
    outcome: str
    alive: bool | None
    harm: list[str]
    blocking: list[str]
    counts: list[int] | None
    messages: list[str]


class AnyGuestModel(ResultModel):
    """Whether any guest that is on one host may go to another, wherever it was started."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    answer: Answer
    parts: dict[Part, Answer]
    not_judged: list[Part]
    shapes: list[str]
    about: list[str]


class AnyGuestsModel(AnswerModel):
    """any-guest/1: whether any guest may go, for each pair of hosts that was asked about."""

    kind: Literal["any-guest/1"]
    moves: list[AnyGuestModel]


class MoveModel(ResultModel):
    """One direction of a move; ``any_guest`` is absent where the guest is given, or levelled for the two."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    answer: Answer
    means: Means | None
    switches: str | None
    no_switch: list[str]
    parts: dict[Part, Answer]
    findings: list[FindingModel]
    remedies: list[RemedyModel]
    prediction: PredictionModel | None = None
    any_guest: AnyGuestModel | None = None


class MovesModel(AnswerModel):
    """moves/1: a move between two hosts, there and back."""

    kind: Literal["moves/1"]
    moves: list[MoveModel]


class CellModel(ResultModel):
    """One ordered pair of hosts."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    letter: Letter
    passthrough: Answer
    levelled: Answer
    switches: str | None
    passthrough_parts: dict[Part, Answer]
    levelled_parts: dict[Part, Answer]
    refused_by: list[str]
    conflicts: list[str]
    not_known: list[str]


class MatrixModel(AnswerModel):
    """matrix/1: who can go where."""

    kind: Literal["matrix/1"]
    hosts: list[str]
    moves: list[CellModel]
    groups: list[GroupModel]
    groups_complete: bool
    left_open: list[str]
    apart: list[str]


class HeldModel(ResultModel):
    """Hosts without which the rest of a group would have more."""

    by: str
    hosts: list[str]
    gains: list[str]


class PlanGroupModel(ResultModel):
    """A group of a plan, and what it costs each host."""

    hosts: list[str]
    answer: Answer
    without: list[str]
    means: StockMeansModel | None
    costs: dict[str, list[str]]
    held_by: HeldModel | None
    baseline: GuestModel | None


class UpgradeModel(ResultModel):
    """One host on another kernel."""

    host: str
    now: str = Field(alias="from")
    then: str = Field(alias="to")
    like: str = Field(alias="as")


class MergeModel(ResultModel):
    """Two groups that kernel upgrades would join."""

    groups: list[int]
    upgrades: list[UpgradeModel]


class OneWayModel(ResultModel):
    """Groups of which the first one's guest may go to the second."""

    source: int = Field(alias="from")
    target: int = Field(alias="to")


class JoiningModel(ResultModel):
    """What a host would do to a group."""

    group: int
    answer: Answer
    loses: list[str]


class AddedModel(ResultModel):
    """What a host would do to each group."""

    host: str
    groups: list[JoiningModel]


class RemovedModel(ResultModel):
    """The plan that is left when hosts go away."""

    least: int
    groups: list[list[str]]


class PlanModel(AnswerModel):
    """plan/1: the fewest groups of hosts that share a baseline."""

    kind: Literal["plan/1"]
    hosts: int
    kinds: int
    least: int
    optimal: bool
    groups: list[PlanGroupModel]
    left: list[str]
    left_open: list[str]
    apart: list[str]
    merges: list[MergeModel]
    one_way: list[OneWayModel]
    tolerated: list[list[str]] | None
    add: list[AddedModel] | None = None
    remove: RemovedModel | None = None


class ChangeModel(ResultModel):
    """One difference."""

    subject: str
    part: DiffPart
    before: str | None = Field(alias="from")
    after: str | None = Field(alias="to")
    direction: Direction
    features: list[str]


class KernelModel(ResultModel):
    """What KVM changed between two kernels, and the subjects that it explains."""

    until: str
    since: str
    why: str
    subjects: list[str]


class DiffModel(ResultModel):
    """diff/1: what differs between two hosts or guests."""

    kind: Literal["diff/1"]
    before: str = Field(alias="from")
    after: str = Field(alias="to")
    changes: list[ChangeModel]
    not_compared: list[str]
    kernels: list[KernelModel]


class StableModel(ResultModel):
    """A stable update of a kernel that explains a change."""

    line: str
    had: int
    has: int
    why: str
    see: str


class MovedModel(ChangeModel):
    """One change of a host, with its likely cause."""

    cause: Literal["silicon", "kernel", "firmware", "boot option", "recording", "not known"]
    known: StableModel | None


class DriftedModel(ResultModel):
    """One host today."""

    host: str
    guest: str
    answer: Answer
    start: Answer
    arrive: Answer
    born_here: bool
    since: str | None
    not_compared: list[str]
    changes: list[MovedModel]
    findings: list[FindingModel]
    means: Means | None
    no_switch: list[str]
    remedies: list[RemedyModel]


class DriftModel(AnswerModel):
    """drift/1: whether hosts still run a guest, and what changed on them."""

    kind: Literal["drift/1"]
    answer: Answer
    hosts: list[DriftedModel]


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


class ShownModel(ResultModel):
    """A document, and what its registers decode to."""

    document: Annotated[HostModel | GuestModel | VerdictModel, Field(discriminator="kind")]
    cores: list[CoreModel] | None = None
    clusters: list[ClusterModel] | None = None
    fields: dict[str, ValueModel] | None = None
    features: dict[str, bool | None] | None = None


class ShowModel(ResultModel):
    """show/1: documents, decoded."""

    kind: Literal["show/1"]
    shown: list[ShownModel]


class GapModel(ResultModel):
    """Something of a profile that a file does not bring about."""

    subject: str
    needs: str
    has: str | None
    ways: list[str]
    certain: bool


class ExportModel(ResultModel):
    """export/1: a file for another tool; ``text`` is absent where it was written to ``output``."""

    kind: Literal["export/1"]
    guest: str
    to: str
    form: str
    answer: Answer
    left: list[GapModel]
    text: str | None = None
    output: str | None = None


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


class DifferenceModel(ResultModel):
    """Where a scratch VM is not what the profile says."""

    subject: str
    wanted: str
    found: str
    seen: Literal["kvm", "guest"]


class VerifyModel(ResultModel):
    """verify/1: what became of a guest's CPU in a scratch VM; ``host`` is null for this machine."""

    kind: Literal["verify/1"]
    guest: str
    host: str | None
    answer: Answer
    gic: str
    read: dict[str, HexText]
    findings: list[DifferenceModel]
    notes: list[DifferenceModel]


class RunModel(ResultModel):
    """run/1: what starts QEMU with a guest's CPU, or why nothing does."""

    kind: Literal["run/1"]
    answer: Answer
    guest: str | None
    host: str | None
    side: Literal["start", "arrive"] | None
    findings: list[FindingModel]
    command: list[str] | None
    environment: dict[str, str] | None
    config: str | None


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


class RecordedMachineModel(ResultModel):
    """A recorded machine; ``typed`` is what commands take for it."""

    typed: str
    name: str
    cpus: list[str]
    kernel: str
    vmms: dict[str, str]
    shapes: list[str]
    how: list[str]
    source: str
    cntfrq_hz: int | None = None


class MachinesModel(ResultModel):
    """machines/1: the recorded machines that ship."""

    kind: Literal["machines/1"]
    machines: list[RecordedMachineModel]
    near: list[str]


class CheckUpModel(ResultModel):
    """Something about this machine, and what to do about it."""

    name: str
    state: Literal["ok", "not", "unknown"]
    code: str
    text: str
    do: str


class DoctorModel(ResultModel):
    """doctor/1: what armlevel can do on this machine."""

    kind: Literal["doctor/1"]
    architecture: str
    checks: list[CheckUpModel]


MODELS: dict[str, type[BaseModel]] = {
    "baseline/1": BaselineModel,
    "check/1": CheckModel,
    "moves/1": MovesModel,
    "any-guest/1": AnyGuestsModel,
    "matrix/1": MatrixModel,
    "plan/1": PlanModel,
    "diff/1": DiffModel,
    "drift/1": DriftModel,
    "facts/1": FactsModel,
    "show/1": ShowModel,
    "export/1": ExportModel,
    "freeze/1": FreezeModel,
    "signature/1": SignatureModel,
    "verify/1": VerifyModel,
    "run/1": RunModel,
    "explanation/1": ExplanationModel,
    "machines/1": MachinesModel,
    "doctor/1": DoctorModel,
}
