"""The plan is one list that the seed decides, and a wrong prediction is told from a right one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.arch import load
from tests.fidelity.hosts import HOSTS, read
from tests.migrations.plan import SAMPLE, cases, hosts_of
from tests.migrations.predicted import Said, Seen, disagreements, say

SEEN = Seen(True, True, True, True, 1.0, (), ())
#: A window that the destination does not have, and one that it has besides.
LOST = replace(
    SEEN, windows=({"ecam": "0x4010000000", "mmio-high": "0x8000000000"}, {"ecam": "0x4010000000"})
)
MORE = replace(
    SEEN, windows=({"ecam": "0x4010000000"}, {"ecam": "0x4010000000", "mmio-high": "0x8000000000"})
)
FAILED = Seen(False, False, None, False, None, ("MIDR_EL1",), ("Could not set register x to 1 (is 2)",))


def test_the_same_seed_gives_the_same_migrations_and_another_does_not():
    assert cases() == cases()
    assert cases(1) != cases()


def test_the_plan_covers_what_it_has_to():
    plan = cases()
    assert len({str(case) for case in plan}) == len(plan) >= 60
    names = {name for case in plan for name in (case.source, case.target)}
    assert len({name.partition("@")[0].partition(",")[0] for name in names}) >= 6
    assert {name.partition("@")[2] for name in names} == {"6.1", "6.12", "6.18", "7.x"}
    assert {version for case in plan for version in case.qemu} == {"10", "11"}
    assert set(hosts_of(plan)) <= set(HOSTS)
    assert len(SAMPLE) == 4


def test_both_outcomes_and_both_silent_harms_are_predicted():
    plan = cases()
    hosts = {host.name: host for host in read(hosts_of(plan))}
    said = {case: say(case, hosts, load()) for case in plan}
    counts = [
        sum(one.outcome == outcome for one in said.values()) for outcome in ("completes", "fails", "unknown")
    ]
    assert min(counts[:2]) * 3 >= len(plan)
    assert counts[2] == 0
    by_mistake = {case.mistake: one for case, one in said.items() if case.mistake}
    assert by_mistake["vectors"] == Said("completes", alive=None, harm=("vectors",))
    assert by_mistake["clock"].harm == ("clock",)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (Said("completes", alive=True), FAILED),
        (Said("fails", alive=None), SEEN),
        (Said("completes", alive=True), replace(SEEN, alive=False, keeps_time=None, rate=None, same=False)),
        (Said("completes", alive=None, harm=("vectors",)), SEEN),
        (Said("completes", alive=True), replace(SEEN, keeps_time=False, rate=16.0)),
        (Said("completes", alive=True, harm=("clock",)), SEEN),
        (Said("completes", alive=True), replace(SEEN, same=False)),
        (Said("completes", alive=True), replace(SEEN, unlike=("MIDR_EL1",))),
        (Said("fails", alive=None, blocking=("MIDR_EL1", "CTR_EL0")), FAILED),
        (Said("fails", alive=None), FAILED),
        (Said("fails", alive=None, blocking=("MIDR_EL1",), messages=("Invalid value",)), FAILED),
        (Said("completes", alive=True), LOST),
        (Said("completes", alive=None, harm=("memory map",)), SEEN),
        (Said("completes", alive=None, harm=("memory map",)), MORE),
    ],
)
def test_a_prediction_that_was_wrong_is_found(said, seen):
    assert disagreements(said, seen)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (Said("completes", alive=True), SEEN),
        (Said("completes", alive=True, harm=("clock",)), replace(SEEN, keeps_time=False, rate=1.6)),
        (Said("fails", alive=None, blocking=("MIDR_EL1",), messages=("Could not set register x",)), FAILED),
        (Said("completes", alive=None, harm=("vectors",)), replace(SEEN, same=False)),
        (
            Said("completes", alive=None, harm=("vectors",)),
            replace(SEEN, alive=False, keeps_time=None, rate=None, same=False),
        ),
        (Said("unknown", alive=None), FAILED),
        (Said("completes", alive=None, harm=("memory map",)), LOST),
        (Said("completes", alive=None, harm=("memory map",)), replace(LOST, same=False)),
        (Said("completes", alive=True), MORE),
    ],
)
def test_a_prediction_that_was_right_is_left_alone(said, seen):
    assert disagreements(said, seen) == []
