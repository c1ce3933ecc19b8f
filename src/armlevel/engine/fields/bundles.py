"""Registers that only make sense together: the implementation, and the cache geometry.

Mixing two hosts' CLIDR_EL1 field by field would describe caches that no machine has, and a MIDR_EL1 of one
core with the REVIDR_EL1 of another would name errata that no core has. So one host's registers are taken whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from armlevel.arch import Catalogue
from armlevel.engine.fields.cache_geometry import refused_geometry
from armlevel.engine.fields.distinct import DistinctAnswers
from armlevel.engine.fields.domains import accepts_of, fields_of
from armlevel.engine.findings import Finding, Remedy
from armlevel.engine.names import HostName, RegisterName, hosts_of
from armlevel.engine.reasons import Reason, from_row
from armlevel.engine.subjects import about_register
from armlevel.engine.values import NOT_RECORDED, NamedValues, Others, offered
from armlevel.kvm import id_of
from armlevel.profile import Offer, Outcome

__all__ = ["Bundled", "in_bundle", "level_bundle", "register_outcome"]


@dataclass(frozen=True, slots=True)
class Bundled:
    """The chosen registers of a bundle; or why there are none: a ``conflict``, or some host did not record them."""

    values: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...] = ()
    conflict: bool = False


@lru_cache(maxsize=4096)
def in_bundle(catalogue: Catalogue, register: str) -> bool:
    """Whether ``register`` is chosen with others and not by its own fields."""
    return any(_matches(register, bundle.registers) for bundle in catalogue.bundles.values())


@lru_cache(maxsize=4096)
def _matches(register: str, patterns: tuple[str, ...]) -> bool:
    return any(register == p or (p.endswith("[*]") and register.startswith(p[:-2])) for p in patterns)


def register_outcome(
    offer: Offer, register: str, value: int, catalogue: Catalogue, but: frozenset[str] = frozenset()
) -> Outcome:
    """What a host's KVM does with a whole register value, field by field from its limit, but for some fields."""
    limit = offer.limits.get(register)
    if limit is None:
        return "unknown"
    if value == limit:
        return "same"
    if refused_geometry(offer, register, value):
        return "refused"
    # Its own limit is always kept.
    outcomes = {
        accepts_of(offer, field, field.get(limit)).outcome(field.get(value))
        for field in fields_of(catalogue, register, (limit, value))
        if field.mask & (value ^ limit) and field.subject not in but
    }
    for worst in ("refused", "unknown", "changed"):
        if worst in outcomes:
            return worst
    return "same"


def level_bundle(name: str, offers: Sequence[tuple[str, Offer]], catalogue: Catalogue) -> Bundled:
    """Choose one host's registers of a bundle that all hosts keep: the lowest such values.

    Registers that one host does not show (cache levels beyond its own) take no part; the register list says
    whether they may be left out.
    """
    patterns = catalogue.bundles[name].registers
    plain = [offer for _, offer in offers]
    shared = [
        {r for r in shown if _matches(r, patterns)} for shown in {tuple(offer.limits) for offer in plain}
    ]
    registers = sorted(set.intersection(*shared), key=lambda r: _position(r, patterns)) if shared else []
    missing = _not_recorded(name, patterns, offers)
    if missing:  # which hides no conflict of the others
        silent = {host for finding in missing for host in finding.hosts}
        others = level_bundle(name, [pair for pair in offers if pair[0] not in silent], catalogue)
        return Bundled((), (*missing, *others.findings), others.conflict)
    if not registers:
        return Bundled(())
    shown: dict[tuple[int, ...], list[str]] = {}
    for host, offer in offers:
        shown.setdefault(tuple(map(offer.limits.__getitem__, registers)), []).append(host)
    kinds = {register: _kinds(plain, register, catalogue) for register in registers}
    doubtful = False
    # Implementer 0 is nobody's (DDI 0487, MIDR_EL1: reserved for software use): guests of other hosts are not shown it.
    named = [values for values in shown if _has_implementer(registers, values)]
    for values in sorted(named or shown):
        outcomes = {
            register_outcome(offer, register, value, catalogue)
            for register, value in zip(registers, values, strict=True)
            for offer in kinds[register]
        }
        if outcomes <= {"same"}:
            return Bundled(tuple(zip(registers, values, strict=True)))
        doubtful = doubtful or outcomes <= {"same", "unknown"}
    differing = [r for i, r in enumerate(registers) if len({values[i] for values in shown}) > 1]
    takes = _others_taken(shown, dict(offers), registers, catalogue)
    own = {
        values: tuple((RegisterName(one), values[registers.index(one)]) for one in differing)
        for values in shown
    }
    finding = Finding(
        about_register(differing[0] if differing else registers[0]),
        "registers",
        "unknown" if doubtful else "stops",
        offers=offered(
            *(
                (host, NamedValues(own[values], takes[host]))
                for values, hosts in shown.items()
                for host in hosts
            )
        ),
        cause="silicon" if name == "implementation" else "kernel",
        because=(from_row(catalogue.bundles[name].why),),
        remedies=(Remedy("upgrade-kernel"),),
        sets=_opponents(shown, dict(offers), registers, catalogue),
    )
    return Bundled((), (finding,), conflict=True)


