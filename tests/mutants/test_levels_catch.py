"""Each way of levelling wrongly without reasons is caught: it then contradicts levelling."""

from __future__ import annotations

import pytest

from tests.laws.test_levels import coupled, odd_levels, of_two_cores, starts_nowhere
from tests.mutants import levels as mutants
from tests.mutants.levels import Mutant
from tests.mutants.test_vectors_catch import Law, caught

#: mutant, the law that it breaks, and how many examples it may survive.
FEW: list[tuple[Mutant, Law, int]] = [
    (mutants.rules_not_followed, odd_levels, 40),
    (mutants.hosts_own_breaks_forgotten, odd_levels, 40),
    (mutants.couplings_forgotten, coupled, 1),
    (mutants.meaning_forgotten, odd_levels, 40),
    (mutants.conflict_taken_for_doubt, odd_levels, 40),
    (mutants.registers_not_shown_forgotten, odd_levels, 40),
    (mutants.starts_not_put_together, starts_nowhere, 1),
    (mutants.host_not_looked_at("counters"), starts_nowhere, 1),
    (mutants.host_not_looked_at("cores"), of_two_cores, 1),
    (mutants.host_not_looked_at("list"), odd_levels, 40),
    (mutants.host_not_looked_at("firmware"), odd_levels, 40),
]
MORE: list[tuple[Mutant, Law, int]] = [
    (mutants.doubt_taken_for_conflict, odd_levels, 200),
    (mutants.values_not_recorded_forgotten, odd_levels, 200),
    (mutants.smaller_shapes_not_tried, odd_levels, 200),
    (mutants.pointers_not_given_up, odd_levels, 200),
    *(
        (mutants.host_not_looked_at(name), odd_levels, 200)
        for name in ("cache", "facts", "implementation", "lengths")
    ),
]


@pytest.mark.parametrize(("mutant", "law", "most"), FEW, ids=lambda one: getattr(one, "__name__", ""))
def test_a_wrong_level_is_caught(mutant, law, most, monkeypatch: pytest.MonkeyPatch):
    assert caught(mutant, law, most, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "law", "most"), MORE, ids=lambda one: getattr(one, "__name__", ""))
def test_a_wrong_level_is_caught_by_many_hosts(mutant, law, most, monkeypatch: pytest.MonkeyPatch):
    assert caught(mutant, law, most, monkeypatch)
