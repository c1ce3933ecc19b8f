from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import check, level
from armlevel.engine.values import Frequency, offered
from armlevel.profile import Facts
from tests.engine.kit import CATALOGUE, FACTS, about, host, offer, shape


def test_another_counter_frequency_breaks_the_guest_without_any_refusal_of_kvm():
    fast, slow = host("fast"), host("slow", facts=replace(FACTS, cntfrq_hz=25_000_000))
    outcome = level([fast, slow], CATALOGUE)
    assert (outcome.parts["registers"], outcome.parts["facts"]) == ("runs", "refused")
    (finding,) = about(outcome.findings, "facts.cntfrq_hz")
    assert finding.severity == "breaks"
    assert finding.offers == offered(("fast", Frequency(1_000_000_000)), ("slow", Frequency(25_000_000)))


@pytest.mark.parametrize("name", ["cntfrq_hz", "dczid"])
def test_a_fact_that_is_not_recorded_is_unknown_and_never_a_match(name):
    other = "dczid" if name == "cntfrq_hz" else "cntfrq_hz"
    known, blank = host("known"), host("blank", facts=Facts(**{name: None, other: getattr(FACTS, other)}))
    outcome = level([known, blank], CATALOGUE)
    assert outcome.answer == "unknown"
    assert outcome.guest is not None
    assert getattr(outcome.guest.facts, name) is None
    assert about(outcome.findings, f"facts.{name}")[0].remedies[0].hosts == ("blank",)
    verdict = check(outcome.guest, known, CATALOGUE)
    assert verdict.arrive == "unknown"
    assert "facts" not in verdict.judged
    assert "registers" in verdict.judged


def test_two_blanks_are_not_equal():
    assert level([host("a", facts=Facts()), host("b", facts=Facts())], CATALOGUE).parts["facts"] == "unknown"


def test_the_block_of_tag_instructions_matters_only_with_mte():
    facts = (replace(FACTS, gmid=4), replace(FACTS, gmid=5))
    without = [host(f"h{n}", facts=one) for n, one in enumerate(facts)]
    assert level(without, CATALOGUE).parts["facts"] == "runs"
    mte = shape("mte")
    guest = level(without[:1], CATALOGUE).guest
    assert guest is not None
    tagged = replace(guest, shape=mte, facts=facts[0])
    verdicts = [check(tagged, host("m", offer(of=mte), facts=one), CATALOGUE) for one in facts]
    assert [verdict.parts["facts"] for verdict in verdicts] == [("runs", "runs"), ("refused", "refused")]
