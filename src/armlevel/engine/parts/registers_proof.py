"""The post-condition of levelling, checked every time, and Arm's rules of forms that are never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from armlevel.engine.names import EVERY_HOST
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
    known = known_of(catalogue, registers)
    hosts = list({tuple(offer.limits.items()): offer.limits for offer in offers}.values())
    left = list(catalogue.rules_by_fields)
    for limits in hosts:
        # A rule whose fields all stand as on some host is broken there too, or nowhere.
        theirs = known_of(catalogue, limits)
        differing = {one for one in known.keys() | theirs.keys() if known.get(one) != theirs.get(one)}
        left = [(rule, fields) for rule, fields in left if not fields.isdisjoint(differing)]
        if not left:
            return []
    suspects = broken_among(catalogue, (rule for rule, _ in left), registers)
    for limits in hosts:
        broken = broken_among(catalogue, suspects, limits)
        suspects = [rule for rule in suspects if rule not in broken]
    return [_rule_finding(rule, catalogue) for rule in suspects]


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
