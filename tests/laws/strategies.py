"""What the laws are tried on: domains, small worlds, and fleets of hosts over the real catalogue."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import Phase
from hypothesis import strategies as st

from armlevel.engine.fields.domains import Domain
from armlevel.profile import Implementation
from tests.laws.fleet import Fleet, make_fleet
from tests.laws.small import World, make_world

__all__ = ["QUICK", "domains", "fleets", "implementations", "pairs_of_hosts", "tiny_worlds", "worlds"]

_T = TypeVar("_T")

#: Without shrinking: a fleet is many registers, and making it smaller takes longer than reading it.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


@st.composite
def domains(draw) -> Domain:
    """The domain of one 4-bit field: any values may be missing, any may be uncertain."""
    values = st.frozensets(st.integers(0, 15))
    hope = draw(st.none() | values)
    some = draw(values)
    anything = hope is None and draw(st.booleans())
    sure = None if anything else frozenset(value for value in some if hope is None or value in hope)
    return Domain(sure, hope, draw(values))


def worlds(**sizes) -> st.SearchStrategy[World]:
    """Small catalogues with hosts; see :mod:`tests.laws.small`."""
    return _drawn(lambda chance: make_world(chance, **sizes))


def tiny_worlds() -> st.SearchStrategy[World]:
    """Worlds so small that every assignment can be tried."""
    return worlds(fields=(2, 4))


def fleets(**sizes) -> st.SearchStrategy[Fleet]:
    """Hosts near real ones; see :mod:`tests.laws.fleet`."""
    return _drawn(lambda chance: make_fleet(chance, **sizes))


def pairs_of_hosts() -> st.SearchStrategy[Fleet]:
    """Two hosts near real ones, of one shape."""
    return fleets(hosts=(2, 2), one_shape=True)


def implementations() -> st.SearchStrategy[Implementation]:
    """Implementations of small numbers, of which any may be not recorded."""
    number = st.none() | st.integers(0, 1)
    return st.builds(Implementation, number, number, number)


def _drawn(make: Callable[[Random], _T]) -> st.SearchStrategy[_T]:
    # Half by hypothesis, which likes corners and can make an example smaller; half by plain chance, which is even.
    return st.builds(make, st.randoms(use_true_random=False)) | st.integers(0, 1 << 32).map(
        lambda seed: make(Random(seed))
    )
