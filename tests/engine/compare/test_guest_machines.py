"""What two guests were given around their vCPUs, compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import diff, not_compared
from armlevel.engine.passthrough import passthrough
from armlevel.profile import GuestMachine
from tests.engine.kit import CATALOGUE, host

GIVEN = GuestMachine(
    vmm="qemu", gic_asked="3", gic=3, its=True, windows={"mmio": 1 << 40}, icc_ctlr={"PRIbits": 4, "SEIS": 0}
)


def with_machine(machine: GuestMachine | None):
    return replace(passthrough(host("h"), CATALOGUE), machine=machine)


def differing(one: GuestMachine | None, two: GuestMachine | None) -> list[str]:
    return [change.subject for change in diff(with_machine(one), with_machine(two), CATALOGUE)]


@pytest.mark.parametrize(
    "other",
    [
        {"gic": 2},
        {"its": False},
        {"windows": {}},
        {"windows": {"mmio": 1 << 41}},
        {"icc_ctlr": {"PRIbits": 6, "SEIS": 0}},
        {"vmm": "firecracker"},
    ],
)
def test_what_was_given_and_is_not_the_same_is_a_difference(other):
    assert differing(GIVEN, replace(GIVEN, **other)) == [f"machine.{name}" for name in other]
    (change,) = diff(with_machine(GIVEN), with_machine(replace(GIVEN, **other)), CATALOGUE)
    assert change.identity


def test_the_same_machine_is_no_difference_however_it_was_asked_for():
    assert differing(GIVEN, replace(GIVEN, gic_asked="max")) == []
    assert not_compared(with_machine(GIVEN), with_machine(GIVEN), CATALOGUE) == not_compared(
        with_machine(None), with_machine(None), CATALOGUE
    )


@pytest.mark.parametrize("name", [name for name in GIVEN.recorded if name != "gic_asked"])
def test_what_one_of_them_does_not_record_is_not_compared(name):
    bare = replace(GIVEN, **{name: None})
    assert differing(GIVEN, bare) == []
    for one, two in ((GIVEN, bare), (bare, GIVEN)):
        assert f"machine.{name}" in not_compared(with_machine(one), with_machine(two), CATALOGUE)


def test_a_machine_that_only_one_records_is_not_compared():
    assert differing(GIVEN, None) == []
    assert "machine" in not_compared(with_machine(GIVEN), with_machine(None), CATALOGUE)
    assert "machine" in not_compared(with_machine(None), with_machine(GIVEN), CATALOGUE)
