"""What a person asks of a baseline beyond what the hosts can do, and the values that hide a feature."""

from __future__ import annotations

from armlevel.arch import Catalogue, Expr, Feature, Field, Or, evaluate, mentioned
from armlevel.errors import UsageError
from armlevel.profile.policy import SAME_IMPDEF, WEAKER_MITIGATION, Policy

__all__ = ["SAME_IMPDEF", "WEAKER_MITIGATION", "Policy", "hidden_values"]


def hidden_values(feature: Feature, catalogue: Catalogue) -> dict[str, frozenset[int]]:
    """Return, for each field that announces ``feature``, the values that hide it.

    Raises:
        UsageError: no ID register field announces it, or only several fields together do.

    """
    if not feature.conditions:
        raise UsageError(
            f"{feature.name} cannot be hidden: no ID register field announces it",
            hint="ask `armlevel facts` what announces a feature",
        )
    hidden: dict[str, frozenset[int]] = {}
    for condition in feature.conditions:
        for single in _alternatives(condition, feature):
            (subject,) = mentioned(single)
            where = catalogue.fields[subject]
            clear = frozenset(v for v in _all_values(where) if evaluate(single, {subject: v}) is False)
            hidden[subject] = hidden.get(subject, clear) & clear
    return hidden


def _all_values(where: Field) -> range:
    return range(1 << min(where.width, 8))


def _alternatives(condition: Expr, feature: Feature) -> tuple[Expr, ...]:
    # Every alternative of an Or must fail for the whole to fail; an And over several fields has no one answer.
    if isinstance(condition, Or):
        return tuple(part for side in condition.parts for part in _alternatives(side, feature))
    fields = sorted(mentioned(condition))
    if len(fields) != 1:
        raise UsageError(
            f"{feature.name} is announced by {' and '.join(fields) or 'another feature'} together",
            hint="pin one of these fields instead, for instance --pin "
            + (f"{fields[0]}=0" if fields else "REG.FIELD=0"),
        )
    return (condition,)
