"""Domains: what every host of a set does with each value of a field, and their intersection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_

from armlevel.arch import Catalogue, Field, Order, Register
from armlevel.engine.fields.distinct import DistinctAnswers
from armlevel.profile import Accepts, Offer

__all__ = [
    "NOTHING_KNOWN",
    "Domain",
    "Space",
    "accepts_of",
    "domain_of",
    "fields_of",
    "kinds_of",
    "raw_field",
    "space_of",
    "space_of_kinds",
    "subjects_of",
]

# Fields up to this width are enumerated; wider ones are known by the values that rows and probes name.
_ENUMERATED = 8
# Fields up to this width are tried value by value; "any" is each of them.
_TRIED_WHOLE = 4


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of one field that a set of hosts keeps as written.

    ``certain`` kept by every host (None: any value)
    ``possible``kept by every host for all that is known; a superset of ``certain`` (None: any value)
    ``limits``  the limits of the hosts: a levelled value is never above one of them

    ``&`` is what both sets of hosts keep; it is associative, commutative and idempotent. ``<=`` is its order: one
    domain keeps no more than the other. ``in`` asks for a value that every host certainly keeps.

    >>> a = Domain(frozenset({0, 1}), frozenset({0, 1}), frozenset({1}))
    >>> b = Domain(frozenset({1, 2}), frozenset({1, 2}), frozenset({2}))
    >>> a & b == b & a == Domain(frozenset({1}), frozenset({1}), frozenset({1, 2}))
    True
    >>> a & b <= a, a <= b, 1 in a & b, 2 in a & b
    (True, False, True, False)
    """

    certain: frozenset[int] | None
    possible: frozenset[int] | None
    limits: frozenset[int]

    def __and__(self, other: Domain) -> Domain:
        """What both sets of hosts keep."""
        if self is other:
            return self
        return Domain(
            _both(self.certain, other.certain),
            _both(self.possible, other.possible),
            self.limits | other.limits,
        )

    def __le__(self, other: Domain) -> bool:
        """Whether these hosts keep no more than the others, and have all their limits."""
        return self & other == self

    def __contains__(self, value: int) -> bool:
        """Whether every host certainly keeps ``value``."""
        return self.certain is None or value in self.certain

    def only(self, values: Iterable[int]) -> Domain:
        """The same hosts, restricted to ``values`` by a policy."""
        wanted = frozenset(values)
        return Domain(_both(self.certain, wanted), _both(self.possible, wanted), self.limits)


# The domain of a field that nothing was recorded about: no value is sure, every value may be.
NOTHING_KNOWN = Domain(frozenset(), None, frozenset())


def _both(one: frozenset[int] | None, two: frozenset[int] | None) -> frozenset[int] | None:
    if one is None:
        return two
    return one if two is None else one & two


@dataclass(frozen=True, slots=True)
class Space:
    """The domains of all fields of a set of hosts; a field that is absent has ``NOTHING_KNOWN``."""

    domains: Mapping[str, Domain]

    def __and__(self, other: Space) -> Space:
        """The space of both sets of hosts together."""
        subjects = {**self.domains, **other.domains}
        return Space({s: self.get(s) & other.get(s) for s in subjects})

    def get(self, subject: str) -> Domain:
        """The domain of one field."""
        return self.domains.get(subject, NOTHING_KNOWN)


def raw_field(register: str, msb: int = 63, lsb: int = 0) -> Field:
    """Return bits that no row names as a field of their own: carried as they are, exact.

    >>> raw_field("S3_0_C0_C4_3", 27, 24).subject
    'S3_0_C0_C4_3.27:24'
    """
    name = f"{msb}:{lsb}"
    return Field(register, name, msb, lsb, Order("exact"), {}, "identity", name)


def fields_of(catalogue: Catalogue, register: str, values: Collection[int] = ()) -> tuple[Field, ...]:
    """Return the fields of a register.

    Reserved bits that one of ``values`` sets against their row are fields too; of a register that the
    tables do not know, all bits are one field.
    """
    known = catalogue.registers.get(register)
    if known is None:
        return (raw_field(register),)
    if all(value & known.fixed_mask == known.fixed_value for value in values):
        return known.fields
    odd = [
        run
        for run in known.reserved
        if run.value is not None and any(v & run.mask != run.value * run.mask for v in values)
    ]
    return (*known.fields, *(raw_field(register, run.msb, run.lsb) for run in odd))


def subjects_of(catalogue: Catalogue, fields: tuple[Field, ...]) -> tuple[str, ...]:
    """Return the ``REG.FIELD`` of the fields of one register."""
    row = catalogue.registers.get(fields[0].register) if fields else None
    if row is not None and row.fields is fields:
        return row.subjects
    return tuple(field.subject for field in fields)


