"""Wrong engines about what is not known: a gap taken for a yes, a no, a value or an equal, and a no that is too sure.

Each is as those of :mod:`tests.mutants.engine` are.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel import engine
from armlevel.documents import write
from armlevel.engine.compare import drift as compare_drift
from armlevel.engine.fields import partial as partial_limits
from armlevel.engine.moves import moves, predict
from armlevel.engine.parts import (
    registers_judged,
    shape_unknown,
)
from armlevel.engine.planning import groups, plan
from armlevel.formats import kubernetes_write, openstack_write
from armlevel.formats.cpu_request import CpuRequest
from armlevel.operations import diff, export, freeze, import_
from armlevel.profile import IMPLEMENTATION_REGISTERS, Implementation
from tests.mutants.engine import _everywhere

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
