"""Closure: the greatest values that keep Arm's rules, whatever the order in which rules are looked at."""

from __future__ import annotations

from itertools import permutations
from math import prod

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from armlevel.arch import FieldRule
from armlevel.engine.fields import closure
from armlevel.engine.fields.closure import Closed
from tests.laws import reference
from tests.laws.small import World
from tests.laws.strategies import tiny_worlds, worlds

# Trying all assignments of more than this many would only be slow.
ENOUGH = 5_000


def closed(world: World, rules: tuple[FieldRule, ...]) -> Closed:
    options = {name: tuple(reversed(fit)) for name, fit in world.options().items()}
    return closure.close({name: fit[0] for name, fit in options.items()}, options, rules, world.fields)


@settings(max_examples=200)
@given(worlds())
def test_closing_twice_changes_nothing(world: World):
    once = closed(world, world.rules)
    options = {name: tuple(reversed(fit)) for name, fit in world.options().items()}
    twice = closure.close(once.values, options, world.rules, world.fields)
    assert twice.values == once.values
    assert not twice.steps
    assert twice.stuck == once.stuck


@settings(max_examples=200)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_rules_does_not_matter(world: World, chance):
    once = closed(world, world.rules)
    again = closed(world, tuple(chance.sample(world.rules, len(world.rules))))
    assert again.values == once.values
    assert set(again.stuck) == set(once.stuck)


@given(tiny_worlds())
def test_no_order_of_four_rules_matters(world: World):
    orders = permutations(world.rules[:4])
    assert len({tuple(sorted(closed(world, rules).values.items())) for rules in orders}) == 1


@given(worlds())
def test_closure_only_lowers_and_stays_among_the_candidates(world: World):
    options, result = world.options(), closed(world, world.rules)
    assert result.values.keys() == options.keys()
    for name, value in result.values.items():
        assert value in options[name]
        assert not reference.above(world.fields[name], value, options[name][-1])
    for step in result.steps:
        assert reference.above(world.fields[step.field], step.before, step.after)


@given(worlds())
def test_every_lowered_field_says_by_which_rules_it_came_there(world: World):
    options, result = world.options(), closed(world, world.rules)
    reached = {name: fit[-1] for name, fit in options.items()}
    for step in result.steps:
        assert step.field == step.rule.field
        assert step.before == reached[step.field]
        assert not reference.keeps(step.rule, reached, world.fields)
        reached[step.field] = step.after
    assert reached == result.values


@settings(max_examples=300)
@given(worlds())
def test_a_closed_cpu_breaks_only_rules_that_it_names_as_stuck(world: World):
    options, result = world.options(), closed(world, world.rules)
    broken = [rule for rule in world.rules if not reference.keeps(rule, result.values, world.fields)]
    assert sorted(map(str, result.stuck)) == sorted(map(str, broken))
    for rule in result.stuck:
        field = world.fields[rule.field]
        assert all(reference.reaches(field, value, rule.at_least) for value in options[rule.field])


@settings(max_examples=300)
@given(tiny_worlds())
def test_closure_is_the_greatest_fixpoint_by_trying_everything(world: World):
    options = world.options()
    assume(prod(map(len, options.values())) < ENOUGH)
    assert closed(world, world.rules).values == reference.best(options, world.rules, world.fields)


@settings(max_examples=300)
@given(tiny_worlds())
def test_levelling_is_the_greatest_solution_by_trying_everything(world: World):
    options = world.options()
    assume(prod(map(len, options.values())) < ENOUGH)
    asked = reference.enforced(world.rules, world.fields, world.offers)
    assert world.solve().values == reference.best(options, asked, world.fields)


@settings(max_examples=400)
@given(worlds())
def test_a_levelled_cpu_breaks_no_rule_that_none_of_its_hosts_broke(world: World):
    solution = world.solve()
    for rule in world.rules:
        if not reference.keeps(rule, solution.values, world.fields):
            hosts = [reference.limits_of(offer, world.fields) for offer in world.offers]
            some_host_does = any(not reference.keeps(rule, values, world.fields) for values in hosts)
            # Where nothing can keep it, the rule is named: there is no baseline then.
            assert some_host_does or rule in solution.broken
