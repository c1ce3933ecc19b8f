"""Closure: lowering fields until Arm's rules between them hold.

Every rule has the form A >= x -> B >= y. Where B stays below y, A is lowered to its best candidate
below x. Each such step is monotone and only lowers, so the greatest fixpoint exists, is unique, and
does not depend on the order of the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from armlevel.arch import Field, FieldRule

__all__ = ["Closed", "Lowering", "at_least", "close", "holds"]


@dataclass(frozen=True, slots=True)
class Lowering:
    """One step of the closure: ``field`` went from ``before`` to ``after`` because of ``rule``."""

    field: str
    before: int
    after: int
    rule: FieldRule


@dataclass(frozen=True, slots=True)
class Closed:
    """The values after closure, why they fell, and the rules that no candidate could meet."""

    values: Mapping[str, int]
    steps: tuple[Lowering, ...] = ()
    stuck: tuple[FieldRule, ...] = ()


def at_least(field: Field, value: int, threshold: int) -> bool:
    """Whether ``value`` reaches ``threshold`` in the field's own order."""
    if field.order.kind == "unsigned":
        return value >= threshold
    ours, theirs = field.rank(value), field.rank(threshold)
    return value == threshold if ours is None or theirs is None else ours >= theirs


def holds(rule: FieldRule, values: Mapping[str, int], fields: Mapping[str, Field]) -> bool:
    """Whether ``values`` keep ``rule``; a rule about a field that is absent says nothing."""
    if rule.field not in values or rule.then not in values:
        return True
    if not at_least(fields[rule.field], values[rule.field], rule.at_least):
        return True
    return at_least(fields[rule.then], values[rule.then], rule.then_at_least)


def close(
    start: Mapping[str, int],
    options: Mapping[str, Sequence[int]],
    rules: Iterable[FieldRule],
    fields: Mapping[str, Field],
) -> Closed:
    """Lower ``start`` to the greatest values among ``options`` that keep ``rules``.

    ``options`` holds each field's candidates, the most capable first. A rule whose premise no candidate
    can leave, and whose conclusion fails, ends up in ``stuck``.
    """
    values = dict(start)
    relevant = [rule for rule in rules if rule.field in values and rule.then in values]
    waiting: dict[str, list[FieldRule]] = {}
    for rule in relevant:
        waiting.setdefault(rule.then, []).append(rule)
    steps: list[Lowering] = []
    queue = list(relevant)
    while queue:
        rule = queue.pop()
        if holds(rule, values, fields):
            continue
        field = fields[rule.field]
        below = (v for v in options.get(rule.field, ()) if not at_least(field, v, rule.at_least))
        lower = next(below, None)
        if lower is not None:
            steps.append(Lowering(rule.field, values[rule.field], lower, rule))
            values[rule.field] = lower
            queue.extend(waiting.get(rule.field, ()))
    stuck = tuple(rule for rule in relevant if not holds(rule, values, fields))
    return Closed(values, tuple(steps), stuck)
