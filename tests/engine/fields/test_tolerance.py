"""What a person lets differ: only that, only where it is needed, and never silently."""

from __future__ import annotations

import pytest

from armlevel.engine import Policy, check, level, tolerance_named
from armlevel.engine.reasons import from_row
from armlevel.errors import UnknownName, UsageError
from tests.engine.kit import CATALOGUE, about, field_of, host, offer, plain, shape, up_to
from tests.fidelity.hosts import read

FWB, IDS, CCIDX = (f"ID_AA64MMFR2_EL1.{name}" for name in ("FWB", "IDS", "CCIDX"))
RNDR = "ID_AA64ISAR0_EL1.RNDR"
MMFR2 = CATALOGUE.registers["ID_AA64MMFR2_EL1"].kvm_id
LISTED = [CATALOGUE.registers[name].kvm_id for name in ("ID_AA64MMFR2_EL1", "ID_AA64ISAR0_EL1")]
RECORDED = {one.name: one for one in read()}


def pair(field: str, one: int, other: int):
    return [
        plain(name, {IDS: 0, RNDR: 0, field: value}, lists=LISTED)
        for name, value in (("a", one), ("b", other))
    ]


@pytest.mark.parametrize(
    ("name", "field"), [(row.name, field) for row in CATALOGUE.tolerances.values() for field in row.fields]
)
def test_every_field_of_every_class_stops_without_it_and_differs_with_it(name, field):
    aarch32 = {"ID_AA64PFR0_EL1.EL0": 2}  # so that AArch32 registers have a meaning
    register = CATALOGUE.registers[CATALOGUE.fields[field].register]
    values = (0xE, 0xF) if field.endswith("E2H0") else (0, 1)
    hosts = [
        plain(at, {field: value, **aarch32}, lists=[register.kvm_id])
        for at, value in zip("ab", values, strict=True)
    ]
    strict = level(hosts, CATALOGUE)
    assert strict.answer == "refused"
    (conflict,) = about(strict.conflicts, field)
    assert ("tolerate", (name,)) in [(remedy.kind, remedy.args) for remedy in conflict.remedies]
    loose = level(hosts, CATALOGUE, Policy(tolerate=(name,)))
    assert loose.answer == "runs"
    assert loose.guest is not None
    assert loose.guest.tolerates == (name,)
    assert register.kvm_id not in (loose.guest.register_list or ())
    for one in hosts:
        verdict = check(loose.guest, one, CATALOGUE)
        assert (verdict.start, verdict.arrive) == ("runs", "runs")
    told = [finding for finding in loose.findings if finding.subject.key == field]
    assert [finding.severity for finding in told] == ["note"]
    row = CATALOGUE.tolerances[name]
    assert told[0].because[1] == from_row(row.notices, row.when, code="notices")


def test_a_tolerance_that_nothing_needs_leaves_no_trace():
    hosts = [plain("a", {FWB: 1}, lists=LISTED), plain("b", {FWB: 1}, lists=LISTED)]
    loose, strict = level(hosts, CATALOGUE, Policy(tolerate=("el2-only",))), level(hosts, CATALOGUE)
    assert loose.guest == strict.guest
    assert loose.guest is not None
    assert MMFR2 in (loose.guest.register_list or ())


def test_a_tolerance_covers_its_own_fields_and_nothing_else():
    assert level(pair(IDS, 0, 1), CATALOGUE, Policy(tolerate=("el2-only",))).answer == "refused"
    assert (
        level(pair(RNDR, 0, 1), CATALOGUE, Policy(tolerate=tuple(CATALOGUE.tolerances))).answer == "refused"
    )


def test_a_field_tolerated_by_name_is_a_risk_where_a_guest_can_use_it():
    outcome = level(pair(RNDR, 0, 1), CATALOGUE, Policy(tolerate=(RNDR,)))
    assert outcome.answer == "runs"
    assert [finding.severity for finding in about(outcome.findings, RNDR)] == ["risk"]
    assert [
        finding.severity
        for finding in about(level(pair(FWB, 0, 1), CATALOGUE, Policy(tolerate=(FWB,))).findings, FWB)
    ] == ["note"]


def test_the_profile_promises_the_least_capable_host():
    assert field_of(level(pair(FWB, 0, 1), CATALOGUE, Policy(tolerate=("el2-only",))), FWB) == 0


def test_a_guest_with_el2_uses_what_is_for_el2():
    hosts = [
        host(name, offer({FWB: value}, of=shape("has_el2"), lists=LISTED))
        for name, value in (("a", 0), ("b", 1))
    ]
    guest = level(pair(FWB, 0, 1), CATALOGUE, Policy(tolerate=("el2-only",))).guest
    assert guest is not None
    from dataclasses import replace

    nested = replace(guest, shape=shape("has_el2"))
    assert check(nested, hosts[1], CATALOGUE).arrive == "refused"


def test_a_host_that_can_be_lowered_needs_no_tolerance():
    hosts = [plain("a", {FWB: 0}), plain("b", {FWB: 1}, takes=up_to(FWB, most=1))]
    outcome = level(hosts, CATALOGUE, Policy(tolerate=("el2-only",)))
    assert outcome.guest is not None
    assert outcome.guest.tolerates == ()


def test_names_are_taken_in_any_spelling_and_unknown_ones_are_refused():
    assert tolerance_named("Cache_Format", CATALOGUE) == "cache-format"
    assert tolerance_named("id_aa64mmfr2_el1.fwb", CATALOGUE) == FWB
    with pytest.raises(UnknownName) as caught:
        tolerance_named("el2", CATALOGUE)
    assert "el2-only" in str(caught.value)
    with pytest.raises(UsageError):
        tolerance_named("CLIDR_EL1.LoC", CATALOGUE)


@pytest.mark.parametrize(
    ("one", "other", "classes"),
    [
        ("neoverse-n2@6.12", "neoverse-n2@7.x", ("el2-only",)),
        ("neoverse-n2@6.12", "neoverse-n2@6.18", ("el2-only",)),
        ("neoverse-n2@6.1", "neoverse-n2@7.x", ("el2-only", "cache-format")),
        ("neoverse-n2@7.x", "neoverse-n1@7.x", ("el2-only", "id-trap")),
        ("neoverse-n2@7.x", "neoverse-v1@7.x", ()),
        ("cortex-a76@7.x", "neoverse-n1@7.x", ()),
    ],
)
def test_the_measured_pairs_need_exactly_these_classes(one, other, classes):
    hosts = [RECORDED[one], RECORDED[other]]
    outcome = level(hosts, CATALOGUE, Policy(tolerate=tuple(CATALOGUE.tolerances)))
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert outcome.guest.tolerates == classes
    for needed in classes:
        fewer = tuple(name for name in classes if name != needed)
        assert level(hosts, CATALOGUE, Policy(tolerate=fewer)).answer == "refused"
    for host_ in hosts:
        verdict = check(outcome.guest, host_, CATALOGUE)
        assert (verdict.start, verdict.arrive) == ("runs", "runs")
