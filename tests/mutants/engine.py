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

from armlevel import engine
from armlevel.documents import write
from armlevel.engine import baseline, findings, values, verdict
from armlevel.engine.compare import drift as compare_drift
from armlevel.engine.fields import bundles, choice, closure, domains, no_meaning, solve
from armlevel.engine.fields import partial as partial_limits
from armlevel.engine.fields.closure import Closed, Lowering, at_least, holds
from armlevel.engine.fields.domains import Domain
from armlevel.engine.moves import moves, predict
from armlevel.engine.parts import (
    facts,
    firmware,
    register_list,
    registers,
    registers_implementation,
    registers_judged,
    shape_unknown,
    shape_vectors,
)
from armlevel.engine.planning import groups, plan
from armlevel.formats import kubernetes_write, openstack_write
from armlevel.formats.cpu_request import CpuRequest
from armlevel.operations import diff, export, freeze, import_
from armlevel.profile import IMPLEMENTATION_REGISTERS, Accepts, Implementation

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


# ---- what is not recorded


def missing_number_read_as_0(patch: pytest.MonkeyPatch) -> None:
    """REVIDR_EL1 or AIDR_EL1 that nobody recorded is 0."""

    def from_registers(values):
        found = [values.get(register, 0) for register in IMPLEMENTATION_REGISTERS]
        return Implementation(*found) if "MIDR_EL1" in values else None

    patch.setattr(Implementation, "from_registers", from_registers)


def missing_number_taken_for_equal(patch: pytest.MonkeyPatch) -> None:
    """Two implementations are one if nothing that is recorded differs."""
    right = Implementation.same_as
    patch.setattr(Implementation, "same_as", lambda one, two: right(one, two) is not False)


def missing_number_taken_for_different(patch: pytest.MonkeyPatch) -> None:
    """Two implementations of which one lacks a number are two."""
    patch.setattr(Implementation, "same_as", lambda one, two: one == two)


def missing_count_written_as_0(patch: pytest.MonkeyPatch) -> None:
    """How many CPUs there are is not recorded, and the document says 0."""
    right = write._cpu
    patch.setattr(write, "_cpu", lambda cpu: right(replace(cpu, count=cpu.count or 0)))


# ---- what is not known, at each door


def register_of_no_table_unseen(patch: pytest.MonkeyPatch) -> None:
    """A register that the host shows and no table knows is no matter for a guest that boots there."""
    right = registers_judged.silent

    def known(case):
        found = right(case)
        return [one for one in found if one.subject.key in case.catalogue.registers]

    patch.setattr(registers_judged, "silent", known)


# ---- a certain no


def lowered_taken_for_fixed(patch: pytest.MonkeyPatch) -> None:
    """What KVM lets be lowered is taken for what it lets nobody change."""
    _everywhere(
        patch,
        "may_keep",
        partial_limits.may_keep,
        lambda _field, limits, _catalogue, **_: frozenset(limits),
    )


def absence_counts_on_any_kernel(patch: pytest.MonkeyPatch) -> None:
    """A capability that is not shown counts as a feature that is not there, however old the kernel is."""
    right = partial_limits._of_capabilities

    def wrong(field, hwcaps, _release, catalogue):
        return right(field, hwcaps, (99, 0), catalogue)

    patch.setattr(partial_limits, "_of_capabilities", wrong)
    partial_limits.limits_by_evidence.cache_clear()


def one_core_stands_for_all(patch: pytest.MonkeyPatch) -> None:
    """A host is taken to have what its most capable CPU has."""
    right = partial_limits._of_cores

    def wrong(field, cores, catalogue):
        return right(field, cores[-1:], catalogue)

    patch.setattr(partial_limits, "_of_cores", wrong)
    partial_limits.limits_by_evidence.cache_clear()


def any_kernel_shows_what_the_cpus_have(patch: pytest.MonkeyPatch) -> None:
    """A kernel that nobody measured hides nothing of the CPUs from its guests."""
    patch.setattr(
        partial_limits,
        "limits_by_silicon",
        lambda cores, catalogue: {
            subject: partial_limits._of_cores(catalogue.fields[subject], cores, catalogue)
            for subject in catalogue.certain.keeps
        },
    )


def rows_hold_for_ever(patch: pytest.MonkeyPatch) -> None:
    """What holds up to a release is said of every later one."""
    _everywhere(patch, "is_spoken_of", partial_limits.is_spoken_of, lambda *_: True)


