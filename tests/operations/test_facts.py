"""Whatever the program prints, or a tool of the field spells, is found; a number is what it is or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import Part, load
from armlevel.kvm import SpelledRegister, name_of
from armlevel.operations.facts import FactsResult, facts
from armlevel.operations.models import MODELS
from armlevel.profile import SHAPE_FEATURES, Implementation

CATALOGUE = load()


def names_of(found: FactsResult) -> list[str]:
    return [row["name"] for row in found.document()["found"]]


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("0x6030000000160003", "KVM_REG_ARM_VENDOR_HYP_BMAP_2"),
        ("0x603000000013808c", "OSLSR_EL1"),
        ("0x6030000000140001", "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1"),
        ("0x602000000011000a", "CCSIDR_EL1[10]"),
        ("TCR2_EL1", "TCR2_EL1"),
        ("SCTLR2_EL1", "SCTLR2_EL1"),
        ("DCZID_EL0", "DCZID_EL0"),
        ("CNTFRQ_EL0", "CNTFRQ_EL0"),
        ("PSCI_VERSION", "KVM_REG_ARM_PSCI_VERSION"),
        ("Neoverse-N1", "Arm Neoverse N1"),
        ("cortex-a76", "Arm Cortex-A76"),
        ("a64fx", "Fujitsu A64FX"),
        ("ThunderX299xx", "Cavium ThunderX2-99xx"),
        ("SYS_ID_AA64MMFR1_EL1", "ID_AA64MMFR1_EL1"),
        ("ID_AA64PFR0.SVE", "ID_AA64PFR0_EL1.SVE"),
        ("SYSREG_ID_AA64ISAR0_EL1_AES", "ID_AA64ISAR0_EL1.AES"),
        ("ID_AA64PFR0_EL1.35:32", "ID_AA64PFR0_EL1.SVE"),
        ("cntfrq_hz", "cntfrq_hz"),
        ("pauth", "ptrauth"),
        ("HWCAP_SHA3", "HWCAP_SHA3"),
    ],
)
def test_a_term_of_the_field_is_found(term, name):
    found = facts([term])
    assert found.status == 0
    assert name in names_of(found)
    MODELS["facts/1"].model_validate(found.document())


@pytest.mark.parametrize(
    "terms", [["op0:3", "op1:0", "crn:0", "crm:4", "op2:0"], ["sys_reg(3,", "0,", "0,", "4,", "0)"]]
)
def test_words_that_a_shell_took_apart_are_one_register(terms):
    assert names_of(facts(terms)) == ["ID_AA64PFR0_EL1"]


def test_a_library_of_models_is_found_by_name_alone():
    for alias, part in CATALOGUE.part_aliases.items():
        assert [row for _, rows in facts([alias]).found for row in rows] == [CATALOGUE.parts[part]]


def test_what_the_program_prints_of_a_host_is_found():
    printed = [*SHAPE_FEATURES, *CATALOGUE.registers, *CATALOGUE.fields, *CATALOGUE.firmware, *CATALOGUE.vmms]
    printed += [name.removeprefix("KVM_REG_ARM_") for name in CATALOGUE.firmware]
    printed += [one.name for one in CATALOGUE.errata] + [*CATALOGUE.tolerances] + [*CATALOGUE.features]
    missing = [one for one in printed if not facts([one]).rows]
    assert len(printed) > 800
    assert missing == []


@given(st.integers(0, (1 << 64) - 1))
def test_a_wide_number_is_never_a_core(number):
    rows = facts([f"{number:#x}"]).rows
    if number >> 32:
        assert not any(isinstance(row, Part | Implementation) for row in rows)


@pytest.mark.parametrize("group", [0x10, 0x11, 0x13, 0x14, 0x15, 0x16])
@given(low=st.integers(0, 0xFFFF), size=st.integers(2, 8))
def test_a_register_id_is_a_register(group, low, size):
    register_id = 0x60 << 56 | size << 52 | group << 16 | low
    (row,) = facts([f"{register_id:#x}"]).rows
    assert not isinstance(row, Part | Implementation)
    if isinstance(row, SpelledRegister):
        assert row.kvm_id == register_id or name_of(register_id) == row.name


@pytest.mark.parametrize("term", ["0x7030000000160003", "0x1234567890", "1418047", "0x99001234"])
def test_a_number_that_is_nothing_suggests_no_name(term):
    found = facts([term])
    assert found.status == 1
    assert found.near == ((term, ()),)
