"""For each kind of slot and for each table a wrong one is caught: vectors then contradict the judgement."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from armlevel.arch import load
from armlevel.engine.screen.tables import TABLES
from armlevel.engine.screen.vmm_tables import tables_of
from tests.engine import test_screen
from tests.laws.test_vectors import odd_guests, odd_moves, odd_partial
from tests.mutants import vectors as mutants
from tests.mutants.vectors import Mutant

Law = Callable[[Random], None]


def _case(case: Callable[[], None]) -> Law:
    return lambda _: case()


_COUPLED = _case(test_screen.test_a_guest_that_breaks_what_kvm_enforces_between_fields_is_not_kept)

#: mutant, the law that it breaks, and how many examples it may survive.
SLOTS: list[tuple[Mutant, Law, int]] = [
    (mutants.unmeasured_value_taken_for_kept, odd_guests, 40),
    (mutants.registers_without_meaning_judged_like_others, odd_guests, 40),
    (mutants.reserved_bits_forgotten, odd_guests, 40),
    (mutants.change_before_the_first_run_forgotten, odd_guests, 40),
    (mutants.tolerated_fields_judged, odd_guests, 40),
    (mutants.facts_not_recorded_taken_for_equal, odd_guests, 40),
    (mutants.coupling_forgotten, _COUPLED, 1),
    (mutants.fields_seen_together_forgotten, odd_guests, 40),
]

_OF_A_VMM = tuple(
    one.name for one in tables_of(load().vmms["qemu-tolerant"], load()) if one.name.startswith("vmm-")
)
_DETERMINED: dict[str, Law] = {
    "vmm-hidden": _case(test_screen.test_a_register_that_the_destination_hides_from_the_guest_ends_the_move),
    "cache-geometry": _case(test_screen.test_a_cache_geometry_with_shorter_lines_is_not_kept),
}
#: Whether they are asked decides these, and nothing else: to forget the rest is no mistake.
_ASKED_OR_NOT = {"vmm-unknown"}
# The guests of one fleet differ there in what is recorded of them.
_LAWS: dict[str, Law] = {**_DETERMINED, "partial-guests": odd_partial}
_EVERY: list[tuple[str, Law]] = [
    *((one.name, _LAWS.get(one.name, odd_guests)) for one in TABLES),
    *((name, _LAWS.get(name, odd_moves)) for name in _OF_A_VMM),
]


def caught(mutant: Mutant, law: Law, most: int, patch: pytest.MonkeyPatch) -> bool:
    """Whether a law fails for a mutant on one of so many examples."""
    mutant(patch)
    for number in range(most):
        try:
            law(Random(number))
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize(("mutant", "law", "most"), SLOTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_wrong_slot_is_caught(mutant, law, most, monkeypatch: pytest.MonkeyPatch):
    assert caught(mutant, law, most, monkeypatch)


@pytest.mark.parametrize(("name", "law"), _EVERY, ids=lambda one: one if isinstance(one, str) else "")
def test_a_question_that_is_not_asked_is_caught(name, law, monkeypatch: pytest.MonkeyPatch):
    assert caught(mutants.table_dropped(name), law, 120, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("forget", [mutants.guest_not_looked_at, mutants.host_not_looked_at])
@pytest.mark.parametrize(("name", "law"), _EVERY, ids=lambda one: one if isinstance(one, str) else "")
def test_a_table_that_forgets_what_decides_is_caught(name, law, forget, monkeypatch: pytest.MonkeyPatch):
    harmless = name in _ASKED_OR_NOT
    assert caught(forget(name), law, 30 if harmless else 400, monkeypatch) != harmless