def unrecorded_cpu_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The CPUs that are recorded are taken for all that could have initialised KVM."""

    def wrong(host):
        return frozenset(cpu.implementation.midr for cpu in host.every_cpu if cpu.implementation.midr)

    _everywhere(patch, "possible_midrs", partial_limits.possible_midrs, wrong)


def left_open_unsaid_by_diff(patch: pytest.MonkeyPatch) -> None:
    """What was not compared is not told."""
    patch.setattr(diff, "not_compared", lambda *_: ())


def left_open_unsaid_by_drift(patch: pytest.MonkeyPatch) -> None:
    """What one of two recordings lacks has not changed."""
    patch.setattr(compare_drift, "not_compared", lambda *_: ())


def _surer(outcome):
    return replace(outcome, parts={part: _yes(answer) for part, answer in outcome.parts.items()})


def _yes(answer):
    return "runs" if answer == "unknown" else answer


def group_of_what_is_not_refused(patch: pytest.MonkeyPatch) -> None:
    """A plan puts hosts together unless something stands against it."""
    patch.setattr(plan.Planner, "works", lambda self, mask: self.baseline(mask)[0].answer != "refused")


def together_unless_refused(patch: pytest.MonkeyPatch) -> None:
    """A matrix says together of hosts of which nothing is known."""
    right = vars(groups)["level"]
    patch.setattr(groups, "level", lambda *a: _surer(right(*a)))


def unknown_move_taken_for_one(patch: pytest.MonkeyPatch) -> None:
    """A move of which it is not known is one."""
    right = vars(moves)["check"]

    def sure(*a):
        found = right(*a)
        return replace(found, parts={p: tuple(map(_yes, both)) for p, both in found.parts.items()})

    patch.setattr(moves, "check", sure)


def pages_not_recorded_taken_for_equal(patch: pytest.MonkeyPatch) -> None:
    """Page sizes that nobody recorded are of one size."""
    right = vars(predict)["judge_pages"]
    patch.setattr(predict, "judge_pages", lambda *a: [f for f in right(*a) if f.severity != "unknown"])


def file_of_what_is_not_recorded(patch: pytest.MonkeyPatch) -> None:
    """A file is said to do all of a guest of which not all is known."""
    patch.setattr(export, "not_recorded", lambda *_: ())
    patch.setattr(export, "_not_there", lambda *_, **__: [])


def label_unless_refused(patch: pytest.MonkeyPatch) -> None:
    """A node of which it is not known gets the label."""
    right = kubernetes_write.feature_file

    def sure(*a, start, arrive):
        return right(*a, start=_yes(start), arrive=_yes(arrive))

    patch.setattr(kubernetes_write, "feature_file", sure)


def trait_unless_refused(patch: pytest.MonkeyPatch) -> None:
    """A compute node of which it is not known gets the traits."""
    right = openstack_write.provider

    def sure(*a, start, arrive):
        return right(*a, start=_yes(start), arrive=_yes(arrive))

    patch.setattr(openstack_write, "provider", sure)


def frozen_though_not_recorded(patch: pytest.MonkeyPatch) -> None:
    """A guest is frozen of which not all is known."""
    patch.setattr(freeze, "not_recorded", lambda *_: ())


def imported_though_not_recorded(patch: pytest.MonkeyPatch) -> None:
    """A guest is imported of which not all is known."""
    patch.setattr(import_, "not_recorded", lambda *_: ())


def feature_of_no_shape_taken_for_absent(patch: pytest.MonkeyPatch) -> None:
    """What a tool turns on where a host has it is off where no shape of the host was recorded with it."""
    patch.setattr(CpuRequest, "left_open", lambda *_: ())


def started_unless_refused(patch: pytest.MonkeyPatch) -> None:
    """QEMU is started though it is not known what the guest would be."""
    right = engine.check

    def sure(*a):
        found = right(*a)
        return replace(found, parts={p: tuple(map(_yes, both)) for p, both in found.parts.items()})

    patch.setattr(engine, "check", sure)


def newer_kvm_taken_for_known(patch: pytest.MonkeyPatch) -> None:
    """Whatever a KVM has beyond the rows is taken for something that no guest depends on."""
    _everywhere(patch, "unknown_to_rows", shape_unknown.unknown_to_rows, lambda _: ())


def newer_kvm_of_the_destination_unseen(patch: pytest.MonkeyPatch) -> None:
    """Only the host that a passthrough guest was started on is asked what it has beyond the rows."""
    patch.setattr(predict, "unknown_there", lambda _: [])
