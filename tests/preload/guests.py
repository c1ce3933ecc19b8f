"""Guests of recorded hosts, levelled once."""

from __future__ import annotations

from functools import cache

from armlevel.arch import load
from armlevel.engine import Policy, level
from armlevel.profile import Guest
from tests.fidelity.hosts import read

__all__ = ["levelled"]


@cache
def levelled(*names: str, tolerate: tuple[str, ...] = ()) -> Guest:
    guest = level(read(names), load(), Policy(tolerate=tolerate)).guest
    assert guest is not None
    return guest
