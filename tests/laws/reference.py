"""What the engine must answer, said again in the plainest way: nothing here is shared with the engine.

Slow and short on purpose. The laws, the oracle and the mutants measure the engine against this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from armlevel.arch import Field, FieldRule
from armlevel.profile import Accepts, Offer


def rank(field: Field, value: int) -> int | None:
    """Where a value stands; None for a field without an order."""
    kind, listing = field.order.kind, field.order.listing
    if kind == "exact":
        return None
    if kind == "signed":
        half = 1 << (field.width - 1)
        return (value ^ half) - half
    if kind == "inverted":
        return -value
    if kind == "list":
        return listing.index(value) if value in listing else len(listing) + value
    return value


def above(field: Field, value: int, limit: int) -> bool:
    """Whether a value promises more than a limit."""
    ours, theirs = rank(field, value), rank(field, limit)
    return ours is not None and theirs is not None and ours > theirs


def reaches(field: Field, value: int, threshold: int) -> bool:
    """Whether a value is at least a threshold."""
    ours, theirs = rank(field, value), rank(field, threshold)
    assert ours is not None
    assert theirs is not None
    return ours >= theirs


def keeps(rule: FieldRule, values: Mapping[str, int], fields: Mapping[str, Field]) -> bool:
    """Whether values keep a rule; a rule about an absent field says nothing."""
    if rule.field not in values or rule.then not in values:
        return True
    premise = reaches(fields[rule.field], values[rule.field], rule.at_least)
    return not premise or reaches(fields[rule.then], values[rule.then], rule.then_at_least)


def accepts(offer: Offer, field: Field) -> Accepts:
    """What a host does with each value; its limit is always taken."""
    limit = field.get(offer.limits[field.register])
    given = offer.accepts.get(field.subject)
    if given is None:
        return Accepts.of({limit}, others="refused" if offer.default == "limit-only" else "unknown")
    if given.values is None:
        return given
    return Accepts(given.values | {limit}, given.changed, given.unsure, given.others)


def candidates(field: Field, offers: Sequence[Offer]) -> list[int]:
    """Every value that all hosts keep, none above a limit, architected or somebody's limit; worst first."""
    if any(field.register not in offer.limits for offer in offers):
        return []
    limits = [field.get(offer.limits[field.register]) for offer in offers]
    kept = [accepts(offer, field).values for offer in offers]
    if field.width > 4 and all(values is None for values in kept):  # too many to be told one by one
        return sorted(_not_above(field, set(limits), limits), key=lambda value: _place(field, value))
    fit = {
        value
        for value in range(1 << field.width)
        if all(values is None or value in values for values in kept)
        and (not field.values or value in field.values or value in limits)
    }
    return sorted(_not_above(field, fit, limits), key=lambda value: _place(field, value, limits))


def _not_above(field: Field, values: Iterable[int], limits: Sequence[int]) -> list[int]:
    return [value for value in values if not any(above(field, value, limit) for limit in limits)]


def _place(field: Field, value: int, limits: Sequence[int] = ()) -> tuple[int, int, int]:
    # Without an order, some host's own limit is better than others, and a smaller number than a larger.
    ranked = rank(field, value)
    return (ranked or 0, value in limits, -value)


def enforced(
    rules: Iterable[FieldRule], fields: Mapping[str, Field], offers: Sequence[Offer]
) -> list[FieldRule]:
    """The rules that are about these fields and that not every host breaks by itself."""
    return [
        rule
        for rule in rules
        if rule.field in fields and rule.then in fields and not _all_break(rule, fields, offers)
    ]


def _all_break(rule: FieldRule, fields: Mapping[str, Field], offers: Sequence[Offer]) -> bool:
    answers = [keeps(rule, limits_of(offer, fields), fields) for offer in offers]
    return not any(answers)


def limits_of(offer: Offer, fields: Mapping[str, Field]) -> dict[str, int]:
    """The limit of each field, as far as the offer has its register."""
    return {
        name: field.get(offer.limits[field.register])
        for name, field in fields.items()
        if field.register in offer.limits
    }


def best(
    options: Mapping[str, Sequence[int]], rules: Iterable[FieldRule], fields: Mapping[str, Field]
) -> dict[str, int]:
    """The greatest values among ``options`` that keep every rule whose premise can be left, by trying all."""
    names = list(options)
    asked = [
        rule
        for rule in rules
        if rule.field in options
        and rule.then in options
        and any(not reaches(fields[rule.field], value, rule.at_least) for value in options[rule.field])
    ]
    every = (dict(zip(names, some, strict=True)) for some in product(*options.values()))
    found = [values for values in every if all(keeps(rule, values, fields) for rule in asked)]
    return {name: max((values[name] for values in found), key=options[name].index) for name in names}
