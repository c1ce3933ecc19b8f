"""What is concluded from a migration that was watched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.cli.lab_migrate import _versions
from armlevel.errors import UsageError
from armlevel.lab.migration import Migrated, MovingGuest, Reading, is_sure, rates

STATE = ("cpu 0 Features : fp asimd", "sum 0 f635")
WELL: dict[str, Any] = {"arrived": True, "alive": True, "rate": 1.01, "before": STATE, "after": STATE}


def test_a_guest_that_arrived_ticks_keeps_time_and_is_the_same_is_healthy():
    assert Migrated(**WELL).healthy


@pytest.mark.parametrize(
    "what",
    [
        {"arrived": False},
        {"alive": False},
        {"rate": 16.0},
        {"rate": 1.6},
        {"rate": None},
        {"after": ("cpu 0 Features : fp", "sum 0 f635")},
        {"after": ()},
        {"before": (), "after": ()},
    ],
)
def test_completed_is_not_enough(what):
    assert not Migrated(**{**WELL, **what}, source_status="completed").healthy


_DELAY = st.floats(0, 60)


@given(st.floats(0.05, 20), st.floats(0, 100), st.tuples(_DELAY, _DELAY, _DELAY, _DELAY))
def test_however_late_a_guest_is_asked_and_heard_its_rate_lies_between_the_bounds(rate, between, delays):
    asked, heard, asked_again, heard_again = delays
    # The host's times at which the guest read its clock, and what it read.
    one, two = 100.0, 100.0 + asked_again + heard + between
    first = Reading(one - asked, one + heard, 7.0)
    last = Reading(two - asked_again, two + heard_again, 7.0 + rate * (two - one))
    if two > one:
        slowest, fastest = rates(first, last)
        assert slowest <= rate * (1 + 1e-6)
        assert fastest >= rate * (1 - 1e-6)
        # What is sure is true: a late answer alone never makes a clock wrong, nor right.
        assert not is_sure(slowest, fastest) or Migrated(rate=rate).keeps_time == (0.75 < slowest < 1.33)


def test_messages_of_both_sides_are_told_once_without_the_program():
    said = "qemu-system-aarch64: load of migration failed\nqemu-system-aarch64: load of migration failed\n"
    moved = Migrated(target_said=said, source_said="/opt/qemu-10/qemu-system-aarch64: Channel error\n")
    assert moved.words == ("load of migration failed", "Channel error")


def test_the_words_of_a_guest_are_the_same_on_both_sides():
    words = MovingGuest("virt-10.0", vcpus=2).command()
    assert words[words.index("-machine") + 1] == "virt-10.0,gic-version=3"
    assert words[words.index("-smp") + 1] == "2"


def test_each_host_may_have_its_own_qemu():
    assert (_versions("10"), _versions("10:11")) == (("10", "10"), ("10", "11"))
    with pytest.raises(UsageError, match="the lab has QEMU 10 and 11"):
        _versions("10:12")
