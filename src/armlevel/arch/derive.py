"""What follows between fields from Arm's rules between features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from armlevel.arch.catalogue import Catalogue
from armlevel.arch.expr import And, Cmp, Expr, Feat, Implies, Or, evaluate, leaves, mentioned
from armlevel.arch.model import Field
from armlevel.arch.rules import Feature, FieldRule

__all__ = ["field_rules", "threshold"]

#: Guards that only say at which exception level a register can be read.
LEVELS = frozenset(f"FEAT_{state}EL{level}" for state in ("", "AA64", "AA32") for level in range(4))


def threshold(field: Field, condition: Expr) -> int | None:
    """Return the value from which on ``condition`` holds in the field's order; None if it is no such threshold.

    ``UInt(PMUVer) >= 4 & UInt(PMUVer) < 15`` is one: in PMUVer's order 15 comes first.
    """
    if not field.order.total or field.width > 8:
        return None
    ranked = sorted(range(1 << field.width), key=lambda value: (field.rank(value), value))
    holds = [evaluate(condition, {field.subject: value}) is True for value in ranked]
    first = holds.index(True) if True in holds else 0
    if not any(holds) or not all(holds[first:]) or first == 0:
        return None
    return next((value for value in ranked[first:] if field.architected(value)), None)


@dataclass(frozen=True, slots=True)
class _Announced:
    # One feature's threshold in one field; `guard` is what else must hold beside exception levels ("" if nothing).
    field: Field
    at_least: int
    guard: str


def field_rules(catalogue: Catalogue) -> tuple[FieldRule, ...]:
    """Derive every rule ``A >= x -> B >= y`` between fields of one view.

    It follows from ``FEAT_A -> FEAT_B`` where a field announces each, and from one feature that two fields announce;
    ``&`` on the right and ``|`` on the left are split. Nothing is derived through a version, within one field, or
    where a guard (``FEAT_SVE`` for ID_AA64ZFR0_EL1) may be false while the conclusion is asked for.
    """
    announced = {name: tuple(_announced(one, catalogue)) for name, one in catalogue.features.items()}
    pairs = [pair for rule in catalogue.rules for pair in _pairs(rule.expr)]
    pairs += [(name, name) for name, places in announced.items() if len(places) > 1]
    found: dict[tuple[str, int, str], FieldRule] = {}
    for left, right in pairs:
        for one in announced.get(left, ()):
            for other in announced.get(right, ()):
                if _follows(one, other, catalogue):
                    rule = FieldRule(
                        one.field.subject, one.at_least, other.field.subject, other.at_least, (left, right)
                    )
                    key = (rule.field, rule.at_least, rule.then)
                    if key not in found or _rank(other.field, rule) > _rank(other.field, found[key]):
                        found[key] = rule
    return tuple(found.values())


def _rank(field: Field, rule: FieldRule) -> int:
    rank = field.rank(rule.then_at_least)
    assert rank is not None  # a threshold exists only in an order
    return rank


def _follows(one: _Announced, other: _Announced, catalogue: Catalogue) -> bool:
    if one.field is other.field or _view(catalogue, one.field) != _view(catalogue, other.field):
        return False
    if one.guard and one.field.compare(0, one.at_least) in ("same", "more"):
        return False  # where the guard is false the field reads 0 and announces nothing
    return not other.guard or other.guard == one.guard


def _announced(feature: Feature, catalogue: Catalogue) -> Iterator[_Announced]:
    for guard, condition in feature.announced:
        named = mentioned(condition)
        if len(named) == 1 and all(isinstance(leaf, Cmp) for leaf in leaves(condition)):
            field = catalogue.fields[next(iter(named))]
            value = threshold(field, condition)
            beside = {
                leaf.name for leaf in leaves(guard) if isinstance(leaf, Feat) and leaf.name not in LEVELS
            }
            if value is not None:
                yield _Announced(field, value, " ".join(sorted(beside)))


def _view(catalogue: Catalogue, field: Field) -> str:
    return catalogue.registers[field.register].view


def _pairs(expr: Expr) -> Iterator[tuple[str, str]]:
    if not isinstance(expr, Implies):
        return
    left = expr.when.parts if isinstance(expr.when, Or) else (expr.when,)
    right = expr.then.parts if isinstance(expr.then, And) else (expr.then,)
    for one in left:
        for other in right:
            if isinstance(one, Feat) and isinstance(other, Feat):
                yield one.name, other.name
