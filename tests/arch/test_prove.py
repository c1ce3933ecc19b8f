"""The prover finds what is wrong with a table, all of it, in sentences."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from armlevel.arch import Catalogue, load, shipped
from armlevel.arch.prove import prove, prove_registers
from armlevel.arch.table import TABLE
from armlevel.errors import TableError

ROOT = Path(__file__).resolve().parent.parent.parent
NAME, MSB, LSB, ORDER, VALUES, WHO, ARM, DERIVED, SEE = range(9)  # a field's row


def changed(**sections):
    return Catalogue({**TABLE, **sections})


def register_rows(name, *, register=None, field=None, reserved=None):
    """The register rows with one register's facts, fields or reserved runs passed through a function."""
    rows = []
    for row in TABLE["registers"]:
        if row[0] == name:
            facts = list(row)
            if register:
                register(facts)
            if field:
                facts[6] = tuple(field(list(one)) for one in facts[6])
            if reserved:
                facts[7] = reserved(facts[7])
            rows.append(tuple(facts))
        else:
            rows.append(row)
    return tuple(rows)


def with_field(name, index, value, register="ID_AA64PFR0_EL1"):
    def change(one):
        if one[NAME] == name:
            one[index] = value
        return tuple(one)

    return changed(registers=register_rows(register, field=change))


def with_register(index, value):
    return changed(
        registers=register_rows("ID_AA64PFR0_EL1", register=lambda row: row.__setitem__(index, value))
    )


def with_rule(text, kind="requires", about="FEAT_SVE"):
    see, lines = TABLE["rules"]
    return changed(rules=(see, f"{lines}\n{about}\t{kind}\t{text}"), rules_total=TABLE["rules_total"] + 1)


def with_feature(name, *pairs):
    see, rows = TABLE["features"]
    kept = tuple(row for row in rows if row[0] != name)
    return changed(features=(see, (*kept, (name, pairs, (), ""))))


def with_writable(*row):
    see, rows = TABLE["writable"]
    return changed(writable=(see, (*rows, row)))


PLANTED = {
    "overlapping bits": (lambda: with_field("SVE", MSB, 36), "SVE at 36:32 covers bits"),
    "bits in no row": (lambda: with_field("SVE", MSB, 34), "bits 0x800000000 are in no row"),
    "bits that are none": (lambda: with_field("SVE", MSB, 64), "has the bits 64:32, which are none"),
    "a missing order": (lambda: with_field("SVE", ORDER, ""), "ID_AA64PFR0_EL1.SVE has no order"),
    "an order nobody knows": (lambda: with_field("SVE", ORDER, "upwards"), "no order is called 'upwards'"),
    "a listed order that leaves out a value": (lambda: with_field("SVE", ORDER, (1,)), "leaves out [0]"),
    "a listed order that repeats": (lambda: with_field("SVE", ORDER, (1, 0, 1)), "repeats a value"),
    "a value too wide": (lambda: with_field("SVE", VALUES, ((0, ""), (16, ""))), "does not fit 4 bits"),
    "nobody who can use it": (lambda: with_field("SVE", WHO, "everyone"), "'everyone' is none of"),
    "two fields of one name": (lambda: with_field("SVE", NAME, "SEL2"), "two fields of one name"),
    "an unknown view": (lambda: with_register(2, "aarch16"), "has the view 'aarch16'"),
    "an unknown scope": (lambda: with_register(3, "core"), "has the scope 'core'"),
    "an encoding twice": (lambda: with_register(1, (3, 0, 0, 0, 0)), "has the encoding of MIDR_EL1"),
    "a register without a source": (lambda: with_register(5, ""), "ID_AA64PFR0_EL1 names no source"),
    "a rule about an unknown feature": (lambda: with_rule("FEAT_SVE -> FEAT_NONE"), "called FEAT_NONE"),
    "a rule about an unknown field": (
        lambda: with_rule("ID_X.F >= 1 -> FEAT_SVE"),
        "no field is called ID_X.F",
    ),
    "a rule that is no expression": (lambda: with_rule("FEAT_SVE ->"), "a name expected"),
    "a kind nobody knows": (
        lambda: with_rule("FEAT_SVE -> FEAT_FP", "maybe"),
        "no kind of rule is called 'maybe'",
    ),
    "a contradiction, near": (lambda: with_rule("FEAT_SVE2 -> !FEAT_SVE"), "FEAT_SVE2 can never be"),
    "a contradiction, far": (lambda: with_rule("FEAT_FP -> !FEAT_SVE_SM4"), "FEAT_SVE_SM4 can never be"),
    "a constraint lost": (
        lambda: changed(set_aside=TABLE["set_aside"][1:]),
        "rules kept and 86 set aside are not Arm's 1361",
    ),
    "a rule without a source": (lambda: changed(rules=("", TABLE["rules"][1])), "names no source"),
    "a threshold no value reaches": (
        lambda: with_feature("FEAT_SVE", ("FEAT_AA64EL1", "ID_AA64PFR0_EL1.SVE >= 2")),
        "no architected value 2",
    ),
    "a threshold outside the field": (
        lambda: with_feature("FEAT_SVE", ("FEAT_AA64EL1", "ID_AA64PFR0_EL1.SVE >= 16")),
        "16 is not a value of ID_AA64PFR0_EL1.SVE",
    ),
    "a signed condition on an unsigned field": (
        lambda: with_field("FP", ORDER, "unsigned"),
        "always or never true in the unsigned order",
    ),
    "a feature that says neither": (
        lambda: with_feature("FEAT_SVE"),
        "FEAT_SVE must either have a condition",
    ),
    "a rule for an unknown line": (
        lambda: with_writable("ID_AA64PFR0_EL1.SVE", ("6.13",), "lower", ()),
        "6.13 is no measured kernel line",
    ),
    "two rules on one line": (
        lambda: with_writable("ID_AA64PFR0_EL1.RAS", ("7.3",), "lower", ()),
        "two rules on one kernel line",
    ),
    "a way to write nobody knows": (
        lambda: with_writable("ID_AA64PFR0_EL1.SVE", ("7.3",), "sometimes", ()),
        "the rule 'sometimes' is none",
    ),
    "a field nobody has": (
        lambda: with_writable("ID_AA64PFR0_EL1.SVF", ("7.3",), "lower", ()),
        "does not read",
    ),
    "a bundle of nothing": (
        lambda: changed(bundles=(("x", ("ID_NONE",), "", "here"),)),
        "x: no register is called ID_NONE",
    ),
}


