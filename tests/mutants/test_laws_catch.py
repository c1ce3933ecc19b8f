"""Each mutant is caught: a law that holds for the engine fails for the wrong one, at the examples of every run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import Phase, given, seed, settings

from tests.engine import test_verdict as cases_verdict
from tests.engine.fields import test_bundles as cases_bundles
from tests.engine.fields import test_choice as cases_choice
from tests.engine.moves import test_predict_there as cases_there
from tests.engine.parts import test_firmware as cases_firmware
from tests.engine.parts import test_register_list as cases_state
from tests.engine.parts import test_shape_unknown as cases_unknown
from tests.engine.parts import test_shape_vectors as cases_vectors
from tests.laws import (
    doors,
    test_baseline,
    test_choice,
    test_closure,
    test_doors,
    test_findings,
    test_meet,
    test_not_recorded,
    test_partial,
)
from tests.laws.strategies import domains, fleets, implementations, pairs_of_hosts, tiny_worlds, worlds
from tests.mutants import engine as mutants
from tests.mutants import unknown


def forget_answers() -> None:
    """Forget what pure functions of the engine answered: what a right one said before is no answer of a wrong one."""
    modules = [one for name, one in sys.modules.items() if name.startswith("armlevel.engine")]
    memories = [one for module in modules for one in vars(module).values() if hasattr(one, "cache_clear")]
    assert memories, "there is nothing that is remembered"
    for memory in memories:
        memory.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    forget_answers()


SEED = 1
_WORLDS = (worlds, 400)
_FLEETS = (fleets, 300)
_TINY = (tiny_worlds, 600)

_PAIRS = (pairs_of_hosts, 300)
_NONE_OPEN = test_baseline.test_no_guest_starts_where_levelling_the_two_hosts_leaves_something_open
_ARRIVES = test_baseline.test_what_is_levelled_arrives_everywhere_and_starts_where_it_is_born
_CHOICE_KEPT = test_choice.test_every_host_keeps_what_is_chosen
_PLAINLY = test_choice.test_the_candidates_are_those_of_the_plain_definition
_NOT_ABOVE = test_choice.test_a_guest_never_sees_more_than_its_weakest_host
_GROUPING = test_choice.test_neither_order_nor_duplicates_nor_grouping_of_hosts_matter
_NO_MORE_SAID = test_not_recorded.test_of_two_implementations_no_more_is_said_where_less_is_recorded
_NEWLY_BROKEN = test_closure.test_a_levelled_cpu_breaks_no_rule_that_none_of_its_hosts_broke

#: mutant, the law that it breaks, and on what: a strategy and how many examples it may survive.
LAWS: list[tuple[mutants.Mutant, Callable, tuple]] = [
    (mutants.closure_in_one_pass, test_closure.test_closing_twice_changes_nothing, _WORLDS),
    (mutants.closure_in_one_pass, test_closure.test_no_order_of_four_rules_matters, (tiny_worlds, 300)),
    (
        mutants.closure_in_one_pass,
        test_closure.test_levelling_is_the_greatest_solution_by_trying_everything,
        _TINY,
    ),
    (mutants.sign_ignored, _PLAINLY, _WORLDS),
    (mutants.sign_ignored, test_closure.test_levelling_is_the_greatest_solution_by_trying_everything, _TINY),
    (mutants.choice_above_a_limit, _NOT_ABOVE, _WORLDS),
    (mutants.aarch32_kept, test_baseline.test_what_has_no_meaning_takes_no_part, _FLEETS),
    (mutants.inversion_ignored, _PLAINLY, _WORLDS),
    (mutants.gaps_filled, _CHOICE_KEPT, _WORLDS),
    (mutants.stuck_rules_forgotten, _NEWLY_BROKEN, _WORLDS),
    (mutants.hope_taken_for_sure, _CHOICE_KEPT, _WORLDS),
    (mutants.meeting_is_union, _CHOICE_KEPT, _WORLDS),
    (
        mutants.limits_of_the_first_host,
        test_meet.test_meeting_domains_does_not_depend_on_order,
        (domains, 100),
    ),
    (mutants.limits_of_the_first_host, _GROUPING, _WORLDS),
    (mutants.every_rule_enforced, test_choice.test_of_one_host_alone_the_limits_are_taken, _WORLDS),
    (mutants.carried_by_some, _ARRIVES, _FLEETS),
    (mutants.born_anywhere, _ARRIVES, _FLEETS),
    (mutants.weakest_level_raised, _ARRIVES, _FLEETS),
    (mutants.facts_guessed, _ARRIVES, _FLEETS),
    (
        mutants.not_recorded_taken_for_no_values,
        test_findings.test_no_finding_holds_an_empty_set_of_values,
        (fleets, 100),
    ),
    (
        unknown.missing_number_read_as_0,
        test_not_recorded.test_what_is_not_recorded_makes_no_answer_a_yes,
        (pairs_of_hosts, 60),
    ),
    (unknown.missing_number_taken_for_equal, _NO_MORE_SAID, (implementations, 100)),
    (unknown.missing_number_taken_for_different, _NO_MORE_SAID, (implementations, 100)),
    (mutants.state_beyond_the_profile_unseen, _NONE_OPEN, _PAIRS),
    (mutants.conflicts_unsaid, test_baseline.test_every_host_keeps_each_value_as_written, _FLEETS),
]

#: mutant, and the single case that it breaks.
CASES: list[tuple[mutants.Mutant, Callable]] = [
    (mutants.sign_ignored, cases_choice.test_a_signed_field_without_the_feature_is_less_than_one_with_it),
    (mutants.aarch32_kept, cases_state.test_registers_without_meaning_are_not_carried),
    (mutants.choice_above_a_limit, cases_choice.test_a_value_that_kvm_takes_above_its_limit_is_never_chosen),
    (mutants.lengths_in_the_middle, cases_vectors.test_a_length_cannot_be_left_out_in_the_middle),
    (mutants.paint_field_by_field, cases_bundles.test_paint_is_never_mixed_of_two_cores),
    (
        mutants.ignored_taken_for_kept,
        cases_verdict.test_a_changed_value_does_not_start_and_arrives_where_the_difference_is_harmless,
    ),
    (
        unknown.register_of_no_table_unseen,
        cases_verdict.test_a_register_that_no_table_knows_leaves_the_start_open_where_only_the_host_shows_it,
    ),
    (mutants.unknown_taken_for_yes, cases_verdict.test_where_no_rule_was_measured_the_answer_is_unknown),
    (mutants.born_anywhere, cases_firmware.test_with_mixed_levels_guests_are_born_where_they_are_lowest),
    (unknown.lowered_taken_for_fixed, test_partial.test_less_of_what_kvm_lowers_is_no_certain_no),
    (
        unknown.absence_counts_on_any_kernel,
        test_partial.test_what_a_missing_capability_says_hangs_on_the_kernel,
    ),
    (unknown.one_core_stands_for_all, test_partial.test_a_host_has_no_more_than_any_of_its_cpus),
    (
        unknown.any_kernel_shows_what_the_cpus_have,
        test_partial.test_a_no_under_a_kernel_that_nobody_measured_is_one_of_the_cpus,
    ),
    (unknown.rows_hold_for_ever, test_partial.test_a_newer_kernel_than_the_rows_know_is_not_spoken_of),
    (
        unknown.unrecorded_cpu_forgotten,
        test_partial.test_a_midr_that_no_cpu_has_is_refused_and_one_that_some_cpu_may_have_is_not_known,
    ),
    (
        unknown.feature_of_no_shape_taken_for_absent,
        test_doors.test_a_feature_of_no_recorded_shape_makes_no_guest,
    ),
    (
        mutants.numbers_of_the_offer_alone,
        cases_verdict.test_levelling_takes_numbers_that_an_offer_does_not_record_from_the_cpus_as_check_does,
    ),
    (
        unknown.imported_though_not_recorded,
        test_doors.test_a_guest_of_which_not_all_is_recorded_is_imported_with_a_doubt,
    ),
    (unknown.newer_kvm_taken_for_known, cases_unknown.test_a_guest_remembers_it),
    (
        unknown.newer_kvm_of_the_destination_unseen,
        cases_unknown.test_where_a_vmm_passes_its_own_cpu_through_arriving_is_left_open,
    ),
    (
        unknown.pages_not_recorded_taken_for_equal,
        cases_there.test_pages_that_nobody_recorded_leave_a_move_under_qemu_open,
    ),
    (unknown.missing_count_written_as_0, test_not_recorded.test_a_missing_count_of_cpus_is_written_as_missing),
]  # fmt: skip

#: mutant, and the door at which less recorded is more promised.
DOORS: list[tuple[mutants.Mutant, Callable]] = [
    (unknown.left_open_unsaid_by_diff, doors.by_diff),
    (unknown.left_open_unsaid_by_drift, doors.by_drift),
    (mutants.unknown_taken_for_yes, doors.by_check),
    (mutants.facts_guessed, doors.by_baseline),
    (unknown.unknown_move_taken_for_one, doors.by_migrate),
    (unknown.group_of_what_is_not_refused, doors.by_plan),
    (unknown.together_unless_refused, doors.by_matrix),
    (unknown.file_of_what_is_not_recorded, doors.by_export),
    (unknown.label_unless_refused, doors.by_export),
    (unknown.trait_unless_refused, doors.by_export),
    (unknown.frozen_though_not_recorded, doors.by_freeze),
    (unknown.started_unless_refused, doors.by_run),
]


def _names(item: object) -> str | None:
    return getattr(item, "__name__", "examples")


@pytest.mark.parametrize(("mutant", "law", "tried"), LAWS, ids=_names)
def test_a_wrong_engine_breaks_a_law(mutant, law, tried, monkeypatch: pytest.MonkeyPatch):
    strategy, most = tried
    bare = law.hypothesis.inner_test
    plan = settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        print_blob=False,
    )
    # A fixed seed: the same examples whatever else changes. A law of several arguments draws them all from the same.
    drawn = [strategy() for _ in range(bare.__code__.co_argcount)]
    again = seed(SEED)(plan(given(*drawn)(bare)))
    mutant(monkeypatch)
    forget_answers()
    with pytest.raises(AssertionError):
        again()


@pytest.mark.parametrize(("mutant", "case"), CASES, ids=_names)
def test_a_wrong_engine_fails_a_case(mutant, case, monkeypatch: pytest.MonkeyPatch):
    case()
    mutant(monkeypatch)
    forget_answers()
    with pytest.raises(AssertionError):
        case()


@pytest.mark.parametrize(("mutant", "door"), DOORS, ids=_names)
def test_a_door_that_says_yes_to_the_unknown_breaks_the_law(mutant, door, monkeypatch: pytest.MonkeyPatch):
    mutant(monkeypatch)
    forget_answers()
    with pytest.raises(AssertionError):
        test_doors.judged(door, 3 * test_doors.TRIED[door])


def test_the_four_that_must_be_caught_are_among_them():
    must = {
        mutants.closure_in_one_pass,
        mutants.sign_ignored,
        mutants.choice_above_a_limit,
        mutants.aarch32_kept,
    }
    assert must <= {mutant for mutant, *_ in LAWS}


def test_every_mutant_is_caught_somewhere(tell):
    every = {
        one
        for module in (mutants, unknown)
        for name, one in vars(module).items()
        if callable(one) and getattr(one, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert every == {mutant for mutant, *_ in (*LAWS, *CASES, *DOORS)}
    tell(
        f"mutants: {len(every)} wrong engines, {len(LAWS)} caught by laws, {len(CASES)} by single cases, "
        f"{len(DOORS)} at a door"
    )
