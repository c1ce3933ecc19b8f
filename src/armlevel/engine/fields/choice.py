"""The choice of one value out of a domain."""

from __future__ import annotations

from functools import lru_cache

from armlevel.arch import Field
from armlevel.engine.fields.domains import Domain

__all__ = ["above", "candidates", "choose"]


def above(field: Field, value: int, limit: int) -> bool:
    """Whether ``value`` is more than ``limit`` in the field's order; values without order are never."""
    ours, theirs = field.rank(value), field.rank(limit)
    return ours is not None and theirs is not None and ours > theirs


@lru_cache(maxsize=8192)
def candidates(field: Field, domain: Domain) -> tuple[int, ...]:
    """Return the values that may be chosen, the most capable first.

    A candidate is kept by every host, above no host's limit, and architected or some host's own limit
    (KVM has bugs that accept more: Linux 6.18 takes PMUVer values above its limit; such a value counts
    for arrival only). Where the order does not tell values apart, a host's own limit comes before
    others and a smaller number before a larger, so that the answer never depends on the order of hosts.
    """
    kept = domain.limits if domain.certain is None else domain.certain
    fit = [
        value
        for value in kept
        if (value in domain.limits or field.architected(value))
        and not any(above(field, value, limit) for limit in domain.limits)
    ]

    def best_first(value: int) -> tuple[int, bool, int]:
        rank = field.rank(value)
        return (0 if rank is None else -rank, value not in domain.limits, value)

    return tuple(sorted(fit, key=best_first))


def choose(field: Field, domain: Domain) -> int | None:
    """Return the most capable candidate; None if there is none."""
    return next(iter(candidates(field, domain)), None)
