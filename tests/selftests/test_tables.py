"""The tables of a selftest, on sources of our own: each form that some kernel has, and forms that none has."""

from __future__ import annotations

import pytest

from armlevel.arch import load
from armlevel.kvm import id_of
from tests.selftests.sysreg import read_sysreg
from tests.selftests.tables import (
    Bitmap,
    FieldStep,
    Gate,
    HiddenField,
    Names,
    TableFault,
    read_bitmaps,
    read_hidden,
    read_lists,
    read_steps,
    read_written,
)

SYSREG = """\
# a comment
Sysreg\tID_AA64ISAR0_EL1\t3\t0\t0\t6\t0
UnsignedEnum\t63:60\tRNDR
\t0b0000\tNI
\t0b0001\tIMP
EndEnum
UnsignedEnum\t27:24\tGONE
\t0b0000\tNI
\t0b0002\tODD
EndEnum
Res0\t3:0
EndSysreg
Sysreg\tID_AA64DFR0_EL1\t3\t0\t0\t5\t0
SignedEnum\t39:36\tDoubleLock
\t0b0000\tIMP
\t0b1111\tNI
EndEnum
UnsignedEnum\t3:0\tDebugVer
\t0b0110\tIMP
\t0b0111\tV8P1
EndEnum
EndSysreg
Sysreg\tID_AA64MMFR3_EL1\t3\t0\t0\t7\t3
UnsignedEnum\t3:0\tTCRX
\t0b0001\tIMP
EndEnum
EndSysreg
SysregFields\tZZZ_ELx
Field\t0\tX
EndSysregFields
Sysreg\tNEW_EL2\t3\t4\t1\t5\t0
Fields\tZZZ_ELx
EndSysreg
"""
STEPS = """
static const struct reg_ftr_bits ftr_one[] = {
    /* REG_FTR_BITS(FTR_EXACT, NO_EL1, NO, 1), */
    REG_FTR_BITS(FTR_LOWER_SAFE, ID_AA64ISAR0_EL1, RNDR, 0),  // the last
    REG_FTR_BITS_MUTABLE(FTR_EXACT, ID_AA64ISAR0_EL1, GONE, 1),
    S_REG_FTR_BITS(FTR_HIGHER_SAFE, ID_AA64DFR0_EL1,
                   DoubleLock, ID_AA64DFR0_EL1_DoubleLock_NI),
    REG_FTR_END,
};
static const struct reg_ftr_bits ftr_two[] = {
    REG_FTR_BITS(FTR_LOWER_SAFE, ID_AA64DFR0_EL1, DebugVer, ID_AA64DFR0_EL1_DebugVer_IMP),
};
static void other(void) { test_id_reg(v, SYS_MIDR_EL1); test_id_reg(v, SYS_MIDR_EL1); test_id_reg(v, id); }
"""
LISTS = """
static struct feature_id_reg feat_id_regs[] = {
    REG_FEAT(TCR2_EL1, ID_AA64MMFR3_EL1, TCRX, IMP),
    { ARM64_SYS_REG(3, 0, 10, 2, 3), ARM64_SYS_REG(3, 0, 0, 7, 3), 8, 1 },
};
static __u64 base_regs[] = {
    KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(regs.regs[7]),
    KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(spsr[3]),
    KVM_REG_ARM_FW_REG(0), KVM_REG_ARM_FW_FEAT_BMAP_REG(2), /* a comment, with a comma */
    KVM_REG_ARM_TIMER_CVAL, KVM_ARM64_SYS_REG(SYS_CNTV_CTL_EL0),
    ARM64_SYS_REG(3, 0, 1, 0, 0),
};
static __u64 sve_regs[] = {
    KVM_REG_ARM64_SVE_VLS, KVM_REG_ARM64_SVE_ZREG(3, 0),
    KVM_REG_ARM64_SVE_PREG(15, 0), KVM_REG_ARM64_SVE_FFR(0)
};
static __u64 el2_regs[] = { SYS_REG(HCR_EL2), SYS_REG(NEW_EL2), SYS_REG(SP_EL2), };
static __u64 not_ours[] = { 1, 2 };
"""


def names() -> Names:
    return Names(read_sysreg(SYSREG), load())


def test_the_steps_of_fields_are_read_with_their_rule_sign_and_safe_value():
    assert read_steps(STEPS, names()) == (
        FieldStep("ID_AA64ISAR0_EL1.RNDR", "lower", 0, 4),
        FieldStep("ID_AA64ISAR0_EL1[27:24]", "exact", 1, 4),  # a place where the rows have no field
        FieldStep("ID_AA64DFR0_EL1.DoubleLock", "higher", 15, 4, signed=True),
        FieldStep("ID_AA64DFR0_EL1.DebugVer", "lower", 6, 4),
    )
    assert read_written(STEPS) == ("MIDR_EL1",)


