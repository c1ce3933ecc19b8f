"""A smaller shape is tried before it is said that there is no baseline."""

from __future__ import annotations

import pytest

from armlevel.engine import Policy, level
from armlevel.engine.names import FieldName, Name
from armlevel.engine.reasons import Reason
from tests.engine.kit import CATALOGUE, host, offer, plain, shape

PMU, SVE = shape("pmu_v3"), shape("sve")
BOTH = shape("pmu_v3", "sve")
PMUVER = "ID_AA64DFR0_EL1.PMUVer"
ZFR = "ID_AA64ZFR0_EL1.SVEver"


def counting(name: str, version: int):
    """A host whose PMU is of a version that cannot be written."""
    return host(name, offer(), offer({PMUVER: version}, of=PMU))


def test_a_feature_that_leaves_no_baseline_is_dropped_and_told():
    outcome = level([counting("a", 4), counting("b", 6)], CATALOGUE)
    assert (outcome.answer, outcome.dropped) == ("runs", frozenset({"pmu_v3"}))
    assert outcome.shape == shape()
    told = [one for one in outcome.findings if one.subject.key == "shape.pmu_v3"]
    assert [one.severity for one in told] == ["note"]
    assert told[0].because == (Reason("feature-dropped", (Name("pmu_v3"), FieldName(PMUVER))),)


def test_what_does_not_stand_in_the_way_is_kept():
    def both(name: str, version: int):
        return host(
            name,
            offer(),
            offer({PMUVER: version}, of=PMU),
            offer({ZFR: 1}, of=SVE, sve_vls=(128,)),
            offer({PMUVER: version, ZFR: 1}, of=BOTH, sve_vls=(128,)),
        )

    outcome = level([both("a", 4), both("b", 6)], CATALOGUE)
    assert (outcome.answer, outcome.dropped, outcome.shape) == ("runs", frozenset({"pmu_v3"}), SVE)


@pytest.mark.parametrize("same", [4, 6])
def test_hosts_that_agree_lose_nothing(same):
    outcome = level([counting("a", same), counting("b", same)], CATALOGUE)
    # How many counters there are is not recorded of these.
    assert (outcome.answer, outcome.dropped, outcome.shape) == ("unknown", frozenset(), PMU)


def test_a_conflict_that_every_shape_has_is_told_of_the_richest_one():
    def stiff(name: str, value: int, version: int):
        fields = {"ID_AA64ISAR0_EL1.RNDR": value}
        return host(name, offer(fields), offer({**fields, PMUVER: version}, of=PMU))

    outcome = level([stiff("a", 0, 4), stiff("b", 1, 6)], CATALOGUE)
    assert (outcome.answer, outcome.dropped, outcome.shape) == ("refused", frozenset(), PMU)


def test_what_a_person_did_without_is_not_told_as_dropped():
    outcome = level([counting("a", 4), counting("b", 6)], CATALOGUE, Policy(without=frozenset({"pmu_v3"})))
    assert (outcome.answer, outcome.dropped) == ("runs", frozenset())


def test_one_shape_alone_has_no_smaller_one():
    hosts = [plain(name, {"ID_AA64ISAR0_EL1.RNDR": value}) for name, value in (("a", 0), ("b", 1))]
    outcome = level(hosts, CATALOGUE)
    assert (outcome.answer, outcome.dropped) == ("refused", frozenset())
