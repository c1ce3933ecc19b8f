"""Intersection: associative, commutative, idempotent, so hosts may be met in any order, twice, or in groups."""

from __future__ import annotations

from functools import reduce

from hypothesis import given

from armlevel.engine.fields.domains import NOTHING_KNOWN, Domain, Space
from tests.laws.small import World
from tests.laws.strategies import domains, worlds

# The domain of no host at all: everything is kept.
NO_HOST = Domain(None, None, frozenset())


@given(domains(), domains(), domains())
def test_meeting_domains_does_not_depend_on_grouping(a, b, c):
    assert a.meet(b).meet(c) == a.meet(b.meet(c))


@given(domains(), domains())
def test_meeting_domains_does_not_depend_on_order(a, b):
    assert a.meet(b) == b.meet(a)


@given(domains())
def test_meeting_a_domain_with_itself_changes_nothing(a):
    assert a.meet(a) == a
    assert a.meet(Domain(a.certain, a.possible, a.limits)) == a


@given(domains())
def test_no_host_at_all_is_the_identity(a):
    assert a.meet(NO_HOST) == a


@given(domains(), domains())
def test_what_is_sure_stays_hoped_for(a, b):
    for domain in (a, b, a.meet(b)):
        assert domain.possible is None or (domain.certain is not None and domain.certain <= domain.possible)


@given(domains(), domains())
def test_a_meeting_keeps_what_both_keep_and_remembers_every_limit(a, b):
    met = a.meet(b)
    for value in range(16):
        assert _keeps(met, value) == (_keeps(a, value) and _keeps(b, value))
    assert met.limits == a.limits | b.limits


def _keeps(domain, value):
    return domain.certain is None or value in domain.certain


@given(domains())
def test_a_field_of_which_nothing_is_known_makes_nothing_sure(a):
    met = a.meet(NOTHING_KNOWN)
    assert met.certain == frozenset()
    assert met.possible == a.possible
    assert Space({}).get("R0.F0") == NOTHING_KNOWN


@given(worlds())
def test_meeting_spaces_is_associative_commutative_and_idempotent(world: World):
    spaces = [world.space([offer]) for offer in world.offers]
    together = world.space()
    assert reduce(Space.meet, spaces) == together
    assert reduce(Space.meet, reversed(spaces)) == together
    assert together.meet(together) == together
    assert all(one.meet(together) == together for one in spaces)
    a, b, c = spaces[0], spaces[-1], together
    assert a.meet(b).meet(c) == a.meet(b.meet(c))


@given(worlds())
def test_a_field_that_one_space_lacks_is_met_as_nothing_known(world: World):
    space = world.space()
    less = Space({name: one for index, (name, one) in enumerate(space.domains.items()) if index % 2})
    met = space.meet(less)
    assert met == less.meet(space)
    for name, domain in space.domains.items():
        assert met.get(name) == (domain if name in less.domains else domain.meet(NOTHING_KNOWN))
