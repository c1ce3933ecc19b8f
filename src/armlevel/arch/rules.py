"""What Arm says between features: conditions, rules, versions; and what a set of register values makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

from armlevel.arch.expr import Cmp, Expr, Feat, Implies, evaluate, leaves
from armlevel.arch.model import Register

__all__ = [
    "KINDS",
    "Feature",
    "FieldRule",
    "Hwcap",
    "Part",
    "Rule",
    "RuleReport",
    "SetAside",
    "Version",
    "broken_among",
    "check_rules",
    "features_of",
    "fields_behind",
    "known_of",
]

#: What a rule says. requires: FEAT_ needs FEAT_; version: FEAT_ needs a version; mandatory: a version brings FEAT_;
#: excludes: two do not go together; condition: FEAT_ and field; other: any other form.
KINDS = ("requires", "version", "mandatory", "excludes", "condition", "other")


@dataclass(frozen=True, slots=True)
class Feature:
    """A ``FEAT_`` name and the field conditions that announce it.

    ``announced`` has (guard, condition) pairs: where the guard is true the feature is there if and only if the
    condition is. The first is the AArch64 one, if any; ``registers`` are all that the conditions name.
    """

    name: str
    announced: tuple[tuple[Expr, Expr], ...]
    registers: tuple[str, ...]
    see: str = ""

    @property
    def guard(self) -> Expr | None:
        """What must hold for :attr:`condition` to say anything."""
        return self.announced[0][0] if self.announced else None

    @property
    def condition(self) -> Expr | None:
        """The first condition."""
        return self.announced[0][1] if self.announced else None

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """Every condition, without its guard."""
        return tuple(condition for _guard, condition in self.announced)


@dataclass(frozen=True, slots=True)
class Rule:
    """One of Arm's constraints that speaks of our fields alone; ``about`` is the feature or version it stands under."""

    text: str
    expr: Expr
    kind: str
    about: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class SetAside:
    """One of Arm's constraints that is not kept, with the reason; ``text`` names it in our words."""

    about: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where ``field`` is at least ``at_least``, ``then`` is at least ``then_at_least``; both by rank in their order.

    ``because`` is the pair of features whose rule this is: the first, announced by ``field``, requires the second.
    """

    field: str
    at_least: int
    then: str
    then_at_least: int
    because: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.field} >= {self.at_least} -> {self.then} >= {self.then_at_least}"


@dataclass(frozen=True, slots=True)
class Version:
    """An architecture version: the versions it includes, and what it makes mandatory (features, or rule texts)."""

    name: str
    includes: tuple[str, ...]
    mandates: tuple[str, ...]
    mandates_if: tuple[str, ...]
    see: str = ""


@dataclass(frozen=True, slots=True)
class Hwcap:
    """A capability bit that Linux shows to programs, and the field condition it stands for.

    ``condition`` is None where no ID register decides.

    >>> Hwcap("HWCAP2_SME_I16I64", None).flag
    'smei16i64'
    """

    name: str
    condition: Expr | None
    see: str = ""

    @property
    def flag(self) -> str:
        """The word that ``/proc/cpuinfo`` shows under ``Features``."""
        return self.name.partition("_")[2].replace("_", "").lower()


@dataclass(frozen=True, slots=True)
class Part:
    """A core: implementer and part number of MIDR_EL1, and the name it is sold or known under."""

    implementer: int
    part: int
    name: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class RuleReport:
    """How register values stand to Arm's rules.

    ``evaluated`` counts the rules with an answer, ``premise_true`` those of them whose left side holds (a rule without
    a left side always counts), ``broken`` has the rules that do not hold.
    """

    evaluated: int
    premise_true: int
    broken: tuple[Rule, ...]


class _Facts(Protocol):
    # The parts of a Catalogue that the questions below need.
    @property
    def registers(self) -> Mapping[str, Register]: ...
    @property
    def features(self) -> Mapping[str, Feature]: ...
    @property
    def rules(self) -> tuple[Rule, ...]: ...


def known_of(facts: _Facts, registers: Mapping[str, int]) -> dict[str, int]:
    """Return every field of ``registers`` by ``REG.FIELD``; a register no row knows is left out."""
    known: dict[str, int] = {}
    rows = facts.registers
    for name, value in registers.items():
        if (row := rows.get(name)) is not None:
            known.update(_decoded(row, value))
    return known


# Hosts of a fleet show the same registers with few values, and one answer asks for each several times.
@lru_cache(maxsize=16384)
def _decoded(register: Register, value: int) -> Mapping[str, int]:
    return MappingProxyType({one.subject: one.get(value) for one in register.fields})


def fields_behind(facts: _Facts, exprs: Iterable[Expr]) -> list[frozenset[str]]:
    """Return, for each expression, every ``REG.FIELD`` that it leans on, also through the features that it names."""
    of_feature: dict[str, list[Feat | Cmp]] = {}

    def behind(expr: Expr) -> frozenset[str]:
        fields: set[str] = set()
        names: set[str] = set()
        waiting = list(leaves(expr))
        while waiting:
            leaf = waiting.pop()
            if isinstance(leaf, Cmp):
                fields.add(leaf.field)
            elif leaf.name in facts.features and leaf.name not in names:
                names.add(leaf.name)
                if leaf.name not in of_feature:
                    pairs = facts.features[leaf.name].announced
                    of_feature[leaf.name] = [one for pair in pairs for part in pair for one in leaves(part)]
                waiting += of_feature[leaf.name]
        return frozenset(fields)

    return [behind(expr) for expr in exprs]


def features_of(facts: _Facts, registers: Mapping[str, int]) -> dict[str, bool | None]:
    """Tell for each feature whether ``registers`` announce it: yes, no, or None where they do not say.

    A feature follows from its field conditions alone, and only under a guard that is true; never from a rule or a
    version. A register that is absent is unknown.
    """
    known: dict[str, int | bool] = dict(known_of(facts, registers))
    waiting = [one for one in facts.features.values() if one.announced]
    while True:  # guards and conditions name other features; a few rounds settle it
        unsettled = []
        for one in waiting:
            truth = _announced(one, known)
            if truth is None:
                unsettled.append(one)
            else:
                known[one.name] = truth
        if len(unsettled) == len(waiting):
            break
        waiting = unsettled
    return {name: bool(known[name]) if name in known else None for name in facts.features}


def _announced(one: Feature, known: Mapping[str, int | bool]) -> bool | None:
    for guard, condition in one.announced:
        if evaluate(guard, known):
            truth = evaluate(condition, known)
            if truth is not None:
                return truth
    return None


def broken_among(facts: _Facts, rules: Iterable[Rule], registers: Mapping[str, int]) -> list[Rule]:
    """Return the rules of some that do not hold of ``registers``, three-valued as :func:`check_rules` is."""
    if not (rules := list(rules)):
        return []
    known = _with_features(facts, registers)
    return [rule for rule in rules if evaluate(rule.expr, known) is False]


def _with_features(facts: _Facts, registers: Mapping[str, int]) -> dict[str, int | bool]:
    known: dict[str, int | bool] = dict(known_of(facts, registers))
    known.update((name, truth) for name, truth in features_of(facts, registers).items() if truth is not None)
    return known


def check_rules(facts: _Facts, registers: Mapping[str, int]) -> RuleReport:
    """Evaluate every rule on ``registers``, three-valued; versions are never derived, so rules on them say nothing."""
    known = _with_features(facts, registers)
    evaluated = premise_true = 0
    broken = []
    for rule in facts.rules:
        truth = evaluate(rule.expr, known)
        if truth is None:
            continue
        evaluated += 1
        premise_true += not isinstance(rule.expr, Implies) or evaluate(rule.expr.when, known) is True
        if not truth:
            broken.append(rule)
    return RuleReport(evaluated, premise_true, tuple(broken))