def _has_implementer(registers: Sequence[str], values: Sequence[int]) -> bool:
    midr = dict(zip(registers, values, strict=True)).get("MIDR_EL1")
    return midr is None or bool(midr >> 24 & 0xFF)


def _others_taken(
    shown: Mapping[tuple[int, ...], Sequence[str]],
    offers: Mapping[str, Offer],
    registers: Sequence[str],
    catalogue: Catalogue,
) -> dict[str, Others]:
    # Hosts that show the same may differ in what else they keep: what each does with another host's values.
    takes: dict[str, Others] = {}
    for values, hosts in shown.items():
        other = next((some for some in shown if some != values), values)
        for host in hosts:
            outcomes = [
                register_outcome(offers[host], *pair, catalogue)
                for pair in zip(registers, other, strict=True)
            ]
            takes[host] = "refused" if other == values else _worst(outcomes)
    return takes


def _worst(outcomes: Sequence[Outcome]) -> Others:
    if "refused" in outcomes or "changed" in outcomes:
        return "refused"
    return "unknown" if "unknown" in outcomes else "kept"


def _opponents(
    shown: Mapping[tuple[int, ...], Sequence[str]],
    offers: Mapping[str, Offer],
    registers: Sequence[str],
    catalogue: Catalogue,
) -> tuple[tuple[HostName, ...], ...]:
    # The first two hosts of which neither keeps what the other shows.
    def keeps(host: str, values: tuple[int, ...]) -> bool:
        return all(
            register_outcome(offers[host], register, value, catalogue) == "same"
            for register, value in zip(registers, values, strict=True)
        )

    for one, two in combinations(shown, 2):
        here, there = shown[one][0], shown[two][0]
        if not keeps(here, two) and not keeps(there, one):
            return (hosts_of((here, there)),)
    return ()


def _not_recorded(
    name: str, patterns: Sequence[str], offers: Sequence[tuple[str, Offer]]
) -> tuple[Finding, ...]:
    # What some host shows, every host has; and every host has its implementation. Only the number of caches differs:
    # which a host has, its list says.
    asked = [p for p in patterns if not p.endswith("[*]") and any(p in offer.limits for _, offer in offers)]
    if offers and name == "implementation":
        asked = list(patterns)
    lacking = [(p, tuple(host for host, offer in offers if p not in offer.limits)) for p in asked]
    starred = tuple(pattern for pattern in patterns if pattern.endswith("[*]"))
    shown = {one for limits in {tuple(offer.limits) for _, offer in offers} for one in limits}
    for register in sorted(one for one in shown if _matches(one, starred)):
        lists = [host for host, offer in offers if register not in offer.limits and _lists(offer, register)]
        lacking.append((register, tuple(lists)))
    return tuple(
        Finding(
            about_register(register),
            "registers",
            "unknown",
            offers=offered(*((host, NOT_RECORDED) for host in hosts)),
            because=(Reason("host-value-not-recorded"),),
            remedies=(Remedy("probe", hosts=hosts_of(hosts)),),
        )
        for register, hosts in lacking
        if hosts
    )


def _lists(offer: Offer, register: str) -> bool:
    return offer.register_list is not None and id_of(register) in offer.register_list


def _position(register: str, patterns: Sequence[str]) -> tuple[int, int]:
    index = next(i for i, p in enumerate(patterns) if _matches(register, (p,)))
    number = register.partition("[")[2].rstrip("]")
    return index, int(number) if number.isdigit() else 0


def _kinds(offers: Sequence[Offer], register: str, catalogue: Catalogue) -> list[Offer]:
    # Hosts that answer alike are asked once; where any value is kept, their own does not matter either.
    subjects = [field.subject for field in fields_of(catalogue, register)]
    answers = DistinctAnswers(subjects)
    found: list[Offer] = []
    for offer in offers:
        accepts = [offer.accepts.get(subject) for subject in subjects]
        free = all(given is not None and given.values is None for given in accepts)
        # What a whole cache geometry may say hangs on the host's CTR_EL0 and its own value too.
        whole = register == "CLIDR_EL1" or register.startswith("CCSIDR_EL1[")
        own = offer.limits[register] if whole or not free else None
        ctr = offer.limits.get("CTR_EL0") if whole else None
        if answers.is_new(offer, (own, ctr, offer.default)):
            found.append(offer)
    return found
