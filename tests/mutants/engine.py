"""Wrong engines: each mutant is one small, plausible mistake, put in place of a right function while a law runs.

A mutant takes pytest's ``monkeypatch``. The mistakes are written out in full rather than derived from the right
code, so that they stay the same mistakes when the code changes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from armlevel.engine import baseline, findings, values, verdict
from armlevel.engine.fields import bundles, choice, closure, domains, no_meaning, solve
from armlevel.engine.fields.closure import Closed, Lowering, at_least, holds
from armlevel.engine.fields.domains import Domain
from armlevel.engine.parts import (
    facts,
    firmware,
    register_list,
    registers,
    registers_implementation,
    shape_vectors,
)
from armlevel.profile import Accepts

Mutant = Callable[[pytest.MonkeyPatch], None]


def _everywhere(patch: pytest.MonkeyPatch, name: str, right: object, wrong: object) -> None:
    # Every module of the engine that took the name from another one.
    for module in [one for key, one in sys.modules.items() if key.startswith("armlevel.engine")]:
        if getattr(module, name, None) is right:
            patch.setattr(module, name, wrong)


# ---- the four that must always be caught


def closure_in_one_pass(patch: pytest.MonkeyPatch) -> None:
    """Each rule is looked at once; what a lowering breaks in turn is not seen."""

    def close(start, options, rules, fields):
        values, steps = dict(start), []
        relevant = [rule for rule in rules if rule.field in values and rule.then in values]
        for rule in relevant:
            below = [v for v in options[rule.field] if not at_least(fields[rule.field], v, rule.at_least)]
            if below and not holds(rule, values, fields):
                steps.append(Lowering(rule.field, values[rule.field], below[0], rule))
                values[rule.field] = below[0]
        return Closed(values, tuple(steps), tuple(r for r in relevant if not holds(r, values, fields)))

    _everywhere(patch, "close", closure.close, close)


def _candidates(field, domain, *, rank, bounded=True):
    kept = domain.limits if domain.certain is None else domain.certain
    fit = [v for v in kept if v in domain.limits or field.architected(v)]
    if bounded:
        fit = [
            v
            for v in fit
            if rank(field, v) is None or all(rank(field, v) <= rank(field, t) for t in domain.limits)
        ]
    return tuple(sorted(fit, key=lambda v: (-(rank(field, v) or 0), v not in domain.limits, v)))


def sign_ignored(patch: pytest.MonkeyPatch) -> None:
    """The lowest limit of a signed field is taken as if it were unsigned: 0xf counts for the most."""

    def rank(field, value):
        return value if field.order.kind == "signed" else field.rank(value)

    _everywhere(patch, "candidates", choice.candidates, partial(_candidates, rank=rank))


def choice_above_a_limit(patch: pytest.MonkeyPatch) -> None:
    """What every KVM takes is chosen, also where it is more than a host has."""
    wrong = partial(_candidates, rank=lambda field, value: field.rank(value), bounded=False)
    _everywhere(patch, "candidates", choice.candidates, wrong)


def aarch32_kept(patch: pytest.MonkeyPatch) -> None:
    """The AArch32 views take part although no exception level has AArch32."""
    _everywhere(patch, "meaningless", no_meaning.meaningless, lambda values, catalogue: frozenset())


# ---- and more


def inversion_ignored(patch: pytest.MonkeyPatch) -> None:
    """A higher value is taken for more also where it is less."""

    def rank(field, value):
        return value if field.order.kind == "inverted" else field.rank(value)

    _everywhere(patch, "candidates", choice.candidates, partial(_candidates, rank=rank))


def gaps_filled(patch: pytest.MonkeyPatch) -> None:
    """Values between those that hosts take are chosen too."""

    def candidates(field, domain):
        top = min(domain.limits, key=lambda limit: (field.rank(limit) or 0, limit), default=None)
        return () if top is None else (top,)

    _everywhere(patch, "candidates", choice.candidates, candidates)


def stuck_rules_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Rules that nothing can keep are not said."""
    right = closure.close
    _everywhere(patch, "close", right, lambda *a: replace(right(*a), stuck=()))


def hope_taken_for_sure(patch: pytest.MonkeyPatch) -> None:
    """What is not known to be refused is taken for kept."""
    right = domains._domain

    def hopeful(accepts, field, limit):
        domain = right(accepts, field, limit)
        return Domain(domain.possible, domain.possible, domain.limits)

    patch.setattr(domains, "_domain", hopeful)


def meeting_is_union(patch: pytest.MonkeyPatch) -> None:
    """A value that some host keeps is taken for one that all keep."""
    patch.setattr(domains, "_both", lambda one, two: None if one is None or two is None else one | two)


