from __future__ import annotations

from dataclasses import replace

from armlevel.engine import migrate, predict
from armlevel.engine.pmu import judge_pmu
from tests.engine.kit import CATALOGUE, plain
from tests.fidelity.hosts import read


def counting(name: str, counters: int):
    one = plain(name)
    return replace(one, offers=(replace(one.offers[0], pmu={"counters": counters, "pmceid0": 0x3}),))


def test_fewer_counters_break_the_guest_and_more_do_not():
    many, few = counting("many", 6), counting("few", 4)
    there, back = migrate(many, few, CATALOGUE)
    assert (there.answer, back.answer) == ("refused", "runs")
    found = predict(many, few, CATALOGUE, vmm="qemu-tolerant")
    assert (found.outcome, found.harm) == ("completes", ("counters",))


def test_events_that_are_not_counted_there_are_a_risk_that_names_them():
    old, new = read(["neoverse-n2@6.1", "neoverse-n2@7.x"])
    (found,) = [one for one in predict(new, old, CATALOGUE).findings if one.subject == "pmu.events"]
    assert found.severity == "risk"
    assert found.needs == ("0x1e",)


def test_a_pmu_that_is_not_recorded_is_not_judged():
    assert judge_pmu({}, {"counters": 6}, ("a", "b")) == ()
    assert judge_pmu({"pmceid0": 3}, {}, ("a", "b")) == ()
