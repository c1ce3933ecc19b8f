"""The post-condition of levelling, checked every time, and Arm's rules of forms that are never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.arch import (
    Catalogue,
    Cmp,
    Expr,
    Feat,
    Implies,
    Rule,
    check_rules,
    evaluate,
    features_of,
    known_of,
    leaves,
    mentioned,
)
from armlevel.engine.fields.bundles import register_outcome
from armlevel.engine.findings import Finding
from armlevel.engine.names import EVERY_HOST, register_of
from armlevel.engine.reasons import Reason, from_row
from armlevel.engine.subjects import about_register, about_rule
from armlevel.engine.values import NOT_RECORDED, RegisterValue, State
from armlevel.profile import Offer

__all__ = ["newly_broken", "unkept"]


_NOT_KEPT = Reason("levelled-not-kept")
_SILENT = Reason("some-value-not-recorded")  # of a register without any field; fields have a domain


def unkept(
    registers: Mapping[str, int],
    kinds: Mapping[str, tuple[Offer | None, ...]],
    catalogue: Catalogue,
    differing: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Return a conflict for each levelled register that some kind of host would not keep, but for ``differing`` fields.

    Choice and closure stay inside the domains, so there is none; a levelled CPU that a host refuses would
    kill a guest, and so this is looked at whatever else is believed.
    """
    return [
        Finding(
            about_register(register),
            "registers",
            "unknown" if offer is None else "stops",
            needs=(RegisterValue(value),),
            offers=((EVERY_HOST, NOT_RECORDED if offer is None else State(outcome)),),
            because=(_SILENT if offer is None else _NOT_KEPT,),
        )
        for register, value in registers.items()
        for offer in kinds.get(register, ())
        if (
            outcome := register_outcome(offer, register, value, catalogue, differing)
            if offer is not None
            else "unknown"
        )
        != "same"
    ]


def newly_broken(
    registers: Mapping[str, int], offers: Sequence[Offer], catalogue: Catalogue
) -> list[Finding]:
    """Return a finding for each of Arm's rules, of any form, that the levelled CPU breaks and none of its hosts does.

    It is a ``risk``; a ``note`` where all that is missing could be used at EL2 or EL3 only.
    """
    suspects = list(check_rules(catalogue, registers).broken)
    seen: set[tuple[int | None, ...]] = set()
    about = sorted(
        {register_of(subject) for rule in suspects for subject in _fields_of(rule.expr, catalogue)}
    )
    for offer in offers:
        key = tuple(offer.limits.get(register) for register in about)
        if not suspects or key in seen:
            continue
        seen.add(key)
        known: dict[str, int | bool] = dict(known_of(catalogue, offer.limits))
        known.update((n, t) for n, t in features_of(catalogue, offer.limits).items() if t is not None)
        suspects = [rule for rule in suspects if evaluate(rule.expr, known) is not False]
    return [_rule_finding(rule, catalogue) for rule in suspects]


def _fields_of(expr: Expr, catalogue: Catalogue) -> set[str]:
    # Every field an expression leans on, through the conditions and guards of the features it names.
    fields: set[str] = set()
    waiting = [expr]
    names: set[str] = set()
    while waiting:
        for leaf in leaves(waiting.pop()):
            if isinstance(leaf, Cmp):
                fields.add(leaf.field)
            elif leaf.name in catalogue.features and leaf.name not in names:
                names.add(leaf.name)
                waiting += [part for pair in catalogue.features[leaf.name].announced for part in pair]
    return fields


def _rule_finding(rule: Rule, catalogue: Catalogue) -> Finding:
    then = rule.expr.then if isinstance(rule.expr, Implies) else rule.expr
    direct = {
        subject
        for leaf in leaves(then)
        for condition in (
            catalogue.features[leaf.name].conditions
            if isinstance(leaf, Feat) and leaf.name in catalogue.features
            else ()
        )
        for subject in mentioned(condition)
    } | mentioned(then)
    above_guest = bool(direct) and all(catalogue.fields[subject].who in ("el2", "el3") for subject in direct)
    return Finding(
        about_rule(rule.about),
        "registers",
        "note" if above_guest else "risk",
        because=(from_row(rule.text, code="arm-rule"),),
    )
