"""Rows of the catalogue, found by a name or a number, with what other rows say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel.arch import Catalogue, Feature, Field, Hwcap, Part, Register, features_of, load, mentioned
from armlevel.arch.expr import Feat, leaves
from armlevel.documents import Document
from armlevel.engine import passthrough
from armlevel.errors import UsageError
from armlevel.kvm import SpelledRegister
from armlevel.operations.facts_find import Found, NamedRow, find, joined, near_matches
from armlevel.profile import FACT_REGISTERS, Guest, Host, Implementation

__all__ = [
    "FactsResult",
    "Found",
    "InProfile",
    "facts",
    "find",
    "flags_of",
    "mandatory_from",
    "near_matches",
    "rules_of",
    "used_by",
]

_KVM = "Linux 7.3 arch/arm64/include/uapi/asm/kvm.h"
_KINDS_OF_ROWS = ("condition", "version", "mandatory")


@dataclass(frozen=True, slots=True)
class InProfile:
    """What a guest of this shape has of a field, a register or a feature, None where it is not recorded."""

    profile: str
    shape: str
    name: str
    value: int | bool | None


@dataclass(frozen=True, slots=True)
class FactsResult:
    """What is called so; ``near`` are the terms that name nothing, each with names close to it.

    ``shown``  what the profiles that were named have of it
    """

    kind: ClassVar[str] = "facts/1"

    found: tuple[tuple[str, tuple[Found, ...]], ...]
    near: tuple[tuple[str, tuple[str, ...]], ...] = ()
    shown: tuple[InProfile, ...] = ()

    @property
    def rows(self) -> tuple[Found, ...]:
        """Every row once."""
        return tuple(dict.fromkeys(row for _, rows in self.found for row in rows))

    @property
    def status(self) -> int:
        """The exit status: 1 if a term names nothing."""
        return 1 if self.near else 0

    def document(self) -> dict[str, Any]:
        """Return the facts/1 object."""
        return {
            "kind": self.kind,
            "found": [_row_object(row, load()) for _, rows in self.found for row in rows],
            "nothing": [term for term, _ in self.near],
            "near": {term: list(near) for term, near in self.near},
            "shown": [
                {"profile": one.profile, "shape": one.shape, "name": one.name, "value": one.value}
                for one in self.shown
            ],
        }


def facts(terms: Sequence[str], documents: Sequence[Document] = ()) -> FactsResult:
    """Look terms up: features, fields, registers, cores, hwcaps, numbers of cores; and what profiles have of them.

    Raises:
        UsageError: a document is neither host nor guest.

    """
    catalogue = load()
    found = tuple((term, tuple(find(term, catalogue))) for term in joined(terms, catalogue))
    near = tuple((term, near_matches(term, catalogue)) for term, rows in found if not rows)
    result = FactsResult(found, near)
    return replace(result, shown=tuple(one for item in documents for one in _in_profile(item, result.rows)))


def _in_profile(item: Document, rows: Sequence[Found]) -> Iterator[InProfile]:
    if not isinstance(item, Host | Guest):
        raise UsageError("--in takes hosts and guests", hint="name the profile of one")
    # A host shows what a passthrough guest has there: of all its shapes the one that a VMM makes unasked.
    guest = passthrough(item, load()) if isinstance(item, Host) else item
    registers, shape = guest.id_registers, guest.shape.label
    features = features_of(load(), registers)
    for row in rows:
        if isinstance(row, Feature):
            yield InProfile(item.name, shape, row.name, features.get(row.name))
        elif isinstance(row, Register):
            yield InProfile(item.name, shape, row.name, registers.get(row.name))
        elif isinstance(row, Field):
            whole = registers.get(row.register)
            yield InProfile(item.name, shape, row.subject, None if whole is None else row.get(whole))


def maker_of(implementer: int, catalogue: Catalogue) -> str:
    """Return who an implementer code is; the code where no row knows it."""
    return catalogue.implementers.get(implementer, f"implementer {implementer:#x}")


def used_by(feature: Feature) -> tuple[str, ...]:
    """Return the fields that announce a feature, sorted."""
    return tuple(sorted({subject for condition in feature.conditions for subject in mentioned(condition)}))


def flags_of(feature: Feature, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the flags of /proc/cpuinfo that mean a feature."""
    conditions = [str(condition) for condition in feature.conditions]
    return tuple(
        cap.flag
        for cap in catalogue.hwcaps.values()
        if cap.condition is not None and str(cap.condition) in conditions
    )


