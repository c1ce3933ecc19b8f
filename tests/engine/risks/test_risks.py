"""What a guest should be told of though it changes no answer: paint, errata, hidden instructions, mitigations."""

from dataclasses import replace

import pytest

from armlevel.engine import Policy, check, level, risks_of_profile
from armlevel.engine.names import EVERY_HOST, FieldName
from armlevel.engine.reasons import Reason
from armlevel.engine.values import (
    NOT_RECORDED,
    Implementations,
    Lowered,
    Lowering,
    Names,
    State,
    named,
    offered,
)
from armlevel.profile import Accepts, GuestMachine, Implementation
from tests.engine.kit import AROUND, CATALOGUE, N1, V1, V2, host, offer, plain, shape, up_to

ANY = Accepts.of(None)
FREE = {"MIDR_EL1.Revision": ANY}
GIC = "ID_AA64PFR0_EL1.GIC"
DIC, IDC, RNDR = "CTR_EL0.DIC", "CTR_EL0.IDC", "ID_AA64ISAR0_EL1.RNDR"
PAINTED = shape(imp_id_writable=True)
ALL_IDS = {
    f.subject: ANY for r in ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1") for f in CATALOGUE.registers[r].fields
}
N1_G2, V1_G3 = Implementation(0x413FD0C1, 0xFF, 0), Implementation(0x411FD401, 1, 0)


def painted(name, cpu, fields=None, *, kernel="7.3.4", **takes):
    accepts = {**ALL_IDS, **{key: Accepts.of(value) for key, value in takes.items()}}
    return host(name, offer(fields or {}, of=PAINTED, cpu=cpu, takes=accepts), cpu=cpu, kernel=kernel)


def guest_of(hosts, policy=None):
    guest = level(hosts, CATALOGUE, policy).guest
    assert guest is not None
    return guest


def implementation_of(hosts, policy=None):
    paint = guest_of(hosts, policy).implementation
    assert paint is not None
    return paint


def only(found, subject, severity=None):
    return [f for f in found.findings if f.subject.key == subject and severity in (None, f.severity)]


# ---- which implementation


def test_the_lowest_is_shown_unless_another_is_asked_for():
    hosts = [painted("n1", N1_G2), painted("v1", V1_G3)]
    assert implementation_of(hosts).shown == V1_G3
    assert implementation_of(hosts, Policy(implementation=N1_G2)).shown == N1_G2
    alien = Implementation(0x000F0510, 0, 7)
    assert implementation_of(hosts, Policy(implementation=alien)).shown == alien


def test_a_host_that_cannot_be_painted_is_named():
    found = level([host("a"), host("b")], CATALOGUE, Policy(implementation=V1_G3))
    (finding,) = found.conflicts
    assert (found.answer, found.guest, finding.subject.key, finding.hosts) == (
        "refused", None, "policy.implementation", ("a", "b"),
    )  # fmt: skip


def test_hosts_that_cannot_be_painted_may_be_asked_for_what_they_are():
    assert level([host("a"), host("b")], CATALOGUE, Policy(implementation=N1)).answer == "runs"


def test_the_targets_are_the_cores_of_all_hosts_and_of_those_to_come():
    paint = implementation_of([painted("n1", N1_G2)], Policy(also_targets=(V2, N1_G2)))
    assert (paint.shown, paint.targets) == (N1_G2, (V2, N1_G2))


# ---- errata


def test_a_v1_that_runs_on_n1_does_not_look_for_the_errata_of_n1():
    both = {DIC: 1, IDC: 1, "ID_AA64PFR0_EL1.EL0": 2, "ID_AA64PFR0_EL1.CSV2": 3, "ID_AA64PFR1_EL1.SSBS": 2}
    found = level([painted("g2", N1_G2, both), painted("g3", V1_G3, both)], CATALOGUE)
    (finding,) = only(found, "errata.missed", "risk")
    assert found.answer == "runs"
    assert finding.offers == offered(("g2", named("1188873", "1418040", "1542419")))
    assert [(r.kind, r.args, r.hosts) for r in finding.remedies] == [
        ("implementation", (0x413FD0C1, 0xFF, 0), ("g2",)),
        ("serve-targets", (), ()),
        ("pin", ("CTR_EL0.DIC", 0), ()),
    ]


