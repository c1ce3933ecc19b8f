"""Today's engine foretells each recorded migration about the machine as it was seen, and knows what it was given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.engine.parts.machine_given import given_on
from tests.migrations.around import PAIRS, machine_cases
from tests.migrations.plan import Case
from tests.migrations.predicted import Said, Seen, asked_of, disagreements, lost_windows, say
from tests.migrations.recorded import SEEN, recorded_hosts, recorded_seen

CATALOGUE = load()
HOSTS = recorded_hosts(name for pair in PAIRS for name in pair)
MADE: dict[Case, Seen] = {case: seen for case in machine_cases() if (seen := recorded_seen().get(str(case)))}
#: What `info mtree` calls the windows of a machine's record.
_NAMES = {"ecam": "ecam", "mmio": "mmio-high"}
_HIGH = 1 << 32


@pytest.fixture(scope="module")
def said() -> dict[Case, Said]:
    return {case: say(case, HOSTS, CATALOGUE) for case in MADE}


def test_enough_was_made_of_each_kind():
    assert len(MADE) >= 24
    assert set(recorded_seen()) == {str(case) for case in MADE}
    assert {bool(case.level) for case in MADE} == {True, False}
    assert {case.qemu for case in MADE} == {("10", "10"), ("11", "11")}
    assert {case.pair for case in MADE} == {(min(pair), max(pair)) for pair in PAIRS}
    assert min(sum(seen.arrived == arrived for seen in MADE.values()) for arrived in (True, False)) >= 8
    assert SEEN.stat().st_size < 16 * 1024


def test_each_is_foretold_as_it_was_seen(said):
    assert [f"{case}: {one}" for case, seen in MADE.items() for one in disagreements(said[case], seen)] == []
    assert [case for case in MADE if said[case].outcome == "unknown"] == []


def test_no_wrong_prediction_would_pass(said):
    other = {"completes": "fails", "fails": "completes"}
    for case, seen in MADE.items():
        assert disagreements(replace(said[case], outcome=other[said[case].outcome]), seen), case
        if said[case].outcome == "completes":
            harm = () if said[case].harm else ("memory map",)
            assert disagreements(replace(said[case], harm=harm), seen), case


def test_the_silent_ones_lost_a_window_and_nothing_said_so(said):
    silent = [case for case in MADE if said[case].harm == ("memory map",)]
    assert len(silent) >= 2
    for case in silent:
        seen = MADE[case]
        assert (seen.arrived, seen.alive, seen.keeps_time) == (True, True, True), case
        assert lost_windows(seen), case
        assert [word for word in seen.words if "is deprecated" not in word] == [], case


def test_a_host_gives_the_windows_that_its_record_says(said):
    compared = 0
    for case, seen in MADE.items():
        for side, name in enumerate((case.source, case.target)):
            found = (seen.windows or ({}, {}))[side]
            if not found:
                continue
            given = given_on(asked_of(case, there=side == 1), HOSTS[name], CATALOGUE)
            high = {key: int(start, 16) for key, start in found.items() if int(start, 16) >= _HIGH}
            assert high == {
                _NAMES[key]: start for key, start in (given.windows or {}).items() if key in _NAMES
            }, case
            compared += 1
    assert compared >= len(MADE)


def test_a_device_answers_wherever_its_window_is_left(said):
    asked = [(case, seen) for case, seen in MADE.items() if seen.devices[0]]
    assert asked
    for case, seen in asked:
        if said[case].harm == () and seen.arrived:
            assert seen.devices[0] == seen.devices[1], case
