from __future__ import annotations

from armlevel.engine import check, level
from armlevel.kvm import id_of
from tests.engine.kit import CATALOGUE, about, host, offer, plain

TCR2, SCTLR, PMMIR, CNTP, ID_MMFR0 = (
    id_of(name) for name in ("TCR2_EL1", "SCTLR_EL1", "PMMIR_EL1", "CNTP_CTL_EL0", "ID_MMFR0_EL1")
)
TCRX = "ID_AA64MMFR3_EL1.TCRX"


def test_what_every_host_lists_is_carried():
    outcome = level([plain("a", lists=[SCTLR, CNTP]), plain("b", lists=[SCTLR, CNTP])], CATALOGUE)
    assert outcome.guest is not None
    assert {SCTLR, CNTP} <= set(outcome.guest.carries or ())
    assert outcome.parts["list"] == "runs"


def test_a_register_without_a_row_cannot_be_left_behind():
    outcome = level([plain("a", lists=[SCTLR]), plain("b")], CATALOGUE)
    (finding,) = about(outcome.findings, "SCTLR_EL1")
    assert (finding.severity, finding.sets) == ("stops", (("a", "b"),))
    assert outcome.parts["list"] == "refused"


def test_a_register_is_left_behind_when_the_levelled_guest_cannot_use_it():
    hosts = [plain("new", {TCRX: 0}, lists=[TCR2]), plain("old", {TCRX: 0})]
    outcome = level(hosts, CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert TCR2 not in (outcome.guest.carries or ())


def test_the_same_register_stays_where_the_guest_can_use_it():
    outcome = level([plain("new", {TCRX: 1}, lists=[TCR2]), plain("old", {TCRX: 1})], CATALOGUE)
    assert outcome.parts["list"] == "refused"
    assert about(outcome.findings, "TCR2_EL1")[0].severity == "stops"


def test_a_register_that_is_zero_may_be_left_behind_and_one_that_is_not_may_not():
    answers = [
        level([plain("a", lists=[PMMIR], state={"PMMIR_EL1": value}), plain("b")], CATALOGUE).parts["list"]
        for value in (0, 1)
    ]
    assert answers == ["runs", "refused"]
    unseen = level([plain("a", lists=[PMMIR]), plain("b")], CATALOGUE)
    assert unseen.parts["list"] == "refused"


def test_what_loses_guest_state_is_dropped_with_a_risk_that_says_so():
    outcome = level([plain("new", lists=[CNTP]), plain("old")], CATALOGUE)
    (finding,) = about(outcome.findings, "CNTP_CTL_EL0")
    assert finding.severity == "risk"
    assert "timer" in finding.because[0]
    assert outcome.answer == "runs"


def test_registers_without_meaning_are_not_carried():
    hosts = [
        plain("a", {"ID_MMFR0_EL1": 0x1020_1105}, lists=[ID_MMFR0]),
        plain("b", {"ID_MMFR0_EL1": 0}, lists=[ID_MMFR0]),
    ]
    outcome = level(hosts, CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert ID_MMFR0 not in (outcome.guest.carries or ())
    assert "ID_MMFR0_EL1" not in outcome.guest.registers


def test_the_same_registers_conflict_where_el0_has_aarch32():
    el0 = {"ID_AA64PFR0_EL1.EL0": 2}
    hosts = [plain("a", {**el0, "ID_MMFR0_EL1": 0x1020_1105}), plain("b", {**el0, "ID_MMFR0_EL1": 0})]
    assert level(hosts, CATALOGUE).parts["registers"] == "refused"


def test_a_list_that_is_not_recorded_is_unknown():
    outcome = level([plain("a"), plain("b", lists=None)], CATALOGUE)
    assert outcome.parts["list"] == "unknown"
    assert outcome.guest is not None
    assert check(outcome.guest, plain("b", lists=None), CATALOGUE).parts["list"] == ("unknown", "unknown")


def test_a_guest_whose_state_has_more_than_the_host_lists_cannot_arrive():
    guest = level([plain("a", lists=[SCTLR])], CATALOGUE).guest
    assert guest is not None
    verdict = check(guest, host("b", offer()), CATALOGUE)
    assert verdict.parts["list"] == ("refused", "refused")
    assert about(verdict.findings, "SCTLR_EL1")[0].needs == ("carried",)
