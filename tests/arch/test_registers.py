"""Registers, fields and orders."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import Order, load, mentioned
from armlevel.errors import UnknownName


def rank(order, value, **width):
    return order.rank(value, **width)


REGISTERS = st.sampled_from(sorted(load().registers))
VALUES = st.integers(0, 2**64 - 1)


def test_the_table_holds_the_62_id_registers_and_421_fields_of_kvm():
    assert len(load().registers) == 62
    assert len(load().fields) == 421


@given(REGISTERS, VALUES)
def test_encoding_what_was_decoded_gives_the_value_back(name, value):
    register = load().registers[name]
    assert register.encode(register.decode(value), base=value & register.reserved_mask) == value


@given(REGISTERS)
def test_every_bit_is_a_field_or_reserved_and_never_both(name):
    register = load().registers[name]
    masks = [field.mask for field in register.fields] + [run.mask for run in register.reserved]
    assert sum(masks) == 2**64 - 1
    assert all(not one & other for i, one in enumerate(masks) for other in masks[:i])


def test_kvm_ids_are_those_of_the_kernel():
    ids = {"MIDR_EL1": 0x603000000013C000, "CLIDR_EL1": 0x603000000013C801, "CTR_EL0": 0x603000000013D801}
    assert {name: load().registers[name].kvm_id for name in ids} == ids


@pytest.mark.parametrize(
    ("subject", "worst_first"),
    [
        ("ID_AA64PFR0_EL1.SVE", [0, 1]),
        ("ID_AA64PFR0_EL1.FP", [15, 0, 1]),
        ("ID_AA64PFR0_EL1.AdvSIMD", [15, 0, 1]),
        ("ID_AA64DFR0_EL1.DoubleLock", [15, 0]),
        ("ID_AA64MMFR0_EL1.TGRAN4", [15, 0, 1]),
        ("ID_AA64MMFR0_EL1.TGRAN64", [15, 0]),
        ("ID_AA64MMFR0_EL1.TGRAN16", [0, 1, 2]),
        ("ID_AA64MMFR0_EL1.TGRAN4_2", [1, 0, 2, 3]),
        ("ID_AA64MMFR0_EL1.TGRAN16_2", [1, 0, 2, 3]),
        ("ID_AA64MMFR0_EL1.TGRAN64_2", [1, 0, 2]),
        ("ID_AA64PFR1_EL1.MTE_frac", [15, 0]),
        ("ID_AA64MMFR4_EL1.E2H0", [14, 15, 0]),
        ("ID_AA64DFR0_EL1.MTPMU", [15, 0, 1]),
        ("ID_AA64DFR0_EL1.PMUVer", [15, 0, 1, 4, 5, 6, 7, 8, 9]),
        ("ID_DFR0_EL1.PerfMon", [15, 0, 3, 6, 8, 9]),
        ("ID_MMFR0_EL1.InnerShr", [15, 0, 1]),
        ("ID_AA64MMFR1_EL1.SpecSEI", [1, 0]),
        ("ID_MMFR4_EL1.SpecSEI", [1, 0]),
        ("CTR_EL0.DIC", [0, 1]),
        ("CTR_EL0.CWG", [0, 9, 5, 4, 1]),
        ("CTR_EL0.ERG", [0, 9, 4, 1]),
    ],
)
def test_values_stand_in_their_order_worst_first(subject, worst_first):
    field = load().fields[subject]
    ranks = [rank(field, value) for value in worst_first]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert [field.compare(one, other) for one, other in itertools.pairwise(worst_first)] == ["less"] * (
        len(worst_first) - 1
    )


@pytest.mark.parametrize("subject", ["ID_AA64ISAR1_EL1.APA", "ID_AA64ISAR1_EL1.API", "ID_AA64ISAR2_EL1.APA3"])
def test_pointer_authentication_algorithms_have_no_order(subject):
    field = load().fields[subject]
    assert rank(field, 3) is None
    assert field.compare(3, 5) == "other"
    assert field.compare(3, 3) == "same"


def test_about_fifty_fields_are_exact_and_each_says_why_or_is_an_identity():
    exact = [field for field in load().fields.values() if field.order.kind == "exact"]
    assert 48 <= len(exact) <= 55
    assert {f"CTR_EL0.{name}" for name in ("L1Ip", "TminLine", "RES1_31")} <= {
        field.subject for field in exact
    }
    said = ("no source gives an order", "must match", "a policy")
    for field in exact:
        assert field.name == "RES1_31" or any(words in field.see for words in said), field.subject


def test_a_value_outside_a_listed_order_comes_after_it():
    order = Order("list", (1, 0, 2))
    assert rank(order, 3, width=4) > rank(order, 2, width=4)


@given(REGISTERS, VALUES, VALUES)
def test_only_a_field_without_an_order_compares_as_other(name, one, other):
    for field in load().registers[name].fields:
        answer = field.compare(field.get(one), field.get(other))
        assert (answer == "other") <= (field.order.kind == "exact")
        back = {"less": "more", "more": "less"}.get(answer, answer)
        assert field.compare(field.get(other), field.get(one)) == back


def test_values_have_our_names_and_a_feature_name_where_one_begins():
    fields = load().fields
    assert fields["ID_AA64MMFR0_EL1.PARANGE"].values[5] == "48 bits"
    assert fields["ID_AA64ISAR0_EL1.ATOMIC"].values == {0: "NI", 2: "FEAT_LSE", 3: "FEAT_LSE128"}
    assert not fields["ID_AA64ISAR0_EL1.ATOMIC"].architected(1)
    assert fields["MIDR_EL1.PartNum"].architected(0xD0C)
    named = {text for field in fields.values() for text in field.values.values() if text.startswith("FEAT_")}
    known = set(load().features)
    assert {name.partition(",")[0] for name in named} <= known


def test_values_derived_from_the_interrupt_controller_are_marked():
    derived = {field.subject for field in load().fields.values() if field.derived}
    assert derived == {"ID_AA64PFR0_EL1.GIC", "ID_AA64PFR2_EL1.GCIE", "ID_PFR1_EL1.GIC"}
    assert [name for name, register in load().registers.items() if register.derived] == ["MPIDR_EL1"]


def test_tolerable_classes_can_be_told_from_who_uses_a_field():
    who = {
        subject.partition(".")[2]: field.who for subject, field in load().fields.items() if "MMFR" in subject
    }
    assert {who[name] for name in ("FWB", "EVT", "NV", "VH", "VMIDBits", "XNX", "E2H0")} == {"el2"}
    assert (who["IDS"], who["CCIDX"], who["AT"]) == ("el1", "cache", "el0")


def test_what_a_program_can_ask_for_by_hwcap_is_used_at_el0():
    catalogue = load()
    for cap in catalogue.hwcaps.values():
        if cap.condition is not None:
            for subject in mentioned(cap.condition):
                assert catalogue.fields[subject].who == "el0", (cap.name, subject)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("ID_AA64MMFR0_EL1.TGran4_2", "ID_AA64MMFR0_EL1.TGRAN4_2"),
        ("id_aa64isar0_el1.atomic", "ID_AA64ISAR0_EL1.ATOMIC"),
        (" ID_AA64MMFR0_EL1.PARange ", "ID_AA64MMFR0_EL1.PARANGE"),
    ],
)
def test_fields_are_found_in_either_spelling_and_any_case(text, subject):
    assert load().field(text).subject == subject


def test_registers_and_features_are_found_in_any_case():
    assert load().register("ctr_el0").name == "CTR_EL0"
    assert load().feature("feat_sve2").name == load().feature("SVE2").name == "FEAT_SVE2"


def test_an_unknown_name_is_refused_with_names_that_are_near():
    with pytest.raises(UnknownName, match=r"did you mean ID_AA64PFR0_EL1\.SVE"):
        load().field("ID_AA64PFR0_EL1.SVF")
    with pytest.raises(UnknownName, match="no register is called"):
        load().register("ID_AA64XXX")
    with pytest.raises(UnknownName, match="FEAT_SVE2"):
        load().feature("FEAT_SVE3")


def test_a_value_that_does_not_fit_its_field_is_refused():
    with pytest.raises(ValueError, match="has 4 bits; 0x10 does not fit"):
        load().fields["ID_AA64PFR0_EL1.SVE"].put(0, 16)
