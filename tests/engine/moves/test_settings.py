"""How one host is made to show a profile: every value as it must be written there, in a safe order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import Policy, level, passthrough, settings_of
from armlevel.errors import UsageError
from armlevel.profile import Accepts
from tests.engine.kit import CATALOGUE, PSCI, W1, plain, shape, up_to
from tests.fidelity.hosts import read

RECORDED = {one.name: one for one in read()}
FWB, NV, RNDR = "ID_AA64MMFR2_EL1.FWB", "ID_AA64MMFR2_EL1.NV", "ID_AA64ISAR0_EL1.RNDR"


def levelled(*names: str, tolerate: tuple[str, ...] = ()):
    guest = level([RECORDED[name] for name in names], CATALOGUE, Policy(tolerate=tolerate)).guest
    assert guest is not None
    return guest


def test_paint_comes_first_then_the_cache_type_and_firmware_last():
    guest = levelled("neoverse-n2@7.x", "neoverse-v1@7.x")
    names = [one.name for one in settings_of(guest, RECORDED["neoverse-v1@7.x"], CATALOGUE).writes]
    assert names[:5] == ["MIDR_EL1", "REVIDR_EL1", "AIDR_EL1", "CTR_EL0", "CLIDR_EL1"]
    firmware = [name.startswith("KVM_REG_ARM_") for name in names]
    assert firmware == sorted(firmware)
    assert names.index("ID_AA64PFR1_EL1") < names.index(PSCI)


def test_writable_implementation_ids_are_a_capability_and_tagging_too():
    guest = levelled("neoverse-n2@7.x", "neoverse-v1@7.x")
    settings = settings_of(guest, RECORDED["neoverse-n2@7.x"], CATALOGUE)
    assert settings.capabilities == ("KVM_CAP_ARM_WRITABLE_IMP_ID_REGS",)
    assert settings.features == ("pmu_v3", "sve")
    assert settings.sve_vls == (128,)
    tagging = shape("mte")
    here = plain("a", of=tagging)
    assert settings_of(passthrough(here, CATALOGUE, shape=tagging), here, CATALOGUE).capabilities == (
        "KVM_CAP_ARM_MTE",
    )


def test_a_field_that_may_differ_is_written_as_each_host_has_it():
    hosts = [
        plain("a", {FWB: 0, RNDR: 0}, takes=up_to(RNDR, most=1)),
        plain("b", {FWB: 1, RNDR: 1}, takes=up_to(RNDR, most=1)),
    ]
    guest = level(hosts, CATALOGUE, Policy(tolerate=("el2-only",))).guest
    assert guest is not None
    field = CATALOGUE.field(FWB)
    for at, value in zip(hosts, (0, 1), strict=True):
        expects = {one.name: one.value for one in settings_of(guest, at, CATALOGUE).expects}
        assert field.get(expects["ID_AA64MMFR2_EL1"]) == value
        assert CATALOGUE.field(RNDR).get(expects["ID_AA64ISAR0_EL1"]) == 0


def test_a_value_that_is_accepted_and_changed_is_expected_as_it_is_kept():
    new = plain("new", {NV: 0}, takes={NV: Accepts.of([0], changed={2: 0})})
    guest = passthrough(plain("old", {NV: 2}), CATALOGUE)
    expects = {one.name: one.value for one in settings_of(guest, new, CATALOGUE).expects}
    assert CATALOGUE.field(NV).get(expects["ID_AA64MMFR2_EL1"]) == 0


def test_a_register_that_is_right_and_takes_nothing_else_is_not_written():
    here = plain("a", {FWB: 1, RNDR: 1}, takes=up_to(RNDR, most=1))
    names = [one.name for one in settings_of(passthrough(here, CATALOGUE), here, CATALOGUE).writes]
    assert "ID_AA64ISAR0_EL1" in names
    assert "ID_AA64MMFR2_EL1" not in names


def test_levels_that_kvm_only_checks_are_shown_and_not_written():
    here = plain("a", firmware={PSCI: 0x10003, W1: 2})
    guest = replace(passthrough(here, CATALOGUE), firmware={PSCI: 0x10001, W1: 1})
    settings = settings_of(guest, here, CATALOGUE)
    assert [(one.name, one.value) for one in settings.shows] == [(W1, 1)]
    assert [(one.name, one.value) for one in settings.writes] == [(PSCI, 0x10001)]
    assert settings.psci == 0x10001


def test_what_is_carried_is_the_profiles_list():
    guest = levelled("neoverse-n2@6.1", "neoverse-n2@7.x", tolerate=("el2-only", "cache-format"))
    settings = settings_of(guest, RECORDED["neoverse-n2@7.x"], CATALOGUE)
    assert settings.register_list == guest.register_list
    assert set(settings.register_list) < set(RECORDED["neoverse-n2@7.x"].offers[0].register_list or ()) | set(
        settings.register_list
    )
    assert CATALOGUE.registers["ID_AA64MMFR2_EL1"].kvm_id not in settings.register_list


def test_a_host_without_the_shape_is_a_sentence():
    with pytest.raises(UsageError) as caught:
        settings_of(passthrough(plain("a"), CATALOGUE), replace(plain("b"), offers=()), CATALOGUE)
    assert "b has no offer for shape base" in str(caught.value)
