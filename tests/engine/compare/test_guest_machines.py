"""What two guests were given around their vCPUs, compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import diff, not_compared
from armlevel.engine.passthrough import passthrough
from armlevel.profile import GuestMachine
from tests.engine.kit import CATALOGUE, host

GIVEN = GuestMachine(
    vmm="qemu",
    gic_asked="3",
    gic=3,
    its=True,
    memory=1 << 30,
    virtualization=True,
    steal_time=False,
    windows={"mmio": 1 << 40},
    icc_ctlr={"PRIbits": 4, "SEIS": 0},
    ich_vtr=0x90180003,
    gicd_iidr=3,
)


def with_machine(machine: GuestMachine | None):
    return replace(passthrough(host("h"), CATALOGUE), machine=machine)


def differing(one: GuestMachine | None, two: GuestMachine | None) -> list[str]:
    return [change.subject for change in diff(with_machine(one), with_machine(two), CATALOGUE)]


def left_open(one: GuestMachine | None, two: GuestMachine | None) -> list[str]:
    found = not_compared(with_machine(one), with_machine(two), CATALOGUE)
    return [name for name in found if name.startswith("machine")]


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
    assert left_open(GIVEN, replace(GIVEN, gic_asked="max")) == []


@pytest.mark.parametrize("name", [name for name in GIVEN.recorded if name != "gic_asked"])
def test_what_one_of_them_or_neither_records_is_not_compared(name):
    bare = replace(GIVEN, **{name: None})
    assert differing(GIVEN, bare) == []
    for one, two in ((GIVEN, bare), (bare, GIVEN), (bare, bare)):
        assert f"machine.{name}" in left_open(one, two)


def test_what_a_guest_has_no_use_for_is_not_missed():
    plain = replace(GIVEN, gic=2, its=None, icc_ctlr=None, gicd_iidr=None, virtualization=False, ich_vtr=None)
    assert left_open(plain, plain) == []
    other = replace(GIVEN, vmm="firecracker", windows=None)
    assert left_open(other, other) == []


def test_a_machine_that_one_or_neither_records_is_not_compared():
    assert differing(GIVEN, None) == []
    for one, two in ((GIVEN, None), (None, GIVEN), (None, None)):
        assert left_open(one, two) == ["machine"]
