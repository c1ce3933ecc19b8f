"""What was found when the selftests of each kernel line were held against the rows: explained, proved, of today."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from armlevel.arch import load
from armlevel.kvm import id_of
from armlevel.profile import Host
from tests.fidelity.hosts import read, read_masks
from tests.selftests.compared import (
    TESTS,
    Explained,
    absences,
    differences,
    explanations,
    hosts_of,
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


@pytest.mark.parametrize("line", sorted(FOUND))
def test_a_test_without_tables_to_read_is_absent_for_a_reason(line: str):
    absent = {row.test for row in absences() if line in row.lines}
    assert absent <= set(TESTS)
    assert not absent & set(FOUND[line]["compared"])
    assert {"set_id_regs", "get-reg-list", "hypercalls", "hidden_features"} - absent == set(
        FOUND[line]["compared"]
    )


def test_the_page_says_what_was_found():
    page = (Path(__file__).parents[2] / "docs/concepts/selftests.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("|")
    ]
    names = [name.strip("`") for name in rows[0][1:]]
    assert {row[0] for row in rows[2:]} == set(FOUND)
    for line, *cells in rows[2:]:
        told = FOUND[line]["compared"]
        wanted = [
            f"{told[name]['points']}, {len(told[name]['differ'])} differ" if name in told else "none"
            for name in names
        ]
        assert cells == wanted, line
