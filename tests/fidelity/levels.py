"""(c) Baselines of every pair and of larger sets: applied on each host, or each stated conflict proved.

A baseline must start on each host it may be born on, and arrive on each host of its set: every register written, the
VM made final, everything read back, and read again by guest instructions.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from armlevel.arch import Catalogue, Field, evaluate, known_of
from armlevel.documents import guest_object, pretty
from armlevel.engine import Finding, check, level
from armlevel.engine.fields.domains import fields_of
from armlevel.profile import Guest, Host, Offer, Shape
from tests.fidelity.fields import accepts

__all__ = ["SEED", "Levelled", "Plan", "judge", "larger_sets", "plan", "prove", "tasks_for"]

SEED = 20261123
_RANDOM, _GROWN = 70, 90
_OFFERED = 16  # hosts that a growing set is offered
_ENUMERATED = 8  # bits
_WORKAROUND = "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_"
_FACTS = ("cntfrq_hz", "dczid", "gmid")


@dataclass(slots=True)
class Levelled:
    """What became of the sets: baselines applied, conflicts proved, and whatever went against the answer."""

    sets: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    wrong_yes: list[tuple[str, ...]] = field(default_factory=list)
    wrong_no: list[tuple[str, ...]] = field(default_factory=list)

    def __str__(self) -> str:
        """Give the counts in a line."""
        return (
            f"{self.sets.total():,} sets: {self.sets['runs']:,} baselines, {self.sets['refused']:,} without, "
            f"{self.sets['unknown']:,} unknown; {self.applied['born']:,} starts and "
            f"{self.applied['arrived']:,} arrivals elsewhere tried; {self.conflicts['proved']:,} conflicts proved, "
            f"{self.conflicts['follow']:,} that follow from them; "
            f"{self.applied['leaks']:,} fields that guests read from the hardware; "
            f"{len(self.wrong_yes)} wrong yes, {len(self.wrong_no)} wrong no"
        )


@dataclass(slots=True)
class Plan:
    """The guests to apply, and on which hosts: host name -> number of the guest -> whether it is born there.

    ``open`` has the sets without a baseline, and the conflicts that are said of them.
    """

    guests: list[Guest] = field(default_factory=list)
    on: dict[str, dict[int, bool]] = field(default_factory=dict)
    open: list[tuple[list[Host], Shape, tuple[Finding, ...]]] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def add(self, guest: Guest, hosts: Iterable[Host]) -> None:
        """Have a guest applied on each host; guests that are the same CPU are applied once."""
        bare = replace(guest, name="baseline", starts_on=(), register_list=None)
        if bare.implementation is not None:
            bare = replace(bare, implementation=replace(bare.implementation, targets=()))
        key = repr(bare)
        if key not in self._known:
            self._known[key] = len(self.guests)
            self.guests.append(guest)
        for host in hosts:
            places = self.on.setdefault(host.name, {})
            number = self._known[key]
            places[number] = places.get(number, False) or host.name in guest.starts_on


def larger_sets(hosts: Sequence[Host], catalogue: Catalogue) -> list[list[Host]]:
    """Return different sets of three to six hosts: some at random, some grown host by host while a baseline exists."""
    chance, found = random.Random(SEED), dict[frozenset[str], list[Host]]()

    def keep(some: list[Host]) -> None:
        if len(some) > 2:
            found.setdefault(frozenset(host.name for host in some), some)

    for _ in range(_RANDOM):
        keep(chance.sample(hosts, min(chance.randint(3, 6), len(hosts))))
    for _ in range(_GROWN):
        some = [chance.choice(hosts)]
        for other in chance.sample(hosts, min(_OFFERED, len(hosts))):
            if other not in some and len(some) < 6 and level([*some, other], catalogue).answer == "runs":
                some.append(other)
        keep(some)
    return list(found.values())


def plan(hosts: Sequence[Host], catalogue: Catalogue, total: Levelled) -> Plan:
    """Level every pair and the larger sets; say what is to be applied where, and what is still to be proved."""
    made = Plan()
    for some in [*map(list, combinations(hosts, 2)), *larger_sets(hosts, catalogue)]:
        outcome = level(some, catalogue)
        total.sets[outcome.answer] += 1
        if outcome.answer == "runs" and outcome.guest is not None:
            made.add(outcome.guest, some)
        elif outcome.shape is not None:
            made.open.append((some, outcome.shape, outcome.conflicts))
    return made


def prove(
    made: Plan, kept: Mapping[tuple[str, str, str, int], bool], catalogue: Catalogue, total: Levelled
) -> None:
    """Prove every conflict from what was tried: from the probes, and from ``kept``, what restoring showed."""
    for some, shape, conflicts in made.open:
        answers = [proved(one, some, shape, kept, catalogue) for one in conflicts]
        for one, answer in zip(conflicts, answers, strict=True):
            # What fails only for want of a value that another conflict denied is no claim of its own.
            follows = not answer and one.part == "list" and any(answers)
            total.conflicts["proved" if answer else "follow" if follows else "open"] += 1
            if not answer and not follows:
                names = " ".join(host.name for host in some)
                total.wrong_no.append((names, shape.label, one.subject.key, one.severity, str(one.offers)))


def proved(
    one: Finding,
    hosts: Sequence[Host],
    shape: Shape,
    kept: Mapping[tuple[str, str, str, int], bool],
    catalogue: Catalogue,
) -> bool:
    """Whether what was tried on the hosts proves a conflict: no value is kept by all of them."""
    register, _, name = one.subject.key.partition(".")
    if one.part == "facts":
        return name in _FACTS and len({getattr(host.facts, name) for host in hosts} - {None}) > 1
    whole = [(host.name, offer) for host in hosts if (offer := host.offer(shape)) is not None]
    if one.subject.key == "pmu.counters":
        return _nowhere_born(whole, shape, kept)
    if one.part != "registers":
        return False
    offers = [offer for _, offer in whole]
    if not name:
        return _bundle_proved(one.subject.key, whole, shape, kept, catalogue)
    limits = [offer.limits[register] for offer in offers if register in offer.limits]
    field = next(f for f in fields_of(catalogue, register, limits) if f.subject == one.subject.key)
    return not any(
        all(_keeps(offer, field, value) for offer in offers) for value in _candidates(offers, field)
    )


def _nowhere_born(
    whole: Sequence[tuple[str, Offer]], shape: Shape, kept: Mapping[tuple[str, str, str, int], bool]
) -> bool:
    # A guest born where there are more counters loses some, and what a host with the fewest says of its
    # workarounds was tried on all the others: one of them refused it.
    least = min(offer.pmu["counters"] for _, offer in whole)
    fewest = [offer for _, offer in whole if offer.pmu["counters"] == least]
    return len(fewest) < len(whole) and all(
        any(not kept[host, shape.label, *said] for host, _ in whole for said in born.firmware.items())
        for born in fewest
    )


def _keeps(offer: Offer, field: Field, value: int) -> bool:
    return accepts(offer, field, field.get(offer.limits[field.register])).outcome(value) == "same"


def _candidates(offers: Sequence[Offer], field: Field) -> Iterable[int]:
    if field.width <= _ENUMERATED:
        return range(1 << field.width)
    return {field.get(offer.limits[field.register]) for offer in offers}


def _bundle_proved(
    subject: str,
    whole: Sequence[tuple[str, Offer]],
    shape: Shape,
    kept: Mapping[tuple[str, str, str, int], bool],
    catalogue: Catalogue,
) -> bool:
    # No host's registers, taken whole, are kept by all the others: each pair was restored.
    stems = next(b.registers for b in catalogue.bundles.values() if _in(subject, b.registers))
    shown = whole[0][1].limits
    names = [n for n in shown if _in(n, stems) and all(n in offer.limits for _, offer in whole)]
    return not any(
        all(kept[host, shape.label, name, source.limits[name]] for host, _ in whole for name in names)
        for _, source in whole
    )


def _in(name: str, patterns: Sequence[str]) -> bool:
    return any(name == p or (p.endswith("[*]") and name.startswith(p[:-2])) for p in patterns)


def tasks_for(made: Plan, host: str) -> list[str]:
    """Return the guests that a host is to be given."""
    return [pretty(guest_object(made.guests[number])) for number in made.on.get(host, {})]


def judge(made: Plan, host: Host, answers: Sequence[Any], catalogue: Catalogue, total: Levelled) -> None:
    """Hold what was seen on one host against the promise, and what leaked against what `check` says may leak."""
    for (number, born), (differences, leaks) in zip(made.on.get(host.name, {}).items(), answers, strict=True):
        guest = made.guests[number]
        places = " ".join(guest.starts_on)
        total.applied["born" if born else "arrived"] += 1
        for subject, code, seen, wanted, found, _ in differences:
            # A level of mitigation is a fact of the host: a guest that comes from elsewhere keeps what it was told.
            if born or not subject.startswith(_WORKAROUND):
                total.wrong_yes.append(
                    (host.name, places, f"{subject} {code}", str(wanted), str(found), seen)
                )
        foretold = {one.subject.key for one in check(guest, host, catalogue).findings} if leaks else set()
        for subject, _, seen, wanted, found, _ in leaks:
            total.applied["leaks"] += 1
            if subject not in foretold | _useless(guest, catalogue):
                total.wrong_yes.append((host.name, places, f"{subject} leaks", str(wanted), str(found), seen))


def _useless(guest: Guest, catalogue: Catalogue) -> set[str]:
    # What a guest can make no use of is not worth a finding.
    values = known_of(catalogue, guest.registers)
    return {row.field for row in catalogue.leaks if evaluate(row.usable, values) is False}
