"""Levelling the ID register fields: domains, policy, choice, closure, and each conflict with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from operator import and_

from armlevel.arch import Catalogue, Coupling, Field, FieldRule, features_of
from armlevel.engine.causes import cause_between, newer_line
from armlevel.engine.fields.bundles import in_bundle
from armlevel.engine.fields.choice import choose
from armlevel.engine.fields.closure import Lowering
from armlevel.engine.fields.conflicts import by_kind, minimal_sets
from armlevel.engine.fields.domains import (
    Domain,
    Space,
    domain_of,
    fields_of,
    kinds_of,
    space_of_kinds,
    subjects_of,
)
from armlevel.engine.fields.solve import solve
from armlevel.engine.fields.tolerance import class_of, tolerance_remedy, tolerated_finding, tolerated_of
from armlevel.engine.findings import Cause, Finding, Remedy
from armlevel.engine.names import EVERY_HOST, FieldName, Name, hosts_of
from armlevel.engine.parts.registers_proof import newly_broken, unkept
from armlevel.engine.policy import Policy, hidden_values
from armlevel.engine.reasons import Reason, from_row
from armlevel.engine.subjects import about_field, about_policy, about_several
from armlevel.engine.values import (
    ANY,
    NOT_RECORDED,
    Bound,
    FieldValues,
    NamedValues,
    State,
    Value,
    named,
    offered,
)
from armlevel.errors import UsageError
from armlevel.profile import Host, Offer

__all__ = ["Levelling", "level_fields"]


@dataclass(frozen=True, slots=True)
class Levelling:
    """Levelled fields. ``registers`` is None where a field has no value that all hosts keep.

    ``tolerated`` are the fields that have none and are let differ: their value is that of the least capable host.
    """

    values: Mapping[str, int]
    registers: Mapping[str, int] | None
    findings: tuple[Finding, ...]
    policy: tuple[Finding, ...]
    gone: frozenset[str]
    steps: tuple[Lowering, ...]
    kept: tuple[FieldRule, ...]
    tolerated: frozenset[str] = frozenset()


def level_fields(
    offers: Sequence[tuple[str, Offer]], hosts: Sequence[Host], catalogue: Catalogue, policy: Policy
) -> Levelling:
    """Level every field outside the bundles, for offers of one shape."""
    plain = [offer for _, offer in offers]
    names = {name for some in {tuple(offer.limits) for offer in plain} for name in some}
    skip = frozenset(n for n in names if in_bundle(catalogue, n) or _derived(catalogue, n))
    kinds = kinds_of(plain, catalogue, skip)
    limits = {register: [offer.limits.get(register) for offer in plain] for register in kinds}
    fields: dict[str, Field] = {}
    for register, column in limits.items():
        some = fields_of(catalogue, register, {value for value in column if value is not None})
        fields.update(zip(subjects_of(catalogue, some), some, strict=True))
    space = space_of_kinds(kinds, catalogue)
    free = tolerated_of(policy.tolerate, catalogue, plain[0].shape)
    space, differing = _let_differ(space, fields, free)
    ruled, policy_findings = _apply(policy, space, catalogue)
    solution = solve(ruled, fields, catalogue.field_rules, limits, catalogue, plain[0].shape)
    asked = frozenset(one for one in fields if ruled is not space and ruled.get(one) != space.get(one))
    blocked = [subject for subject in solution.blocked if subject not in asked]
    findings = _conflicts([fields[subject] for subject in blocked], offers, hosts, catalogue)
    findings += [
        _tolerated(fields[s], offers, policy, catalogue)
        for s in sorted(differing)
        if fields[s].register not in solution.gone
    ]
    findings += [_broken(rule, solution.values) for rule in solution.broken]
    findings += [_coupled(row, solution.values) for row in solution.coupled]
    registers = None
    if not solution.blocked and not solution.broken and not solution.coupled:
        registers = _assemble(solution.values, fields, limits, solution.gone, catalogue)
        findings += unkept(registers, kinds, catalogue, differing)
        findings += newly_broken(registers, plain, catalogue)
        policy_findings += _required(policy, registers, offers, catalogue)
    policy_findings += [
        Finding(about_field(subject), "policy", "stops", (FieldValues(tuple(sorted(ruled.get(subject).limits))),),
                cause="policy", because=(Reason("policy-unmet"),))
        for subject in solution.blocked
        if subject in asked
    ]  # fmt: skip
    return Levelling(
        solution.values,
        registers,
        tuple(findings),
        tuple(policy_findings),
        solution.gone,
        solution.steps,
        solution.kept,
        differing,
    )


def _let_differ(
    space: Space, fields: Mapping[str, Field], free: frozenset[str]
) -> tuple[Space, frozenset[str]]:
    # Only what has no common value is let differ; it then stands at the limit of the least capable host, so that the
    # fields that follow from it promise no more than that host keeps.
    differing = frozenset(
        subject
        for subject in free & set(fields)
        if (domain := space.get(subject)).limits and choose(fields[subject], domain) is None
    )
    if not differing:
        return space, differing
    domains = dict(space.domains)
    for subject in differing:
        limits = domains[subject].limits
        lowest = frozenset({_least(fields[subject], limits)})
        domains[subject] = Domain(lowest, lowest, lowest)
    return Space(domains), differing


def _least(field: Field, limits: Iterable[int]) -> int:
    # Of values without an order none promises less than another: the smallest number, so that the answer is one.
    ranks = {value: field.rank(value) for value in limits}
    return min(ranks, key=lambda value: (value if (rank := ranks[value]) is None else rank, value))


def _tolerated(
    field: Field, offers: Sequence[tuple[str, Offer]], policy: Policy, catalogue: Catalogue
) -> Finding:
    by = class_of(field.subject, policy.tolerate, catalogue, offers[0][1].shape)
    own = offered(*((name, _shown(domain_of(offer, field))) for name, offer in offers))
    return tolerated_finding(field, by, own)


def _derived(catalogue: Catalogue, name: str) -> bool:
    known = catalogue.registers.get(name)
    return known is not None and known.derived


def _assemble(
    values: Mapping[str, int],
    fields: Mapping[str, Field],
    limits: Mapping[str, Sequence[int | None]],
    gone: frozenset[str],
    catalogue: Catalogue,
) -> dict[str, int]:
    registers = {}
    for register in limits:
        if register not in gone:
            known = catalogue.registers.get(register)
            value = sum(run.mask for run in known.reserved if run.value) if known is not None else 0
            registers[register] = value
    for subject, value in values.items():
        field = fields[subject]
        if field.register in registers:
            registers[field.register] = field.put(registers[field.register], value)
    return dict(sorted(registers.items()))


def _apply(policy: Policy, space: Space, catalogue: Catalogue) -> tuple[Space, list[Finding]]:
    if not (policy.hide or policy.pins):
        return space, []
    domains = dict(space.domains)
    findings: list[Finding] = []
    for name in policy.hide:
        feature = catalogue.feature(name)
        for subject, clear in hidden_values(feature, catalogue).items():
            if subject in domains:
                domains[subject] = domains[subject].only(clear)
    for text, value in policy.pins.items():
        field = catalogue.field(text)
        subject = field.subject
        if not 0 <= value < 1 << field.width:
            raise UsageError(
                f"{subject} has {field.width} bits; {value} does not fit", hint="pin a smaller value"
            )
        if in_bundle(catalogue, field.register):
            raise UsageError(
                f"{field.register} is taken whole from one host", hint="a single field of it cannot be pinned"
            )
        if subject not in domains:
            because, needs = (Reason("register-not-shown"),), (FieldValues((value,)),)
            findings.append(
                Finding(
                    about_policy("policy.pin", subject),
                    "policy",
                    "stops",
                    needs,
                    cause="policy",
                    because=because,
                )
            )
        else:
            domains[subject] = domains[subject].only({value})
    return Space(domains), findings


def _required(
    policy: Policy, registers: Mapping[str, int], offers: Sequence[tuple[str, Offer]], catalogue: Catalogue
) -> list[Finding]:
    if not policy.require:
        return []
    have = features_of(catalogue, registers)
    findings = []
    for name in policy.require:
        feature = catalogue.feature(name)
        if have.get(feature.name) is True:
            continue
        lacking = tuple(
            host
            for host, offer in offers
            if features_of(catalogue, offer.limits).get(feature.name) is not True
        )
        findings.append(
            Finding(
                about_policy("policy.require", feature.name),
                "policy",
                "stops" if have.get(feature.name) is False else "unknown",
                (named(feature.name),),
                offered(*((host, State("not-shown")) for host in lacking)),
                "policy",
                remedies=(
                    Remedy("leave-out", hosts=hosts_of(lacking)),
                    Remedy("require-not", (Name(feature.name),)),
                ),
            )
        )
    return findings


def _conflicts(
    fields: Iterable[Field], offers: Sequence[tuple[str, Offer]], hosts: Sequence[Host], catalogue: Catalogue
) -> list[Finding]:
    @cache  # the same few hosts stand against one another in many fields
    def cause(names: frozenset[str]) -> Cause:
        return cause_between([host for host in hosts if host.name in names])

    return [_conflict(field, offers, hosts, catalogue, cause) for field in fields]


def _conflict(
    field: Field,
    offers: Sequence[tuple[str, Offer]],
    hosts: Sequence[Host],
    catalogue: Catalogue,
    cause: Callable[[frozenset[str]], Cause],
) -> Finding:
    subject = field.subject
    own = {name: domain_of(offer, field) for name, offer in offers}
    kinds = by_kind(list(own), own.__getitem__)
    # Hosts that certainly conflict are the reason, if there are any; else those that may.
    certain, some_kinds, above = _opposed(field, tuple(kinds))
    sets = tuple(tuple(kinds[one][0] for one in some) for some in some_kinds)
    remedies: list[Remedy] = []
    if certain:
        # Only a host whose limit is above another's would have to lower the field.
        high = {h.name: h.software.kernel for h in hosts if own[h.name] in above}
        upgrade = newer_line(subject, high, catalogue)
        remedies += [upgrade] if upgrade else []
        tolerance = tolerance_remedy(subject, catalogue, offers[0][1].shape)
        remedies += [tolerance] if tolerance else []
        fewest = min(kinds.values(), key=len)
        remedies.append(Remedy("leave-out", hosts=hosts_of(fewest)))
    else:
        doubtful = (host.name for host in hosts if own[host.name].certain != own[host.name].possible)
        remedies.append(Remedy("probe", hosts=hosts_of(doubtful)))
    return Finding(
        about_field(subject),
        "registers",
        "stops" if certain else "unknown",
        offers=offered(*((name, _shown(domain)) for name, domain in own.items())),
        cause=cause(frozenset(name for some in sets for name in some)),
        remedies=tuple(remedies),
        sets=tuple(map(hosts_of, sets)),
    )


# Hosts of a few kinds disagree about many fields, and each pair of them in many fleets.
@lru_cache(maxsize=4096)
def _opposed(
    field: Field, kinds: tuple[Domain, ...]
) -> tuple[bool, tuple[tuple[Domain, ...], ...], frozenset[Domain]]:
    # Whether they certainly disagree, the smallest sets that do, and those with a limit above another's.
    def agree(some: Sequence[Domain]) -> bool:
        return choose(field, reduce(and_, some)) is not None

    def may_agree(some: Sequence[Domain]) -> bool:
        met = reduce(and_, some)
        # Without any limit nothing was recorded, and anything may be.
        return not met.limits or choose(field, Domain(met.possible, met.possible, met.limits)) is not None

    certain = not may_agree(kinds)
    sets = minimal_sets({one: (one,) for one in kinds}, may_agree if certain else agree)
    lows = [low for domain in kinds for low in domain.limits]
    return certain, sets, frozenset(domain for domain in kinds if _above_some(field, domain, lows))


def _above_some(field: Field, domain: Domain, lows: Sequence[int]) -> bool:
    return any(field.compare(mine, low) == "more" for mine in domain.limits for low in lows)


@lru_cache(maxsize=4096)
def _shown(domain: Domain) -> Value:
    if domain.certain is None:
        return ANY
    if not domain.certain:
        return NOT_RECORDED
    return FieldValues(tuple(sorted(domain.certain)), open=domain.possible != domain.certain)


def _broken(rule: FieldRule, values: Mapping[str, int]) -> Finding:
    return Finding(
        about_several((rule.field, rule.then)),
        "registers",
        "stops",
        needs=(
            Bound(FieldName(rule.field), "at-least", rule.at_least),
            Bound(FieldName(rule.then), "at-least", rule.then_at_least),
        ),
        offers=((EVERY_HOST, _levelled((rule.field, rule.then), values)),),
        cause="silicon",
        because=tuple(Reason("feature", (Name(feature),)) for feature in rule.because),
    )


def _coupled(row: Coupling, values: Mapping[str, int]) -> Finding:
    return Finding(
        about_several(row.then),
        "registers",
        "stops",
        needs=tuple(Bound(FieldName(subject), "at-most", most) for subject, most in row.then.items()),
        offers=((EVERY_HOST, _levelled(row.then, values)),),
        cause="kernel",
        because=(from_row(row.why),),
    )


def _levelled(subjects: Iterable[str], values: Mapping[str, int]) -> NamedValues:
    return NamedValues(tuple((FieldName(one), values[one]) for one in subjects if one in values))
