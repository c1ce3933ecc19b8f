from __future__ import annotations

from armlevel.engine import Policy, check, level, passthrough
from armlevel.engine.values import State
from armlevel.kvm import id_of
from armlevel.profile import Host
from armlevel.words.reasons import reason_text
from tests.engine.kit import CATALOGUE, about, host, offer, plain, up_to

TCR2, SCTLR, PMMIR, CNTP, ID_MMFR0 = (
    id_of(name) for name in ("TCR2_EL1", "SCTLR_EL1", "PMMIR_EL1", "CNTP_CTL_EL0", "ID_MMFR0_EL1")
)
TCRX = "ID_AA64MMFR3_EL1.TCRX"


def test_what_every_host_lists_is_carried():
    outcome = level([plain("a", lists=[SCTLR, CNTP]), plain("b", lists=[SCTLR, CNTP])], CATALOGUE)
    assert outcome.guest is not None
    assert {SCTLR, CNTP} <= set(outcome.guest.register_list or ())
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
    assert TCR2 not in (outcome.guest.register_list or ())


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
    assert unseen.parts["list"] == "unknown"


def _start_and_level(home: Host, there: Host) -> tuple[str, str, str]:
    verdict = check(passthrough(home, CATALOGUE), there, CATALOGUE)
    start, arrive = verdict.parts["list"]
    return start, arrive, level([home, there], CATALOGUE).parts["list"]


def test_a_guest_starts_only_where_its_state_is_what_the_profile_says_or_may_be_left_behind():
    # KVM starts it everywhere; started where more is listed, its state is another than the profile's.
    home = plain("home")
    assert _start_and_level(home, plain("there", lists=[SCTLR])) == ("refused", "runs", "refused")
    for state, said in (({"PMMIR_EL1": 0}, "runs"), ({"PMMIR_EL1": 1}, "refused"), ({}, "unknown")):
        assert _start_and_level(home, plain("there", lists=[PMMIR], state=state)) == (said, "runs", said)
    for bit, said in ((0, "runs"), (1, "refused")):
        ends = plain("home", {TCRX: bit}), plain("there", {TCRX: bit}, lists=[TCR2])
        assert _start_and_level(*ends) == (said, "runs", said)
    assert _start_and_level(home, plain("there", lists=[CNTP])) == ("runs", "runs", "runs")
    assert _start_and_level(plain("rich", lists=[SCTLR]), home) == ("refused", "refused", "refused")


def test_what_loses_guest_state_is_dropped_with_a_risk_that_says_so():
    outcome = level([plain("new", lists=[CNTP]), plain("old")], CATALOGUE)
    (finding,) = about(outcome.findings, "CNTP_CTL_EL0")
    assert finding.severity == "risk"
    assert "timer" in reason_text(finding.because[0])
    assert outcome.answer == "runs"


def test_registers_without_meaning_are_not_carried():
    hosts = [
        plain("a", {"ID_MMFR0_EL1": 0x1020_1105}, lists=[ID_MMFR0]),
        plain("b", {"ID_MMFR0_EL1": 0}, lists=[ID_MMFR0]),
    ]
    outcome = level(hosts, CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert ID_MMFR0 not in (outcome.guest.register_list or ())
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
    assert about(verdict.findings, "SCTLR_EL1")[0].needs == (State("carried"),)


# ---- registers that KVM lists by what the VM shows (from 6.13 on), and not by what the CPU has


def _hides(kernel: str = "7.3.4", name: str = "hides", has: int = 1) -> Host:
    """A host whose CPU has TCR2_EL1, so that a fresh vCPU lists it, and whose KVM takes TCRX away."""
    made = offer({TCRX: has}, lists=[TCR2, SCTLR], takes=up_to(TCRX, most=has))
    return host(name, made, kernel=kernel)


def test_what_kvm_hides_with_its_feature_is_not_carried():
    for hosts, policy in (
        ([_hides(), plain("lacks", {TCRX: 0}, lists=[SCTLR])], None),
        ([_hides(), host("old", offer({TCRX: 0}, lists=[TCR2, SCTLR]), kernel="6.12.1")], None),
        ([_hides(), _hides(name="twin")], Policy(pins={TCRX: 0})),
    ):
        outcome = level(hosts, CATALOGUE, policy)
        assert outcome.parts["list"] == "runs"
        assert outcome.guest is not None
        assert (
            TCR2 in (outcome.guest.register_list or ()),
            SCTLR in (outcome.guest.register_list or ()),
        ) == (
            False,
            True,
        )
        assert {check(outcome.guest, one, CATALOGUE).parts["list"] for one in hosts} == {("runs", "runs")}


def test_what_kvm_lists_without_condition_or_the_guest_shows_is_carried():
    for hosts, policy in (
        ([_hides(), _hides(name="twin")], None),
        ([_hides("6.12.1"), _hides("6.12.1", "twin")], Policy(pins={TCRX: 0})),
        ([_hides("6.12.1", "old", 0), _hides("6.12.1", "twin", 0)], None),
    ):
        outcome = level(hosts, CATALOGUE, policy)
        assert outcome.guest is not None
        assert TCR2 in (outcome.guest.register_list or ())
        assert {check(outcome.guest, one, CATALOGUE).parts["list"] for one in hosts} == {("runs", "runs")}


def test_a_guest_that_carries_what_the_host_hides_from_it_does_not_arrive():
    guest = passthrough(host("old", offer({TCRX: 0}, lists=[TCR2, SCTLR]), kernel="6.12.1"), CATALOGUE)
    for kernel, answer in (
        ("6.12.1", "runs"),
        ("6.18.15", "refused"),
        ("7.3.4", "refused"),
        ("6.9.0", "unknown"),
    ):
        assert check(guest, _hides(kernel), CATALOGUE).parts["list"] == (answer, answer)


def test_which_registers_kvm_hides_is_told_by_the_list_itself_where_it_has_one_without_the_feature():
    guest = passthrough(host("old", offer({TCRX: 0}, lists=[TCR2, SCTLR]), kernel="6.12.1"), CATALOGUE)
    assert check(guest, _hides("6.9.0", has=0), CATALOGUE).parts["list"] == ("runs", "runs")