def test_painted_as_n1_both_are_looked_for_and_v1_works_around_them_with_nothing_missed():
    both = {DIC: 1, IDC: 1, "ID_AA64PFR0_EL1.CSV2": 3}
    found = level(
        [painted("g2", N1_G2, both), painted("g3", V1_G3, both)], CATALOGUE, Policy(implementation=N1_G2)
    )
    assert not only(found, "errata.missed")
    assert not only(found, "errata.needless")  # one of the hosts has each of them


def test_coherent_caches_that_are_not_shown_are_no_erratum_of_n1():
    hosts = [painted("g2", N1_G2, {DIC: 0, "ID_AA64PFR0_EL1.CSV2": 3}),
             painted("g3", V1_G3, {DIC: 1, "ID_AA64PFR0_EL1.CSV2": 3}, **{DIC: [0, 1]})]  # fmt: skip
    assert not only(level(hosts, CATALOGUE), "errata.missed")


def test_a_workaround_that_no_host_needs_is_a_note():
    both = {DIC: 1, "ID_AA64PFR0_EL1.CSV2": 3}
    found = level([painted("g3", V1_G3, both)], CATALOGUE, Policy(implementation=N1_G2))
    (finding,) = only(found, "errata.needless")
    assert (finding.severity, finding.offers) == ("note", ((EVERY_HOST, named("1542419")),))


def test_v1_on_v2_loops_too_short_where_nothing_better_clears_the_branch_history():
    fields = {"ID_AA64PFR0_EL1.CSV2": 1}
    found = level(
        [painted("g3", V1_G3, fields)], CATALOGUE, Policy(also_targets=(Implementation(0x410FD4F1, 0x17, 0),))
    )
    (finding,) = only(found, "errata.missed")
    assert finding.offers == offered(("0x410fd4f1", named("bhb-loop")))
    fields["ID_AA64MMFR1_EL1.ECBHB"] = 1
    found = level([painted("g3", V1_G3, fields)], CATALOGUE, Policy(also_targets=(V2,)))
    assert not only(found, "errata.missed")


def test_a_core_shown_as_one_that_needs_no_protection_is_a_risk_which_no_list_of_targets_helps():
    a55 = Implementation(0x411FD050, 0, 0)
    found = level([painted("g2", N1_G2, {"ID_AA64PFR0_EL1.CSV2": 0})], CATALOGUE, Policy(implementation=a55))
    (finding,) = only(found, "errata.missed")
    assert isinstance(finding.offers[0][1], Names)
    assert "spectre-v2" in finding.offers[0][1].names
    assert "serve-targets" not in [remedy.kind for remedy in finding.remedies]


def test_a_verdict_says_the_same_for_one_host_and_a_profile_for_its_targets():
    both = {DIC: 1, IDC: 1, "ID_AA64PFR0_EL1.CSV2": 3}
    hosts = [painted("g2", N1_G2, both), painted("g3", V1_G3, both)]
    guest = guest_of(hosts)
    on_n1, on_v1 = (check(guest, one, CATALOGUE) for one in hosts)
    assert [f.offers for f in only(on_n1, "errata.missed")] == [offered(("g2", named("1542419")))]
    assert (on_n1.arrive, only(on_v1, "errata.missed")) == ("runs", [])
    assert [f.offers for f in risks_of_profile(guest, CATALOGUE)] == [
        offered(("0x413fd0c1", named("1542419")))
    ]


def test_a_host_that_is_not_among_the_targets_is_told_of():
    guest = guest_of([painted("g3", V1_G3)])
    found = check(guest, painted("g2", N1_G2), CATALOGUE)
    (finding,) = only(found, "implementation.targets")
    assert (finding.severity, found.arrive) == ("note", "runs")
    assert finding.offers == offered(("g2", Implementations((N1_G2,))))


# ---- hidden instructions


def two(a, b, kernel="7.3.4"):
    takes = {key: [0, 1, 2, 3] for key in {**a, **b}}
    a, b = ({**dict.fromkeys(takes, 0), **fields} for fields in (a, b))
    return [painted("a", N1_G2, a, kernel=kernel, **takes), painted("b", N1_G2, b, kernel=kernel, **takes)]


