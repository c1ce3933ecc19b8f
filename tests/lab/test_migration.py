"""What is concluded from a migration that was watched."""

from __future__ import annotations

from typing import Any

import pytest

from armlevel.cli.lab_migrate import _versions
from armlevel.errors import UsageError
from armlevel.lab.migration import Migrated, MovingGuest

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
