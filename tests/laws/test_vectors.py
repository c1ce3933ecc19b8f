"""Vectors are the judgement: of a guest on a host they say what the full one says, in every part, on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armlevel.engine import PARTS, Policy
from armlevel.engine.policy import SAME_IMPDEF, WEAKER_MITIGATION
from armlevel.engine.screen.tables import TABLES, parts_without
from tests.laws.compiled import Screened, every_host, guests_of, stranger
from tests.laws.fleet import catalogue, make_fleet
from tests.laws.strategies import QUICK

#: Of the recorded pairs, `make test` judges one of so many, and `make slow` all.
_ONE_OF = 83
_POLICIES = (
    None,
    Policy(assume_same_impdef=True),
    Policy(accept_weaker_mitigation=True),
)


def agree(judged: Iterable[tuple[str, object, object]], seen: Counter[str]) -> None:
    """Hold what the vectors say against the full judgement, and count what was said."""
    for about, full, ours in judged:
        assert ours == full, about
        seen["pairs"] += 1
        for answers in full.values():  # type: ignore[attr-defined]
            seen.update(f"{side} {answer}" for side, answer in zip(("start", "arrive"), answers, strict=True))


def _recorded(one_of: int, tell) -> None:
    every, number = every_host(), 0
    seen: Counter[str] = Counter()
    screened = Screened(every)
    for host in every:
        for guest in guests_of(host):
            number += 1
            agree(screened.judged(guest, range(number * 7 % one_of, len(every), one_of)), seen)
    assert all(
        seen[f"{side} {one}"] for side in ("start", "arrive") for one in ("runs", "refused", "unknown")
    )
    tell(f"vectors and judgement: {seen['pairs']} pairs of {len(every)} hosts, in every shape: all agree")


def test_vectors_say_of_recorded_hosts_what_the_judgement_says(tell):
    _recorded(_ONE_OF, tell)


@pytest.mark.slow
def test_vectors_say_of_every_pair_of_recorded_hosts_what_the_judgement_says(tell):
    _recorded(1, tell)


@given(st.integers(0, 1 << 32))
@settings(max_examples=25, phases=QUICK)
def test_vectors_say_of_odd_hosts_what_the_judgement_says(number):
    _odd(Random(number))


@pytest.mark.slow
def test_vectors_say_of_very_many_odd_hosts_what_the_judgement_says(tell):
    for number in range(2000):
        _odd(Random(number))
    tell("vectors and judgement: 2000 fleets of odd hosts: all agree")


def _odd(chance: Random) -> None:
    hosts = [stranger(host, chance) for host in make_fleet(chance, hosts=(2, 4))]
    screened = Screened(hosts, chance.choice(_POLICIES))
    for host in hosts:
        for guest in guests_of(host):
            free = chance.choice(((), (), tuple(catalogue().tolerances), (SAME_IMPDEF, WEAKER_MITIGATION)))
            agree(screened.judged(replace(guest, tolerates=free), range(len(hosts))), Counter())


def test_a_part_of_the_question_that_vectors_do_not_know_is_judged_in_full_until_it_has_an_entry():
    assert parts_without(TABLES) == ()
    assert parts_without([one for one in TABLES if one.part != "list"]) == ("list",)
    assert set(PARTS) == {"registers", "facts", *(one.part for one in TABLES)}
