"""What was found when the selftests of each kernel line were held against the rows: explained, proved, of today."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from armlevel.arch import load
from armlevel.kvm import id_of
from armlevel.profile import Host, Shape
from tests.fidelity.hosts import read, read_masks
from tests.selftests.compared import (
    TESTS,
    Explained,
    NotPassed,
    absences,
    differences,
    explanations,
    hosts_of,
    not_passed,
    not_run,
    outcomes,
    recorded,
    unrecorded,
)

FOUND = recorded()
#: Points that were held against rows, over all lines, at least.
FLOOR = 180_000


@cache
def every() -> list[Host]:
    return read()


def hosts(row: Explained) -> list[Host]:
    return [host for line in row.lines for host in hosts_of(line, every(), load())]


def limits_of(row: Explained) -> set[int]:
    """Return the limits that the field of a row has on recorded hosts of its lines."""
    register, field = row.subject.partition(".")[0], load().fields[row.subject]
    return {
        field.get(offer.limits[register])
        for host in hosts(row)
        for offer in host.offers
        if register in offer.limits
    }


def no_such_limit(row: Explained) -> bool:
    seen = limits_of(row)
    return bool(seen) and not seen & set(row.limits)


def zero_everywhere(row: Explained) -> bool:
    register, _, bits = row.subject.rstrip("]").partition("[")
    msb, lsb = map(int, bits.split(":"))
    values = [
        offer.limits[register] >> lsb & ((2 << (msb - lsb)) - 1)
        for host in hosts(row)
        for offer in host.offers
        if register in offer.limits
    ]
    return bool(values) and not any(values)


def listed_without_it(row: Explained) -> bool:
    (drop,) = (one for one in load().drops if one.register == row.subject)
    field = str(drop.when).partition(" ")[0]
    register = field.partition(".")[0]
    whole = [one for host in hosts(row) for shape in host.shapes if (one := host.offer(shape))]
    without = [one for one in whole if not load().fields[field].get(one.limits[register])]
    return bool(without) and all(id_of(row.subject) in (one.register_list or ()) for one in without)


def not_for_programs(row: Explained) -> bool:
    return load().fields[row.subject].who != "el0" and row.subject not in load().hidden.fields


def not_in_the_mask(row: Explained) -> bool:
    field = load().fields[row.subject]
    masks = [read_masks()[f"{line}, with AArch32"] for line in row.lines]
    return all(not int(mask.get(field.register, "0"), 16) & field.mask for mask in masks)


PROOFS = {
    "no host has such a limit": no_such_limit,
    "zero on every host": zero_everywhere,
    "listed without the feature": listed_without_it,
    "not for programs": not_for_programs,
    "not in the mask": not_in_the_mask,
}


def test_every_measured_line_was_compared_or_says_why_not():
    measured = {line.name for line in load().lines if len(line.series) == 1}
    assert measured <= set(FOUND) | set(unrecorded())
    assert set(FOUND) <= measured
    assert not set(FOUND) & set(unrecorded())


def test_thousands_of_points_were_held_against_rows(tell):
    points = {line: sum(one["points"] for one in entry["compared"].values()) for line, entry in FOUND.items()}
    tell(
        f"selftests: {sum(points.values())} points of {len(points)} kernel lines held against rows and hosts"
    )
    assert sum(points.values()) >= FLOOR
    assert all(one["points"] for entry in FOUND.values() for one in entry["compared"].values())


@pytest.mark.parametrize("line", sorted(FOUND))
def test_every_difference_is_explained(line: str):
    rows = explanations()
    assert [one for one in differences(line, FOUND[line]) if not any(row.covers(one) for row in rows)] == []


@pytest.mark.parametrize("row", explanations(), ids=lambda row: f"{row.test} {row.subject}")
def test_every_explanation_is_of_differences_that_there_are_and_is_proved(row: Explained):
    for line in row.lines:
        assert any(row.covers(one) for one in differences(line, FOUND[line])), line
    assert PROOFS[row.proof](row)
    assert row.why
    assert row.see


RAN = sorted(line for line, entry in FOUND.items() if "run" in entry)


def test_the_tests_of_every_line_ran_or_a_row_says_why_not():
    assert set(RAN) ^ set(not_run()) == set(FOUND)
    assert all(not_run().values())


def test_every_test_of_every_line_ran_or_is_absent_for_a_reason():
    for line in RAN:
        absent = {row.test for row in absences() if line in row.lines}
        ran = set(FOUND[line]["run"])
        assert ran | absent == set(TESTS), line
        assert not absent & ran, line
        # Those whose tables are read were held against rows as well.
        read_too = ran & {"set_id_regs", "get-reg-list", "hypercalls", "hidden_features"}
        assert set(FOUND[line]["compared"]) == read_too, line


def test_whatever_did_not_pass_is_explained(tell):
    for line in RAN:
        ran = outcomes(line, FOUND[line])
        tell(f"selftests of {line}: {sum(one.result == 'passed' for one in ran)} of {len(ran)} passed")
        assert [one for one in ran if not one.explained] == [], line
        host = next(host for host in every() if host.name == FOUND[line]["host"])
        assert (host.software.kernel or "").startswith(FOUND[line]["kernel"]), line


@pytest.mark.parametrize("row", not_passed(), ids=lambda row: f"{row.test} {row.result}")
def test_every_row_on_a_result_is_of_one_that_there_is(row: NotPassed):
    for line in row.lines:
        assert line not in RAN or FOUND[line]["run"][row.test]["result"] == row.result
    assert row.why
    assert row.see


STEPPED = [
    (line, subject, *values)
    for line in RAN
    for subject, values in FOUND[line]["run"].get("set_id_regs", {}).get("fields", {}).items()
]


def test_every_step_that_kvm_took_is_one_that_the_rows_let_it_take(tell):
    assert len(STEPPED) >= 240
    tell(f"selftests: {len(STEPPED)} fields stepped by set_id_regs on real KVM, as the rows say")
    host_of = {line: next(host for host in every() if host.name == FOUND[line]["host"]) for line in RAN}
    for line, subject, limit, stored, refused in STEPPED:
        field, rule = load().fields[subject], load().write_rule(subject, line)
        offer = host_of[line].offer(Shape())
        assert offer is not None
        assert field.get(offer.limits[field.register]) == limit, (line, subject)
        takes = rule.takes if rule is not None else limit_only
        assert takes(stored, limit), (line, subject, stored)
        assert refused is None or not takes(refused, limit), (line, subject, refused)


def limit_only(value: int, limit: int) -> bool:
    return value == limit


def test_the_field_at_which_the_test_of_6_12_ends_is_not_among_those_that_kvm_took():
    for line in set(RAN) & {"6.12"}:
        fields = FOUND[line]["run"]["set_id_regs"]["fields"]
        assert "ID_AA64MMFR0_EL1.ASIDBITS" not in fields
        assert "ID_AA64MMFR0_EL1.BIGENDEL0" in fields


def tables() -> list[list[list[str]]]:
    """Return the tables of the page, each with its heading and without the line of dashes."""
    page = (Path(__file__).parents[2] / "docs/concepts/selftests.md").read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    cells = [
        [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in block] for block in blocks
    ]
    return [[rows[0], *rows[2:]] for rows in cells]


def test_the_page_says_what_was_found():
    (_, *names), *rows = tables()[0]
    assert {row[0] for row in rows} == set(FOUND)
    for line, *cells in rows:
        told = FOUND[line]["compared"]
        wanted = [
            f"{told[name]['points']}, {len(told[name]['differ'])} differ" if name in told else "none"
            for name in names
        ]
        assert cells == wanted, line


def test_the_page_says_what_became_of_each_test():
    (_, *lines), *rows = tables()[1]
    assert lines == list(FOUND)
    assert [row[0] for row in rows] == list(TESTS)
    for test, *cells in rows:
        assert cells == [FOUND[line]["run"].get(test, {"result": "none"})["result"] for line in lines], test