def limits_of_the_first_host(patch: pytest.MonkeyPatch) -> None:
    """Only the first host's limit is remembered."""

    def both(self, other):
        right = domains._both
        return Domain(right(self.certain, other.certain), right(self.possible, other.possible), self.limits)

    patch.setattr(Domain, "__and__", both)


def every_rule_enforced(patch: pytest.MonkeyPatch) -> None:
    """Rules that every host breaks by itself are enforced all the same."""
    patch.setattr(
        solve,
        "active_rules",
        lambda rules, limits, fields: ([r for r in rules if r.field in fields], frozenset()),
    )


def carried_by_some(patch: pytest.MonkeyPatch) -> None:
    """The state carries every register that some host lists."""
    right = register_list.carry

    def carry(offers, *rest):
        found = right(offers, *rest)
        lists = [set(offer.register_list) for _, offer in offers if offer.register_list is not None]
        return replace(found, ids=tuple(sorted(set().union(*lists)))) if lists else found

    patch.setattr(baseline, "carry", carry)


def state_beyond_the_profile_unseen(patch: pytest.MonkeyPatch) -> None:
    """A guest starts wherever all of its state is listed, whatever else its state would be there."""
    patch.setattr(register_list, "_beyond_the_profile", lambda *_: ())


def numbers_of_the_offer_alone(patch: pytest.MonkeyPatch) -> None:
    """Levelling does not ask the CPUs for the numbers that an offer does not record."""
    patch.setattr(registers_implementation, "_with_numbers", lambda offer, _: offer)


def born_anywhere(patch: pytest.MonkeyPatch) -> None:
    """Guests are said to be born on any host, whatever workaround level it tells them."""
    right = firmware.level_firmware
    patch.setattr(
        baseline,
        "level_firmware",
        lambda offers, *rest, **more: replace(
            right(offers, *rest, **more), starts_on=tuple(name for name, _ in offers)
        ),
    )


def weakest_level_raised(patch: pytest.MonkeyPatch) -> None:
    """The highest firmware value is taken, not what all have."""
    right = firmware.level_firmware

    def highest(offers, *rest, **more):
        found = right(offers, *rest, **more)
        return replace(
            found, values={name: max(o.firmware.get(name, 0) for _, o in offers) for name in found.values}
        )

    patch.setattr(baseline, "level_firmware", highest)


def facts_guessed(patch: pytest.MonkeyPatch) -> None:
    """A fact that some host does not record is taken for equal."""
    right = facts.level_facts
    patch.setattr(
        baseline,
        "level_facts",
        lambda hosts, shape: [f for f in right(hosts, shape) if f.severity != "unknown"],
    )


def lengths_in_the_middle(patch: pytest.MonkeyPatch) -> None:
    """Vector lengths are intersected, as if KVM could leave one out in the middle."""

    def level_vls(offers, shape):
        common = set.intersection(*(set(offer.sve_vls or ()) for _, offer in offers))
        return tuple(sorted(common)), []

    patch.setattr(baseline, "level_vls", level_vls)
    assert shape_vectors.level_vls is not level_vls


def paint_field_by_field(patch: pytest.MonkeyPatch) -> None:
    """MIDR_EL1, REVIDR_EL1 and AIDR_EL1 are levelled each by itself, and so name a core that nobody has."""
    right = bundles.level_bundle

    def mixed(name, offers, catalogue):
        found = right(name, offers, catalogue)
        lowest = [(r, min(offer.limits[r] for _, offer in offers)) for r, _ in found.values]
        return replace(found, values=tuple(lowest))

    patch.setattr(registers_implementation, "level_bundle", mixed)


def ignored_taken_for_kept(patch: pytest.MonkeyPatch) -> None:
    """A value that KVM accepts and changes is taken for one that it keeps."""
    right = Accepts.outcome

    def outcome(self, value):
        found = right(self, value)
        return "same" if found == "changed" else found

    patch.setattr(Accepts, "outcome", outcome)


def unknown_taken_for_yes(patch: pytest.MonkeyPatch) -> None:
    """Where nobody measured, the answer is yes."""
    right = findings.answer_of

    def optimist(found, side):
        return right([one for one in found if one.severity != "unknown"], side)

    patch.setattr(verdict, "answer_of", optimist)
    patch.setattr(baseline, "answer_of", optimist)


def not_recorded_taken_for_no_values(patch: pytest.MonkeyPatch) -> None:
    """A host of which nothing is recorded is said to keep the empty set of values."""
    _everywhere(patch, "NOT_RECORDED", values.NOT_RECORDED, values.FieldValues(()))


def conflicts_unsaid(patch: pytest.MonkeyPatch) -> None:
    """A field without a common value is left out, and nobody is told."""
    right = solve.solve
    patch.setattr(registers, "solve", lambda *a: replace(right(*a), blocked=()))