def test_the_table_that_ships_proves_whole():
    assert prove(load()) == ()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name):
    plant, sentence = PLANTED[name]
    faults = prove(plant())
    assert any(sentence in fault for fault in faults), faults


def test_all_faults_are_told_at_once():
    def two_faults(one):
        one[ORDER], one[SEE] = ("", "") if one[NAME] in ("SVE", "SEL2") else (one[ORDER], one[SEE])
        return tuple(one)

    faults = prove_registers(changed(registers=register_rows("ID_AA64PFR0_EL1", field=two_faults)))
    assert faults == ("ID_AA64PFR0_EL1.SEL2 has no order", "ID_AA64PFR0_EL1.SVE has no order")


def test_a_table_that_does_not_prove_is_never_loaded(monkeypatch):
    broken = {**TABLE, "registers": register_rows("CTR_EL0", reserved=lambda _runs: ())}
    monkeypatch.setattr("armlevel.arch.table.TABLE", broken)
    with pytest.raises(TableError, match=r"CTR_EL0: bits 0x.* are in no row; run tools/compile_rows.py"):
        shipped.load.__wrapped__()


def compile_rows(root, *arguments):
    command = [sys.executable, str(root / "tools/compile_rows.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=root)


@pytest.fixture
def checkout(tmp_path):
    """A copy of what the compiler reads and writes."""
    (tmp_path / "src/armlevel").mkdir(parents=True)
    shutil.copytree(ROOT / "src/armlevel/arch", tmp_path / "src/armlevel/arch")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ROOT / "src/armlevel" / name, tmp_path / "src/armlevel" / name)
    return tmp_path


def test_the_table_that_ships_is_what_the_rows_give():
    done = compile_rows(ROOT, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_row_makes_the_table_stale_until_it_is_compiled(checkout):
    row = checkout / "src/armlevel/arch/data/registers/id_aa64pfr0_el1.toml"
    row.write_text(row.read_text().replace('"FEAT_SVE"', '"FEAT_SVE2"', 1))
    stale = compile_rows(checkout, "--check")
    assert stale.returncode == 1
    assert stale.stderr == "arch/table.py is not what the rows give: run tools/compile_rows.py\n"
    assert compile_rows(checkout).returncode == 0
    assert compile_rows(checkout, "--check").returncode == 0


@pytest.mark.parametrize(
    ("path", "old", "new", "sentence"),
    [
        ("registers/ctr_el0.toml", 'order = "exact", ', "", "has no order"),
        ("registers/ctr_el0.toml", "who =", "whom =", "no reader knows whom"),
        ("registers/ctr_el0.toml", "[CTR_EL0]", "[CTR_EL0", "Expected"),
        ("rules/requires.toml", "FEAT_SVE2 -> FEAT_SVE", "FEAT_SVE2 -> FEAT_SVV", "called FEAT_SVV"),
    ],
)
def test_a_faulty_row_is_refused_with_a_sentence(checkout, path, old, new, sentence):
    row = checkout / "src/armlevel/arch/data" / path
    assert old in row.read_text()
    row.write_text(row.read_text().replace(old, new, 1))
    done = compile_rows(checkout)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