@pytest.mark.parametrize(
    ("step", "limit", "stored", "refused"),
    [
        (FieldStep("R.F", "lower", 0, 4), 3, 2, 4),
        (FieldStep("R.F", "lower", 6, 4), 6, 6, 7),
        (FieldStep("R.F", "lower", 0, 4), 15, 14, None),
        (FieldStep("R.F", "lower", 0, 4, signed=True), 15, 15, 0),
        (FieldStep("R.F", "exact", 1, 4), 2, 1, 3),
        (FieldStep("R.F", "exact", 1, 4), 0, 1, 2),
        (FieldStep("R.F", "higher", 0, 4), 0, 1, None),
        (FieldStep("R.F", "higher", 0, 4), 15, 15, 14),
        (FieldStep("R.F", "higher", 0, 4, signed=True), 14, 14, 13),
        (FieldStep("R.F", "higher or zero", 0, 4), 15, 0, 14),
        (FieldStep("R.F", "higher or zero", 0, 4), 0, 0, 15),
        (FieldStep("R.F", "higher or zero", 0, 4), 3, 4, 2),
    ],
)
def test_a_step_has_one_value_that_is_stored_and_one_that_is_refused(step, limit, stored, refused):
    assert (step.stored(limit), step.refused(limit)) == (stored, refused)


def test_the_lists_of_registers_are_read_in_every_spelling():
    found = read_lists(LISTS, names())
    assert found.lists["base"] == {
        *map(id_of, ("X7", "SPSR_irq", "KVM_REG_ARM_PSCI_VERSION", "KVM_REG_ARM_VENDOR_HYP_BMAP")),
        *map(id_of, ("CNTV_CVAL_EL0", "CNTV_CTL_EL0", "SCTLR_EL1")),
    }
    assert found.lists["sve"] == set(map(id_of, ("SVE_VLS", "Z3", "P15", "FFR")))
    assert found.lists["el2"] == set(map(id_of, ("HCR_EL2", "S3_4_C1_C5_0", "S3_6_C4_C1_0")))
    assert found.gates == (
        Gate(id_of("TCR2_EL1"), "ID_AA64MMFR3_EL1.TCRX", 1),
        Gate(id_of("PIR_EL1"), "ID_AA64MMFR3_EL1.S1PIE", 1),
    )
    assert found.wanted(frozenset({"base", "vregs"})) == found.lists["base"]


def test_hidden_features_and_bitmaps_are_read():
    hidden = (
        'static const struct feature features[] = { FEATURE("X", ID_AA64ISAR0_EL1, RNDR, IMP, f, NULL), };'
    )
    assert read_hidden(hidden, names()) == (HiddenField("ID_AA64ISAR0_EL1.RNDR", 1),)
    bitmaps = """
    #define KVM_REG_ARM_STD_BMAP_BIT_MAX HIGHEST
    #define HIGHEST 3
    #define KVM_REG_ARM_VENDOR_HYP_BMAP_2_BIT_MAX 1
    #define KVM_REG_ARM_VENDOR_HYP_BMAP_2_RESET_VAL 0
    static const struct info fw_reg_info[] = {
        FW_REG_INFO(KVM_REG_ARM_STD_BMAP), FW_REG_INFO(KVM_REG_ARM_VENDOR_HYP_BMAP_2),
    };"""
    assert read_bitmaps(bitmaps) == (
        Bitmap("KVM_REG_ARM_STD_BMAP", 3, begins_full=True),
        Bitmap("KVM_REG_ARM_VENDOR_HYP_BMAP_2", 1, begins_full=False),
    )


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (read_steps, "int main(void) { return 0; }", "no table of fields"),
        (read_steps, "ftr_a[] = { REG_FTR_BITS(FTR_NEW, A_EL1, F, 0) };", "FTR_NEW"),
        (read_steps, "ftr_a[] = { REG_FTR_BITS(FTR_EXACT, A_EL1, F, 0) };", r"no field A_EL1\.F"),
        (read_steps, "ftr_a[] = { REG_FTR_BITS(FTR_EXACT, ID_AA64ISAR0_EL1, RNDR, X) };", "no value X"),
        (read_lists, "pmu_regs[] = { KVM_REG_ARM_FW_REG(0) };", "no list of base registers"),
        (read_lists, "base_regs[] = { A_NEW_SPELLING(1) };", "A_NEW_SPELLING"),
        (read_lists, "base_regs[] = { SYS_REG(NOBODY_EL7) };", "NOBODY_EL7"),
        (read_lists, "base_regs[] = { KVM_REG_ARM_FW_REG(0) }; feat_id_regs[] = { {1, 2, 3} };", "1, 2, 3"),
        (read_hidden, "x[] = { FEATURE(1) };", "no table of features"),
    ],
)
def test_a_form_that_is_not_known_is_a_fault_and_never_an_empty_table(read, text, words):
    with pytest.raises(TableFault, match=words):
        read(text, names())


@pytest.mark.parametrize(
    "text", ["", "static const struct info fw_reg_info[] = { FW_REG_INFO(KVM_REG_ARM_STD_BMAP) };"]
)
def test_bitmaps_without_a_table_or_a_highest_bit_are_a_fault(text):
    with pytest.raises(TableFault):
        read_bitmaps(text)
