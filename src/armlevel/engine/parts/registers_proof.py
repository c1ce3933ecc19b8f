"""The post-condition of levelling, checked every time, and Arm's rules of forms that are never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from armlevel.arch import (
    Catalogue,
    Feat,
    Implies,
    Rule,
    broken_among,
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


# So many hosts are asked whether a rule stands there as it does levelled: to evaluate it costs less than to ask all.
_LOOKED_AT = 3
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
    known = known_of(catalogue, registers)
    left = list(catalogue.rules_by_fields)
    for offer in offers[:_LOOKED_AT]:
        # A rule whose fields all stand as on some host is broken there too, or nowhere.
        theirs = known_of(catalogue, offer.limits)
        differing = {one for one in known.keys() | theirs.keys() if known.get(one) != theirs.get(one)}
        left = [(rule, fields) for rule, fields in left if not fields.isdisjoint(differing)]
    suspects = broken_among(catalogue, (rule for rule, _ in left), registers)
    names = _registers_of((rule, fields) for rule, fields in left if rule in suspects)
    for own in {tuple(map(offer.limits.get, names)) for offer in offers} if suspects else ():
        broken = broken_among(catalogue, suspects, _shown(names, own))
        suspects = [rule for rule in suspects if rule not in broken]
    return [_rule_finding(rule, catalogue) for rule in suspects]


def _registers_of(rules: Iterable[tuple[Rule, frozenset[str]]]) -> tuple[str, ...]:
    return tuple(sorted({register_of(one) for _, fields in rules for one in fields}))


def _shown(names: Sequence[str], values: Sequence[int | None]) -> dict[str, int]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


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
