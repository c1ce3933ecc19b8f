"""A comparison finds what differs: each kind of difference, planted in expectations of our own."""

from __future__ import annotations

from armlevel.arch import load
from armlevel.kvm import id_of
from tests.fidelity.hosts import read, read_masks
from tests.selftests.against import (
    Compared,
    compare_bitmaps,
    compare_gates,
    compare_hidden,
    compare_listed,
    compare_steps,
    compare_when_listed,
    compare_written,
)
from tests.selftests.tables import Bitmap, FieldStep, Gate, HiddenField, RegisterLists

MASKS = read_masks()["7.3, with AArch32"]
BASE = frozenset({id_of("X0"), id_of("KVM_REG_ARM_STD_BMAP")})


def subjects(found: Compared) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.subject, one.limits) for one in found.differ]


def steps(*given: FieldStep, line: str = "7.3") -> list[tuple[str, tuple[int, ...]]]:
    found = compare_steps(line, given, load(), MASKS)
    assert found.points == len(given)
    return subjects(found)


def test_what_the_rows_say_too_is_no_difference():
    agreeing = (
        FieldStep("ID_AA64ISAR0_EL1.AES", "lower", 0, 4),
        FieldStep("ID_AA64MMFR0_EL1.TGRAN4_2", "exact", 1, 4),
        FieldStep("ID_AA64DFR0_EL1.DoubleLock", "lower", 0, 4, signed=True),
        FieldStep("ID_AA64MMFR1_EL1.SpecSEI", "higher", 0, 4),
        FieldStep("ID_AA64DFR0_EL1.DebugVer", "lower", 6, 4),
    )
    assert steps(*agreeing) == []


def test_another_direction_a_wrong_sign_and_a_wrong_safe_value_are_found():
    assert steps(FieldStep("ID_AA64ISAR0_EL1.AES", "higher", 0, 4)) == [("ID_AA64ISAR0_EL1.AES", (0, 1, 2))]
    assert steps(FieldStep("ID_AA64MMFR1_EL1.SpecSEI", "lower", 0, 4)) != []
    assert steps(FieldStep("ID_AA64DFR0_EL1.DoubleLock", "lower", 0, 4)) == [
        ("ID_AA64DFR0_EL1.DoubleLock", (15,))
    ]
    assert steps(FieldStep("ID_AA64MMFR0_EL1.TGRAN4_2", "exact", 0, 4)) != []
    # KVM takes no debug architecture under 6: a test that steps from 6 to 5 says otherwise.
    assert steps(FieldStep("ID_AA64DFR0_EL1.DebugVer", "lower", 0, 4)) == [("ID_AA64DFR0_EL1.DebugVer", (6,))]


def test_a_field_that_the_rows_or_the_mask_do_not_let_be_written_is_found():
    assert ("ID_AA64MMFR2_EL1.NV", ()) in steps(FieldStep("ID_AA64MMFR2_EL1.NV", "lower", 0, 4))  # the mask
    assert steps(FieldStep("ID_AA64ISAR0_EL1[27:24]", "lower", 0, 4)) == [("ID_AA64ISAR0_EL1[27:24]", ())]
    assert compare_steps("7.3", (), load(), MASKS).unasked


def test_registers_that_are_raised_by_one_are_those_that_take_any_value():
    assert compare_written("7.3", ("MIDR_EL1", "MPIDR_EL1"), load()) == Compared(2)
    assert [name for name, _ in subjects(compare_written("6.12", ("MIDR_EL1",), load()))] == ["MIDR_EL1"]


def test_a_register_that_needs_a_feature_does_so_on_both_sides():
    tcr2 = id_of("TCR2_EL1")
    right = Gate(tcr2, "ID_AA64MMFR3_EL1.TCRX", 1)

    def differ(line: str, *gates: Gate) -> list[str]:
        lists = RegisterLists({"base": BASE | {tcr2}}, gates)
        return [one.what for one in compare_gates(line, lists, load()).differ]

    assert differ("7.3", right) == []
    assert differ("6.12") == []
    assert differ("7.3") == ["needs a feature in the rows only"]
    assert differ("6.12", right) == ["needs a feature in the test only"]
    assert len(differ("7.3", Gate(tcr2, "ID_AA64MMFR3_EL1.TCRX", 2))) == 1
    assert len(differ("7.3", Gate(tcr2, "ID_AA64MMFR3_EL1.S1PIE", 1))) == 1
    assert differ("7.3", right, Gate(id_of("TTBR0_EL1"), "ID_AA64MMFR3_EL1.TCRX", 1)) != []


def test_a_register_came_when_the_rows_say_so():
    with_it = RegisterLists({"base": BASE | {id_of("PMMIR_EL1")}})
    differ = {line: compare_when_listed(line, with_it, load()).differ for line in ("6.18", "7.3")}
    assert [one.subject for one in differ["6.18"]].count("PMMIR_EL1") == 1
    assert [one.subject for one in differ["7.3"]].count("PMMIR_EL1") == 0
    without = compare_when_listed("7.3", RegisterLists({"base": BASE}), load())
    assert {"PMMIR_EL1", "KVM_REG_ARM_VENDOR_HYP_BMAP_2"} <= {one.subject for one in without.differ}


def test_a_recorded_host_lists_what_its_features_make_the_test_want():
    hosts = read(["cortex-a72@7.x"])
    tcr2 = id_of("TCR2_EL1")
    gated = RegisterLists({"base": BASE | {tcr2}}, (Gate(tcr2, "ID_AA64MMFR3_EL1.TCRX", 1),))
    assert compare_listed("7.3", gated, hosts, load()).differ == ()
    found = compare_listed("7.3", RegisterLists({"base": BASE | {tcr2}}), hosts, load())
    assert [one.subject for one in found.differ] == ["TCR2_EL1"]
    assert compare_listed("7.3", gated, [], load()).points == 0


def test_bitmaps_have_the_bits_of_the_rows_and_begin_as_they_do():
    lists = RegisterLists({"base": BASE})

    def differ(*bitmaps: Bitmap) -> list[str]:
        return [one.subject for one in compare_bitmaps("7.3", bitmaps, lists, load()).differ]

    assert differ(Bitmap("KVM_REG_ARM_STD_BMAP", 0, begins_full=True)) == []
    assert differ(Bitmap("KVM_REG_ARM_STD_BMAP", 1, begins_full=True)) == ["KVM_REG_ARM_STD_BMAP"]
    assert differ(Bitmap("KVM_REG_ARM_STD_BMAP", 0, begins_full=False)) == ["KVM_REG_ARM_STD_BMAP"]
    assert differ() == ["KVM_REG_ARM_STD_BMAP"]
    assert "KVM_REG_ARM_NEW_BMAP" in differ(Bitmap("KVM_REG_ARM_NEW_BMAP", 0, begins_full=True))


def test_what_is_undefined_when_hidden_is_so_in_the_rows():
    found = compare_hidden("7.3", [HiddenField("ID_AA64ISAR2_EL1.MOPS", 1)], load())
    assert (found.differ, "FEAT_MOPS" in found.unasked, "FEAT_FPMR" in found.unasked) == ((), False, True)
    assert compare_hidden("6.1", [HiddenField("ID_AA64ISAR2_EL1.MOPS", 1)], load()).differ
    rndr = compare_hidden("7.3", [HiddenField("ID_AA64ISAR0_EL1.RNDR", 1)], load()).differ
    assert [one.what for one in rndr] == ["the rows: it executes"]