def test_an_instruction_that_one_host_has_runs_there_although_it_is_hidden():
    found = level(two({RNDR: 1, "ID_AA64ISAR0_EL1.ATOMIC": 2}, {}), CATALOGUE)
    (finding,) = only(found, "instructions.hidden")
    assert (found.answer, finding.severity) == ("runs", "risk")
    assert finding.offers == offered(("a", named("FEAT_RNG", "FEAT_LSE")))


def test_an_instruction_that_is_hidden_everywhere_and_runs_everywhere_is_a_note():
    found = level(two({RNDR: 1}, {RNDR: 1}), CATALOGUE, Policy(hide=("FEAT_RNG",)))
    (finding,) = only(found, "instructions.hidden")
    assert (finding.severity, finding.hosts) == ("note", ("a", "b"))


@pytest.mark.parametrize(
    ("hcx", "kernel", "runs"), [(1, "7.3.4", False), (1, "6.12.117", False), (0, "7.3.4", True), (1, "6.1.0", True)]
)  # fmt: skip
def test_kvm_stops_a_hidden_memory_copy_where_kernel_and_silicon_can(hcx, kernel, runs):
    both = {"ID_AA64MMFR1_EL1.HCX": hcx}
    found = level(two({**both, "ID_AA64ISAR2_EL1.MOPS": 1}, both, kernel), CATALOGUE)
    assert bool(only(found, "instructions.hidden")) is runs


# ---- mitigations


def test_a_baseline_that_says_less_of_speculation_names_the_fields():
    found = level(two({"ID_AA64PFR0_EL1.CSV3": 1, "ID_AA64PFR1_EL1.SSBS": 2}, {}), CATALOGUE)
    (finding,) = only(found, "mitigations")
    lowered = Lowered(
        (
            Lowering(FieldName("ID_AA64PFR0_EL1.CSV3"), 1, 0),
            Lowering(FieldName("ID_AA64PFR1_EL1.SSBS"), 2, 0),
        )
    )
    assert (finding.severity, finding.offers) == ("risk", offered(("a", lowered)))
    assert Reason("no-security-boundary") in finding.because
    assert found.answer == "runs"


# ---- interrupt controller


@pytest.mark.parametrize(
    ("gic", "told"),
    [
        ({"v2": "ENODEV", "v3": "yes"}, State("no")),
        ({"v3": "yes"}, NOT_RECORDED),
        (None, NOT_RECORDED),
        ({"v2": "yes", "v3": "yes"}, None),
    ],
)
def test_a_level_without_the_gics_registers_names_the_hosts_that_cannot_give_a_gicv2(gic, told):
    v3 = plain("v3", {GIC: 1}, takes=up_to(GIC, most=1))
    v3 = replace(v3, machine=None if gic is None else replace(AROUND, gic=gic))
    v2 = replace(plain("v2", {GIC: 0}), machine=replace(AROUND, gic={"v2": "yes", "v3": "ENODEV"}))
    found = level([v3, v2], CATALOGUE)
    assert found.answer == "runs"
    risks = only(found, "interrupt-controller")
    assert [(one.severity, one.offers) for one in risks] == (
        [("risk", offered(("v3", told)))] if told else []
    )
    guest = guest_of([v3, v2])
    here = check(guest, v3, CATALOGUE)
    assert [one.offers for one in only(here, "interrupt-controller")] == [one.offers for one in risks]
    assert only(check(guest, v2, CATALOGUE), "interrupt-controller") == []


def test_of_a_guest_whose_interrupt_controller_is_recorded_that_one_is_judged():
    v3 = replace(
        plain("v3", {GIC: 1}, takes=up_to(GIC, most=1)), machine=replace(AROUND, gic={"v2": "ENODEV"})
    )
    v2 = plain("v2", {GIC: 0})
    guest = replace(guest_of([v3, v2]), machine=GuestMachine(vmm="qemu", gic=2))
    assert only(check(guest, v3, CATALOGUE), "interrupt-controller") == []
    assert only(level([plain("a", {GIC: 1}), plain("b", {GIC: 1})], CATALOGUE), "interrupt-controller") == []


def test_no_risk_is_told_of_where_the_answer_is_no_anyhow():
    verdict = check(guest_of([plain("n1", {RNDR: 1})]), plain("v1", cpu=V1), CATALOGUE)
    assert verdict.arrive == "refused"
    assert {f.severity for f in verdict.findings} <= {"stops", "unknown", "breaks"}
