"""A certain no of a field that is not recorded on one side, or on both: by cores and capabilities.

It only ever adds a refusal. What is not recorded stays unknown besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from armlevel.arch import Catalogue, Field, release_numbers
from armlevel.engine.case import Case
from armlevel.engine.causes import cause_between
from armlevel.engine.fields.conflicts import by_kind, minimal_sets
from armlevel.engine.fields.domains import accepts_of, domain_of
from armlevel.engine.fields.partial import is_spoken_of, lacks, may_keep, possible_limits
from armlevel.engine.fields.tolerance import tolerance_remedy, tolerated_of
from armlevel.engine.findings import Cause, Finding, Remedy
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.policy import Policy
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_field
from armlevel.engine.values import ANY, FieldValues, Value, offered
from armlevel.profile import Host, Offer, Shape

__all__ = [
    "certain_conflicts",
    "guest_possible",
    "is_never_taken",
    "judge_certain",
    "kept_by",
    "says_all",
    "why_never",
]

Values = frozenset[int] | None


def judge_certain(case: Case) -> list[Finding]:
    """Return the fields that no kernel keeps there as the guest has them, whatever it and the host exactly have.

    What is recorded on both sides is judged with all other fields.
    """
    return [
        Finding(
            about_field(field.subject),
            "registers",
            "stops",
            (_shown(field, wanted),),
            offered((case.host.name, _shown(field, kept))),
            _cause(case),
            because=why_never(field, [case.host], case.catalogue, wanted),
        )
        for field, wanted, kept in _partly_recorded(case)
        if not wanted & kept
    ]


def guest_possible(host: Host, offer: Offer, catalogue: Catalogue) -> Mapping[str, frozenset[int]]:
    """Return what a guest that nobody changes may be shown of fields that the offer does not have."""
    if _whole(offer.limits, catalogue):
        return {}
    limits = possible_limits(host, catalogue)
    return {one: some for one, some in limits.items() if catalogue.fields[one].register not in offer.limits}


def certain_conflicts(
    offers: Sequence[tuple[str, Offer]], hosts: Sequence[Host], catalogue: Catalogue, policy: Policy
) -> list[Finding]:
    """Return a conflict for each field that some host did not record and that has no value for all of them."""
    if all(says_all(offer, catalogue) for _, offer in offers):
        return []
    shape = offers[0][1].shape
    free = tolerated_of(policy.tolerate, catalogue, shape)
    findings: list[Finding] = []
    for subject in catalogue.certain.keeps:
        field = catalogue.fields[subject]
        if subject not in free and any(_open(offer, field) for _, offer in offers):
            kept = {
                host.name: kept_by(host, offer, field, catalogue)
                for host, (_, offer) in zip(hosts, offers, strict=True)
            }
            findings += _conflict(field, kept, hosts, catalogue, shape)
    return findings


def _conflict(
    field: Field, kept: Mapping[str, Values], hosts: Sequence[Host], catalogue: Catalogue, shape: Shape
) -> Iterator[Finding]:
    kinds = by_kind(list(kept), kept.__getitem__)
    if _agree(list(kinds)):
        return
    sets = minimal_sets(kinds, _agree)
    tolerance = tolerance_remedy(field.subject, catalogue, shape)
    fewest = min((names for some, names in kinds.items() if some is not None), key=len)
    against = [host for host in hosts if any(host.name in some for some in sets)]
    yield Finding(
        about_field(field.subject),
        "registers",
        "stops",
        offers=offered(*((name, _shown(field, some)) for name, some in kept.items() if some is not None)),
        cause=cause_between(against),
        because=why_never(field, against, catalogue),
        remedies=(*((tolerance,) if tolerance else ()), Remedy("leave-out", hosts=hosts_of(fewest))),
        sets=tuple(map(hosts_of, sets)),
    )


def _agree(some: Sequence[Values]) -> bool:
    known = [values for values in some if values is not None]
    return not known or bool(frozenset.intersection(*known))


def _shown(field: Field, values: Values) -> Value:
    # Of what may be there, what the architecture has a meaning for, if any.
    if values is None:
        return ANY
    return FieldValues(tuple(sorted({v for v in values if field.architected(v)} or values)))


def says_all(offer: Offer, catalogue: Catalogue) -> bool:
    """Whether an offer records every field that rows speak of, and what is kept of it."""
    return _whole(offer.limits, catalogue) and offer.default != "unknown"


def kept_by(host: Host, offer: Offer, field: Field, catalogue: Catalogue) -> Values:
    """Return every value of a field that a host may keep, as recorded or by what every kernel does; None: any."""
    if field.register not in offer.limits:
        limits = possible_limits(host, catalogue).get(field.subject)
        if limits is None:
            return None
        return may_keep(field, limits, catalogue, spoken_of=is_spoken_of(host, catalogue))
    possible = domain_of(offer, field).possible
    if not _open(offer, field) or not is_spoken_of(host, catalogue):
        return possible
    kept = may_keep(field, {field.get(offer.limits[field.register])}, catalogue)
    return kept if possible is None else kept & possible


def _open(offer: Offer, field: Field) -> bool:
    # Whether it is not known what the host's KVM keeps of a field.
    if field.register not in offer.limits:
        return True
    domain = domain_of(offer, field)
    return domain.certain != domain.possible


def _partly_recorded(case: Case) -> Iterator[tuple[Field, frozenset[int], frozenset[int]]]:
    # What the guest may have and what may be kept there, of each field that is recorded on one side at most.
    registers, catalogue = case.guest.registers, case.catalogue
    if _whole(registers, catalogue) and _whole(case.offer.limits, catalogue):
        return
    limits = possible_limits(case.host, catalogue)
    spoken_of = is_spoken_of(case.host, catalogue)
    for subject in catalogue.certain.keeps:
        field = catalogue.fields[subject]
        name = field.register
        if subject in case.tolerated or (name in registers and name in case.offer.limits):
            continue
        wanted = (
            frozenset({field.get(registers[name])}) if name in registers else case.guest.possible.get(subject)
        )
        if not wanted:
            continue
        if name in case.offer.limits:
            top = field.get(case.offer.limits[name])
            # A value that is changed does arrive.
            taken = frozenset(value for value in wanted if not is_never_taken(case, field, value))
            yield field, wanted, taken or frozenset({top})
        elif subject in limits:
            yield field, wanted, may_keep(field, limits[subject], catalogue, spoken_of=spoken_of)


def is_never_taken(case: Case, field: Field, value: int) -> bool:
    """Whether a host refuses a value of a field that it shows, as recorded, or because every kernel does."""
    limit = field.get(case.offer.limits[field.register])
    outcome = accepts_of(case.offer, field, limit).outcome(value)
    if outcome != "unknown":
        return outcome == "refused"
    # What a kernel that nobody measured makes of its limit is not known.
    said = field.subject in case.catalogue.certain.keeps and is_spoken_of(case.host, case.catalogue)
    return said and value not in may_keep(field, {limit}, case.catalogue)


def _whole(values: Mapping[str, int], catalogue: Catalogue) -> bool:
    return values.keys() >= catalogue.certain.registers


def _cause(case: Case) -> Cause:
    shown = case.guest.implementation
    if shown is None or not case.host.implementations:
        return "not known"
    same = {shown.shown.same_as(one) for one in case.host.implementations}
    return "silicon" if same == {False} else "not known"


def why_never(
    field: Field, hosts: Sequence[Host], catalogue: Catalogue, wanted: Values = None
) -> tuple[Reason, ...]:
    """Return why no kernel of these hosts keeps another value of a field, or a higher one.

    Where one is not recorded that is said, unless the CPUs lack what is ``wanted`` under any kernel.
    """
    if not all(is_spoken_of(host, catalogue) for host in hosts):
        return (Reason("cpus-lack-it"),)
    until = (Name(".".join(map(str, catalogue.certain.until))),)
    keeps = catalogue.certain.keeps[field.subject]
    why = Reason("no-kernel-changes" if keeps == "limit" else "no-kernel-raises", until)
    recorded = all(release_numbers(host.software.kernel) for host in hosts)
    lacking = wanted is not None and all(lacks(host, field, wanted, catalogue) for host in hosts)
    return (why,) if recorded or lacking else (why, Reason("kernel-may-be-newer", until))
