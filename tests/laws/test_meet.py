"""Intersection: associative, commutative, idempotent, so hosts may be met in any order, twice, or in groups."""

from __future__ import annotations

from functools import reduce
from operator import and_

from hypothesis import given

from armlevel.engine.fields.domains import NOTHING_KNOWN, Domain, Space
from tests.laws.small import World
from tests.laws.strategies import domains, worlds

# The domain of no host at all: everything is kept.
NO_HOST = Domain(None, None, frozenset())


@given(domains(), domains(), domains())
def test_meeting_domains_does_not_depend_on_grouping(a, b, c):
    assert (a & b) & c == a & (b & c)


@given(domains(), domains())
def test_meeting_domains_does_not_depend_on_order(a, b):
    assert a & b == b & a


@given(domains())
def test_meeting_a_domain_with_itself_changes_nothing(a):
    assert a & a == a
    assert a & Domain(a.certain, a.possible, a.limits) == a


@given(domains())
def test_no_host_at_all_is_the_identity(a):
    assert a & NO_HOST == a


@given(domains(), domains())
def test_what_is_sure_stays_hoped_for(a, b):
    for domain in (a, b, a & b):
        assert domain.possible is None or (domain.certain is not None and domain.certain <= domain.possible)


@given(domains(), domains())
def test_a_meeting_keeps_what_both_keep_and_remembers_every_limit(a, b):
    met = a & b
    for value in range(16):
        assert (value in met) == (value in a and value in b)
    assert met.limits == a.limits | b.limits


@given(domains(), domains())
def test_a_meeting_keeps_no_more_than_either(a, b):
    assert a & b <= a
    assert a & b <= b
    assert a <= a & a


@given(domains(), domains())
def test_a_domain_that_keeps_no_more_keeps_no_other_value_and_has_every_limit(a, b):
    for low, high in ((a, b), (a & b, b), (a, a & b)):
        fewer = all(value in high for value in range(16) if value in low) and low.limits >= high.limits
        assert fewer or not low <= high
        assert (low <= high <= low) == (low == high)


@given(domains())
def test_a_field_of_which_nothing_is_known_makes_nothing_sure(a):
    met = a & NOTHING_KNOWN
    assert met.certain == frozenset()
    assert met.possible == a.possible
    assert Space({}).get("R0.F0") == NOTHING_KNOWN


@given(worlds())
def test_meeting_spaces_is_associative_commutative_and_idempotent(world: World):
    spaces = [world.space([offer]) for offer in world.offers]
    together = world.space()
    assert reduce(and_, spaces) == together
    assert reduce(and_, reversed(spaces)) == together
    assert together & together == together
    assert all(one & together == together for one in spaces)
    a, b, c = spaces[0], spaces[-1], together
    assert (a & b) & c == a & (b & c)


@given(worlds())
def test_a_field_that_one_space_lacks_is_met_as_nothing_known(world: World):
    space = world.space()
    less = Space({name: one for index, (name, one) in enumerate(space.domains.items()) if index % 2})
    met = space & less
    assert met == less & space
    for name, domain in space.domains.items():
        assert met.get(name) == (domain if name in less.domains else domain & NOTHING_KNOWN)