def accepts_of(offer: Offer, field: Field, limit: int) -> Accepts:
    """What the host's KVM does with the values of ``field``; its limit is always taken."""
    return _with_limit(offer.accepts.get(field.subject), limit, offer.default)


def _with_limit(given: Accepts | None, limit: int, default: str) -> Accepts:
    if given is None:
        return _limit_alone(limit, default)
    if given.values is None or limit in given.values:
        return given
    return Accepts(given.values | {limit}, given.changed, given.unsure, given.others, given.how)


@lru_cache(maxsize=4096)
def _limit_alone(limit: int, default: str) -> Accepts:
    return Accepts.of({limit}, others="refused" if default == "limit-only" else "unknown")


def _domain(accepts: Accepts, field: Field, limit: int) -> Domain:
    return _domain_at(accepts, field.width, limit)


# Few answers of KVM are given for many fields, by many hosts.
@lru_cache(maxsize=8192)
def _domain_at(accepts: Accepts, width: int, limit: int) -> Domain:
    sure = hope = accepts.values
    if sure is None and width <= _TRIED_WHOLE:
        sure = hope = frozenset(range(1 << width))
    if sure is not None and accepts.others == "unknown":
        hope = None
        if width <= _ENUMERATED:
            hope = frozenset(v for v in range(1 << width) if accepts.may_keep(v))
    return Domain(sure, hope, frozenset({limit}))


def domain_of(offer: Offer | None, field: Field) -> Domain:
    """Return the domain of one field on one host; ``NOTHING_KNOWN`` if its register is not recorded."""
    if offer is None or field.register not in offer.limits:
        return NOTHING_KNOWN
    limit = field.get(offer.limits[field.register])
    return _domain(accepts_of(offer, field, limit), field, limit)


def kinds_of(
    offers: Iterable[Offer], catalogue: Catalogue, skip: frozenset[str] = frozenset()
) -> dict[str, tuple[Offer | None, ...]]:
    """Return, for each register outside ``skip``, one offer for each kind of answer; None if a host shows no value.

    Hosts that agree about a register (same limit, same accepted values) are asked once, so the cost of everything
    that follows grows with what differs between hosts and not with their number.
    """
    hosts = list(offers)
    found: dict[str, tuple[Offer | None, ...]] = {}
    names = {tuple(offer.limits) for offer in hosts}
    for register in sorted({name for some in names for name in some} - skip):
        limits = {offer.limits.get(register) for offer in hosts}
        known = {limit for limit in limits if limit is not None}
        answers = DistinctAnswers(subjects_of(catalogue, fields_of(catalogue, register, known)))
        kinds: list[Offer | None] = [None] if None in limits else []
        for offer in hosts:
            limit = offer.limits.get(register)
            if limit is not None and answers.is_new(offer, (limit, offer.default)):
                kinds.append(offer)
        found[register] = tuple(kinds)
    return found


def space_of(offers: Iterable[Offer], catalogue: Catalogue, skip: frozenset[str] = frozenset()) -> Space:
    """Intersect the offers of a set of hosts, field by field, without the registers in ``skip``."""
    return space_of_kinds(kinds_of(offers, catalogue, skip), catalogue)


def space_of_kinds(kinds: Mapping[str, tuple[Offer | None, ...]], catalogue: Catalogue) -> Space:
    """Intersect what ``kinds_of`` found."""
    domains: dict[str, Domain] = {}
    for register, offers in kinds.items():
        shown = {offer.limits[register] for offer in offers if offer is not None}
        fields = fields_of(catalogue, register, shown)
        row = catalogue.registers.get(register)
        if row is not None and row.fields is fields:
            kept = [_domains_on(row, offer) for offer in offers]
        else:
            kept = [tuple(domain_of(offer, field) for field in fields) for offer in offers]
        subjects = subjects_of(catalogue, fields)
        if len(kept) == 1:
            domains.update(zip(subjects, kept[0], strict=True))
            continue
        for subject, *some in zip(subjects, *kept, strict=True):
            domains[subject] = reduce(and_, some) if some else NOTHING_KNOWN
    return Space(domains)


def _domains_on(row: Register, offer: Offer | None) -> tuple[Domain, ...]:
    if offer is None:
        return (NOTHING_KNOWN,) * len(row.fields)
    answers = tuple(map(offer.accepts.get, row.subjects))
    return _domains_of(row, offer.limits[row.name], offer.default, answers)


# One kernel answers for a register as it does on all hosts that show the same in it.
@lru_cache(maxsize=8192)
def _domains_of(
    row: Register, limit: int, default: str, answers: tuple[Accepts | None, ...]
) -> tuple[Domain, ...]:
    domains = []
    for field, given in zip(row.fields, answers, strict=True):
        own = field.get(limit)
        domains.append(_domain(_with_limit(given, own, default), field, own))
    return tuple(domains)
