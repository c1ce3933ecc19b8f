"""Whatever a tool of the field writes for a register is found, and is that register."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.kvm import encoding_of, id_of, name_of, spelled
from armlevel.kvm.names import CORE, SVE, SYSTEM

SPELLINGS = {
    "0x6030000000160003": "KVM_REG_ARM_VENDOR_HYP_BMAP_2",
    "0x603000000013808c": "OSLSR_EL1",
    str(0x603000000013808C): "OSLSR_EL1",
    "603000000013C103": "TCR2_EL1",
    "0x6030_0000_0013_c020": "ID_AA64PFR0_EL1",
    "tcr2_el1": "TCR2_EL1",
    "SYS_TCR2_EL1": "TCR2_EL1",
    "DCZID_EL0": "DCZID_EL0",
    "dczid": "DCZID_EL0",
    "CNTFRQ": "CNTFRQ_EL0",
    "PSCI_VERSION": "KVM_REG_ARM_PSCI_VERSION",
    "kvm_reg_arm_std_bmap": "KVM_REG_ARM_STD_BMAP",
    "op0:3 op1:0 crn:0 crm:0 op2:0": "MIDR_EL1",
    "op0=3, op1=3, crn=0, crm=0, op2=1": "CTR_EL0",
    "{ Op0( 3), Op1( 0), CRn( 0), CRm( 4), Op2( 0), func_read },": "ID_AA64PFR0_EL1",
    "Op0:3 Op1:0 CRn:c10 CRm:c2 Op2:3": "PIR_EL1",
    "sys_reg(3, 0, 0, 7, 2)": "ID_AA64MMFR2_EL1",
    "ARM64_SYS_REG(3, 1, 0, 0, 1)": "CLIDR_EL1",
    "3,0,2,0,3": "TCR2_EL1",
    "s3_0_c0_c0_0": "MIDR_EL1",
    "S3_0_C0_C0_0": "MIDR_EL1",
    "S3_0_0_7_3": "ID_AA64MMFR3_EL1",
    "s3_7_c15_c2_1": "S3_7_C15_C2_1",
    "MPAMIDR_EL1": "MPAMIDR_EL1",
    "ICH_VTR_EL2": "ICH_VTR_EL2",
    "x17": "X17",
    "CCSIDR_EL1[3]": "CCSIDR_EL1[3]",
    "SVE_VLS": "SVE_VLS",
}


@pytest.mark.parametrize(("text", "name"), SPELLINGS.items())
def test_a_spelling_names_its_register(text, name):
    found = spelled(text)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "text", ["", "0x413fd0c1", "0xd0c", "Neoverse N1", "0x7030000000160003", "3,0,0,16,0", "9" * 30]
)
def test_what_is_no_register_names_none(text):
    assert spelled(text) is None


def test_every_name_of_arm_finds_its_own_encoding():
    rows = load().system_registers
    assert len(rows) > 1000
    for name, encoding in rows.items():
        found = spelled(f"SYS_{name}")
        assert found is not None
        assert (found.name, found.encoding) == (name, encoding)


def test_the_names_that_kvm_lists_are_arms():
    swapped = {"CNTV_CVAL_EL0", "CNTVCT_EL0"}  # uapi/asm/kvm.h: each has the id of the other
    rows = load().system_registers
    assert {name for encoding, name in SYSTEM.items() if rows[name] != encoding} == swapped
    for name in swapped:
        assert spelled(f"{id_of(name):#x}") == spelled(name)


@pytest.mark.parametrize("table", [CORE, SVE])
def test_what_kvm_names_is_found_by_its_name(table):
    found = [spelled(name) for name in table.values()]
    assert all(one is not None and one.listed for one in found)


@given(st.integers(2, 3), st.integers(0, 7), st.integers(0, 15), st.integers(0, 15), st.integers(0, 7))
def test_an_encoding_is_found_however_it_is_written(op0, op1, crn, crm, op2):
    encoding = (op0, op1, crn, crm, op2)
    texts = (
        f"op0:{op0} op1:{op1} crn:{crn} crm:{crm} op2:{op2}",
        f"Op0( {op0}), Op1( {op1}), CRn( {crn}), CRm( {crm}), Op2( {op2})",
        f"s{op0}_{op1}_c{crn}_c{crm}_{op2}",
        f"S{op0}_{op1}_{crn}_{crm}_{op2}",
        f"sys_reg({op0}, {op1}, {crn}, {crm}, {op2})",
    )
    assert {encoding_of(text) for text in texts} == {encoding}
    found = {spelled(text) for text in texts}
    assert len(found) == 1
    (one,) = found
    assert one is not None
    assert spelled(one.name) == one


@given(st.integers(0, (1 << 64) - 1))
def test_a_number_is_a_register_id_or_nothing(number):
    found = spelled(f"{number:#x}")
    assert found is None or found.kvm_id == number or name_of(number) == found.name