def mandatory_from(feature: Feature, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the versions of the architecture that a feature is mandatory from."""
    return tuple(one.name for one in catalogue.versions.values() if feature.name in one.mandates)


def rules_of(feature: Feature, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the rules that speak of a feature, as they are written."""
    return tuple(
        rule.text
        for rule in catalogue.rules
        if rule.kind not in _KINDS_OF_ROWS
        and any(isinstance(leaf, Feat) and leaf.name == feature.name for leaf in leaves(rule.expr))
    )


def _row_object(one: Found, catalogue: Catalogue) -> dict[str, Any]:
    if isinstance(one, Feature):
        return _feature_object(one, catalogue)
    if isinstance(one, Field):
        return _field_object(one, catalogue)
    if isinstance(one, Register):
        return _register_object(one)
    if isinstance(one, SpelledRegister):
        return _spelled_object(one)
    return _small_object(one, catalogue)


def _small_object(one: Hwcap | NamedRow | Part | Implementation, catalogue: Catalogue) -> dict[str, Any]:
    if isinstance(one, NamedRow):
        return {"row": one.what, "name": one.name, "said": dict(one.said), "source": one.see}
    if isinstance(one, Hwcap):
        condition = None if one.condition is None else str(one.condition)
        return {"row": "hwcap", "name": one.name, "flag": one.flag, "announced": condition, "source": one.see}
    if isinstance(one, Part):
        maker = maker_of(one.implementer, catalogue)
        numbers = {"implementer": one.implementer, "part": one.part, "midr": None, "revision": None}
        return {"row": "core", "name": f"{maker} {one.name}", **numbers, "source": one.see}
    assert one.part is not None  # a core is found by its number
    part = catalogue.parts.get(one.part)
    maker, named = maker_of(one.part[0], catalogue), part.name if part else f"part {one.part[1]:#x}"
    numbers = {"implementer": one.part[0], "part": one.part[1]}
    shown = {"midr": f"{one.midr:#018x}", "revision": one.revision}
    return {"row": "core", "name": f"{maker} {named}", **numbers, **shown, "source": part.see if part else ""}


def _feature_object(one: Feature, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "row": "feature",
        "name": one.name,
        "announced": [
            {"where": str(guard), "condition": str(condition)} for guard, condition in one.announced
        ],
        "fields": [{"subject": subject, "who": catalogue.fields[subject].who} for subject in used_by(one)],
        "hwcaps": list(flags_of(one, catalogue)),
        "mandatory_from": list(mandatory_from(one, catalogue)),
        "rules": list(rules_of(one, catalogue)),
        "source": one.see,
    }


def _field_object(one: Field, catalogue: Catalogue) -> dict[str, Any]:
    kvm = []
    for line in catalogue.lines:
        rule = catalogue.write_rule(one.subject, line.name)
        said: dict[str, Any] = {"line": line.name, "rule": None if rule is None else rule.rule}
        if rule is not None:
            safe = None if rule.safe is None else str(rule.safe)
            said |= {"safe": safe, "least": rule.least, "most": rule.most, "needs_imp_id": rule.needs_imp_id}
        kvm.append(said)
    return {
        "row": "field",
        "name": one.subject,
        "arm": one.arm,
        "msb": one.msb,
        "lsb": one.lsb,
        "order": one.order.kind,
        "listing": list(one.order.listing),
        "who": one.who,
        "values": {str(value): word for value, word in one.values.items()},
        "kvm": kvm,
        "source": one.see,
    }


def _register_object(one: Register) -> dict[str, Any]:
    return {
        "row": "register",
        "name": one.name,
        "encoding": list(one.encoding),
        "kvm_id": f"{one.kvm_id:#018x}",
        "view": one.view,
        "scope": one.scope,
        "fields": [field.subject for field in one.fields],
        "source": one.see,
    }


def _spelled_object(one: SpelledRegister) -> dict[str, Any]:
    return {
        "row": "kvm-register",
        "name": one.name,
        "group": one.group,
        "encoding": None if one.encoding is None else list(one.encoding),
        "kvm_id": f"{one.kvm_id:#018x}",
        "listed": one.listed,
        "fact": FACT_REGISTERS.get(one.name),
        "source": "Arm DDI 0487, system register encodings" if one.encoding is not None else _KVM,
    }
