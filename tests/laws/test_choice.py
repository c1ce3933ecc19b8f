"""Choice: the best value that every host keeps, and never above any host."""

from __future__ import annotations

from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from armlevel.engine.fields import choice
from armlevel.engine.fields.domains import Space
from tests.laws import reference
from tests.laws.small import World
from tests.laws.strategies import worlds


@settings(max_examples=300)
@given(worlds())
def test_the_candidates_are_those_of_the_plain_definition(world: World):
    space = world.space()
    for name, field in world.fields.items():
        assert list(reversed(choice.candidates(field, space.get(name)))) == reference.candidates(
            field, world.offers
        )


@settings(max_examples=300)
@given(worlds())
def test_a_guest_never_sees_more_than_its_weakest_host(world: World):
    for name, value in world.solve().values.items():
        field = world.fields[name]
        for offer in world.offers:
            assert not reference.above(field, value, field.get(offer.limits[field.register]))


@settings(max_examples=300)
@given(worlds())
def test_every_host_keeps_what_is_chosen(world: World):
    for name, value in world.solve().values.items():
        for offer in world.offers:
            assert reference.accepts(offer, world.fields[name]).outcome(value) == "same"


@given(worlds())
def test_a_value_is_architected_or_some_hosts_own_limit(world: World):
    for name, value in world.solve().values.items():
        field = world.fields[name]
        limits = {field.get(offer.limits[field.register]) for offer in world.offers}
        assert value in limits or value in field.values


@given(worlds())
def test_of_one_host_alone_the_limits_are_taken(world: World):
    for offer in world.offers:
        solution = world.solve([offer])
        assert dict(solution.values) == reference.limits_of(offer, world.fields)
        assert not solution.blocked
        assert not solution.broken


@settings(max_examples=200)
@given(worlds())
def test_neither_order_nor_duplicates_nor_grouping_of_hosts_matter(world: World):
    whole, offers = world.solve(), list(world.offers)
    assert world.solve(offers[::-1]) == whole
    assert world.solve([*offers, *offers]) == whole
    groups = world.space(offers[: len(offers) // 2]) if len(offers) > 1 else world.space()
    rest = world.space(offers[len(offers) // 2 :])
    assert world.solve(space=groups & rest) == whole
    assert world.solve(space=rest & groups) == whole


@given(worlds(), st.integers())
def test_the_order_of_fields_does_not_matter(world: World, seed: int):
    space = world.space()
    names = list(space.domains)
    Random(seed).shuffle(names)
    again = world.solve(space=Space({name: space.domains[name] for name in names}))
    assert again.values == world.solve().values


@settings(max_examples=400)
@given(worlds())
def test_adding_a_host_never_raises_a_field_that_has_an_order(world: World):
    # Where every limit is architected: a value that only a new host names may be chosen once that host is there.
    if not world.architected or len(world.offers) < 2:
        return
    before, after = world.solve(world.offers[:-1]), world.solve()
    if after.blocked or before.blocked:
        return  # there is no levelled CPU to speak of
    # A rule that nothing can keep any more lets go of its field, and of what leant on that field.
    free = {rule.field for rule in (*after.kept, *after.broken)}
    while more := {rule.field for rule in world.rules if rule.then in free} - free:
        free |= more
    event(f"fields let go: {bool(free)}")
    for name, field in world.fields.items():
        if field.order.total and name not in free:
            assert not reference.above(field, after.values[name], before.values[name])
