"""Register ids and names lead to each other, for every register KVM lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.errors import UnknownName
from armlevel.kvm import RegisterId, group_of, id_of, name_of
from armlevel.kvm.names import CORE, SVE, SYSTEM

KNOWN = {
    0x6030000000100000: ("core", "X0"),
    0x603000000010003C: ("core", "X30"),
    0x603000000010003E: ("core", "SP_EL0"),
    0x6030000000100040: ("core", "PC"),
    0x6030000000100042: ("core", "PSTATE"),
    0x6030000000100044: ("core", "SP_EL1"),
    0x6030000000100046: ("core", "ELR_EL1"),
    0x6030000000100048: ("core", "SPSR_EL1"),
    0x603000000010004A: ("core", "SPSR_abt"),
    0x6030000000100050: ("core", "SPSR_fiq"),
    0x6040000000100054: ("core", "V0"),
    0x60400000001000D0: ("core", "V31"),
    0x60200000001000D4: ("core", "FPSR"),
    0x60200000001000D5: ("core", "FPCR"),
    0x602000000011000D: ("demux", "CCSIDR_EL1[13]"),
    0x603000000013C000: ("system", "MIDR_EL1"),
    0x603000000013C020: ("system", "ID_AA64PFR0_EL1"),
    0x603000000013C801: ("system", "CLIDR_EL1"),
    0x603000000013D801: ("system", "CTR_EL0"),
    0x603000000013C103: ("system", "TCR2_EL1"),
    0x603000000013C512: ("system", "PIRE0_EL1"),
    0x603000000013C4F6: ("system", "PMMIR_EL1"),
    0x603000000013807E: ("system", "DBGWVR15_EL1"),
    0x603000000013DF5E: ("system", "PMEVCNTR30_EL0"),
    0x603000000013DF7E: ("system", "PMEVTYPER30_EL0"),
    0x603000000013DF7F: ("system", "PMCCFILTR_EL0"),
    0x6030000000140000: ("firmware", "KVM_REG_ARM_PSCI_VERSION"),
    0x6030000000140003: ("firmware", "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3"),
    0x6030000000160003: ("bitmap", "KVM_REG_ARM_VENDOR_HYP_BMAP_2"),
    0x6080000000150000: ("sve", "Z0"),
    0x60800000001503E0: ("sve", "Z31"),
    0x6050000000150400: ("sve", "P0"),
    0x6050000000150600: ("sve", "FFR"),
    0x606000000015FFFF: ("sve", "SVE_VLS"),
    0x603000000013C082 | 0x8: ("system", "S3_0_C1_C1_2"),
}


@pytest.mark.parametrize(("register", "known"), KNOWN.items(), ids=str)
def test_a_register_has_its_group_and_arms_name(register, known):
    assert (group_of(register), name_of(register)) == known
    assert id_of(known[1]) == register


def test_the_two_timer_ids_that_kvm_swapped_stay_swapped():
    # uapi/asm/kvm.h gives CNTV_CVAL_EL0 the encoding of CNTVCT_EL0, and the other way round.
    assert name_of(0x603000000013DF02) == "CNTV_CVAL_EL0"
    assert name_of(0x603000000013DF1A) == "CNTVCT_EL0"


def test_every_id_register_of_the_catalogue_has_its_id():
    for register in load().registers.values():
        assert name_of(register.kvm_id) == register.name
        assert RegisterId.decode(register.kvm_id).encoding == register.encoding


def test_no_two_registers_share_a_name_or_an_encoding():
    names = [*CORE.values(), *SYSTEM.values(), *SVE.values(), *load().registers]
    assert len(set(names)) == len(names)
    assert not SYSTEM.keys() & {register.encoding for register in load().registers.values()}


def test_every_named_register_leads_back():
    for encoding, name in SYSTEM.items():
        assert RegisterId.decode(id_of(name)).encoding == encoding
        assert name_of(id_of(name.lower())) == name


@given(st.integers(0, 0xFFFF), st.sampled_from((0x10, 0x11, 0x13, 0x14, 0x15, 0x16, 0x20)), st.integers(2, 8))
def test_any_id_leads_to_a_name_and_back(index, group, size):
    register = 0x60 << 56 | size << 52 | group << 16 | index
    assert id_of(name_of(register)) == register
    assert RegisterId.decode(register).encode() == register


@pytest.mark.parametrize(
    "name", ["", "X31", "CCSIDR_EL1", "S3_0_C16_C0_0", "S3_0_C0_C16_0", "0x6030", "PSCI"]
)
def test_a_name_of_no_register_is_refused(name):
    with pytest.raises(UnknownName, match="no KVM register is called"):
        id_of(name)


@pytest.mark.parametrize("register", [0, 0x4030000000000000, 0x6030000100000000, 0x6030000010000000])
def test_an_id_that_is_no_arm64_register_is_refused(register):
    with pytest.raises(ValueError, match="is no arm64 register id"):
        RegisterId.decode(register)
