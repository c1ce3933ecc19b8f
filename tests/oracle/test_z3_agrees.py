"""An independent oracle: z3 maximises every field by itself, and must find exactly what choice and closure find.

What a field may be and which rules are asked comes from ``reference``, not from the engine; the order of values is
said to z3 as a number for each, so that not even a comparison is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
import z3

from armlevel.arch import Field
from tests.laws import reference
from tests.laws.small import World, make_world
from tests.mutants.engine import closure_in_one_pass, sign_ignored

#: Every run tries the same examples; another seed is another day's work.
SEED = 0xA57
EXAMPLES = 2_000


def worlds() -> Iterator[World]:
    chance = Random(SEED)
    return (make_world(chance) for _ in range(EXAMPLES))


def z3_best(world: World) -> dict[str, int]:
    """Each field's greatest value over all solutions, found by z3 one objective at a time."""
    options, fields = world.options(), world.fields
    # A field is the place of its value among its candidates, worst first.
    place = {name: z3.Int(name) for name in options}
    solver = z3.Optimize(ctx=z3.main_ctx())
    solver.set(priority="box")  # every objective by itself, not a sum and not one after the other
    for name, fit in options.items():
        solver.add(place[name] >= 0, place[name] < len(fit))
    for rule in reference.enforced(world.rules, fields, world.offers):
        if rule.field in options and rule.then in options:
            least = _first(fields[rule.field], options[rule.field], rule.at_least)
            needs = _first(fields[rule.then], options[rule.then], rule.then_at_least)
            if least > 0:  # some candidate is below the threshold: the rule can be kept
                solver.add(z3.Or(place[rule.field] < least, place[rule.then] >= needs))
    goals = {name: solver.maximize(one) for name, one in place.items()}
    assert solver.check() == z3.sat
    return {name: options[name][goal.upper().as_long()] for name, goal in goals.items()}


def _first(field: Field, fit: list[int], threshold: int) -> int:
    # The place of the first candidate that reaches a threshold; past the end if none does.
    return next((i for i, value in enumerate(fit) if reference.reaches(field, value, threshold)), len(fit))


def test_z3_finds_what_choice_and_closure_find(tell):
    count = lowered = rules = signed = listed = gaps = 0
    for world in worlds():
        solution = world.solve()
        assert dict(solution.values) == z3_best(world)
        count += 1
        rules += len(world.rules)
        lowered += bool(solution.steps)
        kinds = [field.order.kind for field in world.fields.values()]
        signed += "signed" in kinds
        listed += "list" in kinds
        gaps += any(len(field.values) < 1 << field.width for field in world.fields.values())
    assert count >= 2_000
    tell(
        f"z3 oracle: {count} small catalogues (seed {SEED:#x}; {signed} with signed, {listed} with listed orders, "
        f"{gaps} with gaps; {rules} rules), all equal; closure lowered something in {lowered}"
    )


@pytest.mark.parametrize("mutant", [closure_in_one_pass, sign_ignored], ids=lambda mutant: mutant.__name__)
def test_z3_catches(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, tell):
    mutant(monkeypatch)
    tried = 0
    for world in worlds():
        tried += 1
        if dict(world.solve().values) != z3_best(world):
            break
    else:
        pytest.fail(f"z3 did not notice in {tried} examples")
    tell(f"z3 oracle: the mutant {mutant.__name__} fails at example {tried} of {EXAMPLES}")
