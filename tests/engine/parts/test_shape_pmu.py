from __future__ import annotations

from dataclasses import replace

from armlevel.engine import check, level, migrate, passthrough, predict
from armlevel.engine.parts.shape_pmu import judge_events
from armlevel.engine.values import Events
from armlevel.profile import Shape
from tests.engine.kit import CATALOGUE, plain
from tests.fidelity.hosts import read

PMU = Shape(frozenset({"pmu_v3"}))


def counting(name: str, counters: int | None):
    one = plain(name)
    pmu = {"pmceid0": 0x3} | ({} if counters is None else {"counters": counters})
    return replace(one, offers=(replace(one.offers[0], shape=PMU, pmu=pmu),))


def test_fewer_counters_break_the_guest_and_more_do_not():
    many, few = counting("many", 6), counting("few", 4)
    there, back = migrate(many, few, CATALOGUE)
    assert (there.answer, back.answer) == ("refused", "runs")
    steal = {"STEAL_TIME": 1}
    many, few = (replace(one, software=replace(one.software, kvm_capabilities=steal)) for one in (many, few))
    found = predict(many, few, CATALOGUE, vmm="qemu-tolerant")
    assert (found.outcome, found.harm) == ("completes", ("counters",))


def test_a_levelled_guest_has_the_counters_of_all_and_is_born_where_there_are_no_more():
    a710, n2 = read(["cortex-a710@6.18", "neoverse-n2@6.18"])
    found = level([a710, n2], CATALOGUE)
    assert found.answer == "runs"
    assert found.guest is not None
    assert "pmu_v3" in found.guest.shape.features
    assert found.guest.pmu_counters == 6
    assert found.guest.starts_on == ("neoverse-n2@6.18",)
    verdicts = [check(found.guest, host, CATALOGUE) for host in (a710, n2)]
    assert [(one.start, one.arrive) for one in verdicts] == [("refused", "runs"), ("runs", "runs")]
    assert [one.answer for one in migrate(a710, n2, CATALOGUE, guest=found.guest)] == ["runs", "runs"]


def test_a_number_of_counters_that_is_not_recorded_is_not_known():
    silent, six = counting("silent", None), counting("six", 6)
    assert level([silent, six], CATALOGUE).parts["shape"] == "unknown"
    assert check(passthrough(six, CATALOGUE), silent, CATALOGUE).parts["shape"] == ("unknown", "unknown")
    assert check(passthrough(silent, CATALOGUE), six, CATALOGUE).parts["shape"] == ("unknown", "unknown")
    assert level([counting("another", 6), six], CATALOGUE).parts["shape"] == "runs"


def test_events_that_are_not_counted_there_are_a_risk_that_names_them():
    old, new = read(["neoverse-n2@6.1", "neoverse-n2@7.x"])
    (found,) = [one for one in predict(new, old, CATALOGUE).findings if one.subject.key == "pmu.events"]
    assert found.severity == "risk"
    assert found.needs == (Events((0x1E,)),)


def test_a_pmu_that_is_not_recorded_is_not_judged():
    assert judge_events({}, {"pmceid0": 6}, ("a", "b")) == ()
    assert judge_events({"pmceid0": 3}, {}, ("a", "b")) == ()
