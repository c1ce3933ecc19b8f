"""What a person asks of a baseline beyond what the hosts can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.arch import Catalogue, Expr, Feature, Field, Or, evaluate, mentioned
from armlevel.errors import UsageError
from armlevel.profile import Implementation

__all__ = ["SAME_IMPDEF", "WEAKER_MITIGATION", "Policy", "hidden_values"]

#: What a guest profile records under ``tolerates`` besides classes of fields.
SAME_IMPDEF = "assume-same-impdef"
WEAKER_MITIGATION = "accept-weaker-mitigation"


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices of a person; all of them are recorded in the result.

    ``without``  shape features to do without;  ``hide`` / ``require``  FEAT_ names
    ``pins``     ``REG.FIELD`` -> the value it must have
    ``implementation``                   the implementation to show; None for the lowest among the hosts
    ``also_targets``               implementations of hosts to come: the guest's list of targets is fixed at boot
    ``assume_same_impdef``         take IMPLEMENTATION DEFINED pointer authentication of different cores for the same
    ``accept_weaker_mitigation``   let a guest arrive where a workaround level is lower than it was told at boot
    ``tolerate``                   classes of fields, and ``REG.FIELD`` names, that may differ between the hosts
    """

    without: frozenset[str] = frozenset()
    hide: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    pins: Mapping[str, int] = field(default_factory=dict)
    implementation: Implementation | None = None
    also_targets: tuple[Implementation, ...] = ()
    assume_same_impdef: bool = False
    accept_weaker_mitigation: bool = False
    tolerate: tuple[str, ...] = ()

    @property
    def recorded(self) -> tuple[str, ...]:
        """What weakens a profile made under this policy, needed or not; tolerances are recorded where needed."""
        return tuple(
            name
            for name, given in (
                (WEAKER_MITIGATION, self.accept_weaker_mitigation),
                (SAME_IMPDEF, self.assume_same_impdef),
            )
            if given
        )


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
