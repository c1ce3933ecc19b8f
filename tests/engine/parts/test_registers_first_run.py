"""What KVM takes and changes at the first run counts in every verb, not only where a baseline is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import Policy, check, level, migrate, passthrough, predict
from armlevel.profile import Guest, Host
from tests.engine.kit import CATALOGUE, about, field_of, plain, up_to

TCRX, S1PIE, S1POE = (f"ID_AA64MMFR3_EL1.{name}" for name in ("TCRX", "S1PIE", "S1POE"))
ATS1A, HPDS = "ID_AA64ISAR2_EL1.ATS1A", "ID_AA64MMFR1_EL1.HPDS"
PMUVER, PERFMON = "ID_AA64DFR0_EL1.PMUVer", "ID_DFR0_EL1.PerfMon"
ALL = {TCRX: 1, S1PIE: 1, S1POE: 1, ATS1A: 1, HPDS: 1}


def _host(kernel: str = "7.3.4", **more) -> Host:
    return replace(
        plain("host", ALL, takes=up_to(*ALL, most=1), **more),
        software=replace(plain("x").software, kernel=kernel),
    )


def _without(subject: str, host: Host) -> Guest:
    guest, field = passthrough(host, CATALOGUE), CATALOGUE.field(subject)
    registers = {**guest.registers, field.register: field.put(guest.registers[field.register], 0)}
    return replace(guest, registers=registers)


@pytest.mark.parametrize(
    ("lacks", "cleared"),
    [(ATS1A, {S1PIE, S1POE}), (TCRX, {S1PIE, S1POE}), (HPDS, {S1POE})],
)
def test_indirection_and_overlays_without_what_they_need_are_cleared_at_the_first_run_of_7_3(lacks, cleared):
    host = _host()
    verdict = check(_without(lacks, host), host, CATALOGUE)
    assert verdict.parts["registers"] == ("refused", "refused")
    assert {f.subject.key for f in verdict.findings if f.severity == "breaks"} == cleared
    assert check(passthrough(host, CATALOGUE), host, CATALOGUE).parts["registers"] == ("runs", "runs")


def test_a_migration_of_such_a_guest_completes_and_the_guest_is_another_cpu():
    here, there = replace(_host(), name="here"), replace(_host(), name="there")
    guest = _without(ATS1A, here)
    assert migrate(here, there, CATALOGUE, guest=guest)[0].verdict.arrive == "refused"
    told = predict(here, there, CATALOGUE, guest=guest)
    assert (told.outcome, told.alive, told.harm) == ("completes", None, ("registers",))


def test_6_18_does_not_enforce_it_and_of_a_kernel_that_was_not_measured_it_is_not_known():
    for kernel, answer in (("6.18.15", "runs"), ("7.9.0", "unknown")):
        host = _host(kernel)
        assert check(_without(ATS1A, host), host, CATALOGUE).parts["registers"] == (answer, answer)


def test_a_baseline_is_what_the_check_wants():
    host = _host()
    outcome = level([host], CATALOGUE, Policy(pins={ATS1A: 0}))
    assert outcome.answer == "runs"
    assert (field_of(outcome, S1PIE), field_of(outcome, S1POE)) == (0, 0)
    assert outcome.guest is not None
    assert check(outcome.guest, host, CATALOGUE).start == "runs"


def test_what_the_hosts_own_limits_break_its_kvm_does_not_enforce():
    odd = plain("odd", {**ALL, ATS1A: 0})
    assert check(passthrough(odd, CATALOGUE), odd, CATALOGUE).parts["registers"] == ("runs", "runs")


def test_what_a_probe_saw_kvm_change_is_what_the_guest_gets():
    host = _host()
    register = CATALOGUE.field(S1POE).register
    guest = passthrough(host, CATALOGUE)
    after = CATALOGUE.field(S1POE).put(guest.registers[register], 0)
    seen = replace(host, offers=(replace(host.offers[0], changed_by_kvm={register: after}),))
    verdict = check(guest, seen, CATALOGUE)
    assert verdict.parts["registers"] == ("refused", "refused")
    assert {f.subject.key for f in verdict.findings} == {S1POE}
    assert check(_without(S1POE, host), seen, CATALOGUE).parts["registers"] == ("runs", "runs")


@pytest.mark.parametrize(("becomes", "arrives"), [(0, "breaks"), (None, "stops")])
def test_what_a_probe_saw_of_two_fields_together_counts_for_the_guest_that_has_both(becomes, arrives):
    fields = {PMUVER: 6, PERFMON: 6, "ID_AA64PFR0_EL1.EL0": 2}
    host = plain("host", fields, takes=up_to(PMUVER, PERFMON, most=6))
    seen = replace(host, offers=(replace(host.offers[0], side_effects={f"{PERFMON}=0": {PMUVER: becomes}}),))
    guest = _without(PERFMON, host)
    assert check(guest, host, CATALOGUE).parts["registers"] == ("runs", "runs")
    assert [f.severity for f in about(check(guest, seen, CATALOGUE).findings, PMUVER)] == ["stops", arrives]
    assert check(passthrough(host, CATALOGUE), seen, CATALOGUE).parts["registers"] == ("runs", "runs")


def test_what_a_probe_saw_on_a_kernel_of_no_measured_line_is_known_there():
    host = _host("7.9.0")
    seen = replace(host, offers=(replace(host.offers[0], side_effects={f"{ATS1A}=0": {S1PIE: 0, S1POE: 0}}),))
    verdict = check(_without(ATS1A, host), seen, CATALOGUE)
    assert verdict.parts["registers"] == ("refused", "refused")
