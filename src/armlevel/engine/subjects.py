"""What a finding is about: a field, a register, a fact, a choice of the shape or of a person, or a part as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from armlevel.engine.names import FieldName, Name, RegisterName, register_of

__all__ = [
    "Subject",
    "SubjectKind",
    "about_capability",
    "about_fact",
    "about_field",
    "about_machine",
    "about_policy",
    "about_register",
    "about_rule",
    "about_several",
    "about_shape",
    "about_whole",
]

Whole = Literal[
    "shape",
    "sve_vls",
    "pmu.counters",
    "pmu.events",
    "machine-type",
    "kvm-unknown",
    "vmm",
    "id-registers",
    "register-list",
    "firmware",
    "errata.missed",
    "errata.needless",
    "instructions.hidden",
    "mitigations",
    "implementation.identity",
    "implementation.targets",
    "interrupt-controller",
]
Choice = Literal["policy.pin", "policy.require", "policy.implementation"]
SubjectKind = (
    Literal["field", "register", "rule", "several", "facts", "capability", "machine"] | Choice | Whole
)

# These say their kind before their name.
_SAID = ("facts", "shape", "machine", "policy.pin", "policy.require")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: its kind, and the names of what it is.

    >>> about_field("ID_AA64PFR0_EL1.SVE").key, about_fact("cntfrq_hz").key, about_whole("register-list").key
    ('ID_AA64PFR0_EL1.SVE', 'facts.cntfrq_hz', 'register-list')
    """

    kind: SubjectKind
    names: tuple[FieldName | RegisterName | Name, ...] = ()

    @property
    def key(self) -> str:
        """One word for it, by which documents and programs find it."""
        if not self.names:
            return self.kind
        name = "+".join(self.names)
        return f"{self.kind}.{name}" if self.kind in _SAID else name

    @property
    def register(self) -> RegisterName:
        """The register that it is about, or whose field it is; its key where it is about none."""
        return register_of(self.key)


def about_field(name: str) -> Subject:
    """Return ``REG.FIELD`` as a subject."""
    return Subject("field", (FieldName(name),))


def about_register(name: str) -> Subject:
    """Return a register, also one of firmware, as a subject."""
    return Subject("register", (RegisterName(name),))


def about_several(names: Iterable[str]) -> Subject:
    """Return registers or fields that are judged together as one subject.

    >>> about_several(["CTR_EL0.DIC", "CTR_EL0.IDC"]).key
    'CTR_EL0.DIC+CTR_EL0.IDC'
    """
    return Subject("several", tuple(map(Name, names)))


def about_rule(name: str) -> Subject:
    """Return the feature or version whose rule a finding is about."""
    return Subject("rule", (Name(name),))


def about_fact(name: str) -> Subject:
    """Return a fact that KVM cannot change as a subject."""
    return Subject("facts", (Name(name),))


def about_shape(name: str) -> Subject:
    """Return one choice of the shape as a subject."""
    return Subject("shape", (Name(name),))


def about_capability(name: str) -> Subject:
    """Return a capability of KVM as a subject."""
    return Subject("capability", (Name(f"KVM_CAP_{name}"),))


def about_machine(name: str) -> Subject:
    """Return one thing that stands around a guest's vCPUs, by the name that its record has, as a subject.

    >>> about_machine("gic").key
    'machine.gic'
    """
    return Subject("machine", (Name(name),))


def about_policy(choice: Choice, name: str = "") -> Subject:
    """Return what a person asked for as a subject."""
    return Subject(choice, (Name(name),) if name else ())


def about_whole(kind: Whole) -> Subject:
    """Return what has no name but its kind: a list, a part of the question, a risk."""
    return Subject(kind)
