"""Rows about cores and about hidden instructions: against known silicon, and what the prover says of broken ones."""

import pytest

from armlevel.arch import Catalogue, load
from armlevel.arch.prove import prove
from armlevel.arch.table import TABLE

ERRATA = {row.name: row for row in load().errata}
N1, V1, V2, A72 = 0x413FD0C1, 0x411FD401, 0x410FD4F1, 0x410FD083


def changed(**sections):
    return Catalogue({**TABLE, **sections})


@pytest.mark.parametrize(
    ("midr", "revidr", "names"),
    [
        (N1, 0xFF, {"1418040", "1542419", "tlbi-completion", "speculative-ssbs", "bhb-loop"}),
        (V1, 1, {"tlbi-completion", "speculative-ssbs", "bhb-loop"}),
        (V2, 0x17, {"tlbi-completion", "speculative-ssbs", "bhb-loop"}),
        (0x414FD0C0, 0, {"1542419", "tlbi-completion", "speculative-ssbs", "bhb-loop"}),  # N1 r4p0
        (A72, 0, {"speculative-at", "1742098", "spectre-v3a", "bhb-loop"}),
    ],
)
def test_a_core_has_these_errata(midr, revidr, names):
    # The lists of cores that need less (others = 1) are no errata of the core.
    assert {name for name, row in ERRATA.items() if not row.others and row.degree(midr, revidr)} == names


def test_revidr_says_that_one_revision_is_fixed():
    a53 = ERRATA["843419"]
    assert [a53.degree(0x410FD034, revidr) for revidr in (0, 0x80, 0x100)] == [1, 1, 0]
    assert a53.degree(0x410FD033, 0x100) == 1


def test_an_architecture_field_other_than_by_features_is_no_such_core():
    assert ERRATA["1542419"].degree(N1 & ~0xF0000, 0) == 0


def test_a_row_of_a_family_compares_the_upper_part_number():
    assert ERRATA["falkor-1003"].degree(0x510F2050, 0) == 1
    assert ERRATA["falkor-1003"].degree(0x510F8050, 0) == 0


def test_the_maker_of_each_core_has_its_own_number():
    assert ERRATA["speculative-ssbs"].ids(N1, 0) == ("3324349",)
    assert ERRATA["speculative-ssbs"].ids(V1, 0) == ("3324341",)


@pytest.mark.parametrize(
    ("midr", "loop"), [(V2, 132), (V1, 32), (N1, 24), (A72, 8), (0x410FD034, 0), (0x481FD010, 32)]
)
def test_the_length_of_the_branch_history_loop(midr, loop):
    assert ERRATA["bhb-loop"].degree(midr, 0) == loop


def test_what_only_a_hypervisor_works_around_is_none_of_a_guests():
    others = {name for name, row in ERRATA.items() if row.not_for_guests}
    assert {"834220", "speculative-at", "trbe-overwrite", "apple-pmu", "oryon-cntvoff"} <= others
    assert not {"1542419", "tlbi-completion", "1418040", "845719"} & others


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("x", "w", "", "", True, 0, "s", ((0x41, 0xFFF, 0, 255, (), None, 1, False),)), "is not known"),
        (("x", "w", "", "", True, 0, "s", ((0x41, 0xD0C, 9, 1, (), None, 1, False),)), "after its last"),
        (("x", "w", "", "", True, 0, "s", ((0x41, 0xD0C, 0, 1, (), None, 0, False),)), "like every core"),
        (("x", "w", "", "", True, 0, "s", ((0x41, 0xD0C, 0, 1, (), (2, 3), 1, False),)), "out of range"),
        (("x", "w", "", "", True, 0, "s", ()), "is of no core"),
        (("x", "w", "", "", True, 2, "s", ((0x41, 0xD0C, 0, 1, (), None, 1, False),)), "neither 0 nor 1"),
        (("x", "w", "", "", True, 0, "", ((0x41, 0xD0C, 0, 1, (), None, 1, False),)), "its source"),
        (
            ("x", "w", "A_EL1.B == 1", "", True, 0, "s", ((0x41, 0xD0C, 0, 1, (), None, 1, False),)),
            "no field",
        ),
    ],
)
def test_a_broken_row_is_named(row, fault):
    (said,) = prove(changed(errata=(row,)))
    assert fault in said


def test_two_rows_of_one_name_are_a_fault():
    assert prove(changed(errata=(TABLE["errata"][0],) * 2)) == ("two errata have one name",)


@pytest.mark.parametrize(
    ("hidden", "fault"),
    [
        (("s", ("ID_AA64ISAR0_EL1.NONE",), ()), "no field is called"),
        (("s", ("ID_AA64MMFR1_EL1.LO",), ()), "programs cannot use"),
        (("", ("ID_AA64ISAR0_EL1.RNDR",), ()), "no source"),
        (("s", ("ID_AA64ISAR0_EL1.RNDR",), (("FEAT_MOPS", "c", ("7.3",), "ID_AA64MMFR1_EL1.HCX >= 1", "s"),)),
         "none of the fields"),
        (("s", ("ID_AA64ISAR2_EL1.MOPS",), (("FEAT_MOPS", "c", ("9",), "ID_AA64MMFR1_EL1.HCX >= 1", "s"),)),
         "was not measured"),
        (("s", ("ID_AA64ISAR2_EL1.MOPS",), (("FEAT_MOPS", "", ("7.3",), "ID_AA64MMFR1_EL1.HCX >= 1", "s"),)),
         "its control"),
    ],
)  # fmt: skip
def test_a_broken_row_about_hidden_instructions_is_named(hidden, fault):
    (said,) = prove(changed(hidden=hidden))
    assert fault in said


def test_software_without_a_source_is_a_fault():
    assert "its source" in prove(changed(dispatch=(("x", "y", ""),)))[0]
