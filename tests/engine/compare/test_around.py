"""What two hosts offer around the vCPU is compared where both record it, and named where one does not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.documents import host_object, new_pool, read_host
from armlevel.engine.compare.around import around_of, not_compared_around
from armlevel.engine.compare.diff import diff
from armlevel.engine.compare.not_compared import not_compared
from armlevel.engine.values import Count, FieldValues, Names, RegisterValue, State, Value, named
from armlevel.profile import Host, HostMachine, Offer, Shape, TriedField
from tests.engine.kit import AROUND

WHOLE = replace(
    AROUND,
    icc_ctlr={"PRIbits": TriedField(4, frozenset(range(5)), frozenset({5, 6, 7}))},
    ich_vtr=0x90180003,
    gicd_iidr=TriedField(3, frozenset({2, 3})),
)
# One other value for each part, the subject it is told under, and both sides.
YES, NO = State("yes"), State("no")
OTHERS: dict[str, tuple[Any, str, Value, Value]] = {
    "gic": ({**(WHOLE.gic or {}), "v2": "yes"}, "gic.v2", named("ENODEV"), YES),
    "icc_ctlr": (
        {"PRIbits": TriedField(3, frozenset(range(4)))},
        "icc_ctlr.PRIbits",
        FieldValues((0, 1, 2, 3, 4)),
        FieldValues((0, 1, 2, 3)),
    ),
    "ich_vtr": (0x1, "ich_vtr", RegisterValue(0x90180003), RegisterValue(1)),
    "gicd_iidr": (TriedField(3, frozenset({3})), "gicd_iidr", FieldValues((2, 3)), FieldValues((3,))),
    "gicd_typer2": (0x100, "gicd_typer2", RegisterValue(0), RegisterValue(0x100)),
    "ipa_bits": (40, "ipa_bits", Count(48), Count(40)),
    "ipa_min": (36, "ipa_min", Count(32), Count(36)),
    "ipa_fixed": (True, "ipa_fixed", NO, YES),
    "counter_offset": (False, "counter_offset", YES, NO),
    "steal_time": (False, "steal_time", YES, NO),
    "ptp": (False, "ptp", YES, NO),
    "unknown": (("KVM_CAP 252",), "unknown", Names(()), named("KVM_CAP 252")),
}


NESTED = (Offer(Shape()), Offer(Shape(frozenset({"has_el2"}))))


def host(machine: HostMachine | None) -> Host:
    return Host("a", NESTED, machine=machine)


def test_what_a_guest_with_el2_alone_depends_on_is_compared_where_both_offer_one():
    plain = replace(host(WHOLE), offers=NESTED[:1])
    for other in (1, None):
        machine = replace(WHOLE, ich_vtr=other)
        assert not list(around_of(plain, host(machine)))
        assert not not_compared_around(plain, host(machine))


def test_every_part_is_compared_but_how_kvm_runs():
    assert OTHERS.keys() | {"mode"} == {field.name for field in fields(HostMachine)}


@pytest.mark.parametrize("part", OTHERS)
def test_a_part_that_differs_is_a_difference(part: str):
    value, subject, was, now = OTHERS[part]
    other = host(replace(WHOLE, **{part: value}))
    assert list(around_of(host(WHOLE), other)) == [(f"machine.{subject}", was, now)]
    (change,) = [one for one in diff(host(WHOLE), other, load()) if one.part == "machine"]
    assert (change.subject, change.identity) == (f"machine.{subject}", True)


@pytest.mark.parametrize("part", OTHERS)
def test_a_part_that_one_does_not_record_is_no_difference_and_is_named(part: str):
    other = host(replace(WHOLE, **{part: None}))
    for one, two in ((host(WHOLE), other), (other, host(WHOLE))):
        assert not list(around_of(one, two))
        (named, *_) = not_compared_around(one, two)
        assert named.startswith(f"machine.{part}")


def test_machines_that_are_not_recorded_are_not_compared():
    for one, two in ((None, WHOLE), (WHOLE, None), (None, None)):
        assert not_compared_around(host(one), host(two)) == ("machine",)
        assert "machine" in not_compared(host(one), host(two), load())
    assert not_compared_around(host(HostMachine()), host(HostMachine())) == tuple(
        f"machine.{name}"
        for name in (
            "gic",
            "ipa_bits",
            "ipa_fixed",
            "counter_offset",
            "steal_time",
            "ptp",
            "unknown",
            "ich_vtr",
        )
    )


def test_alike_is_alike_and_how_kvm_runs_is_no_difference():
    other = host(replace(WHOLE, mode="nvhe"))
    assert not list(around_of(host(WHOLE), other))
    assert not not_compared_around(host(WHOLE), other)


@pytest.mark.parametrize(("bits", "direction"), [(40, "less"), (52, "more")])
def test_a_smaller_size_is_less(bits: int, direction: str):
    other = host(replace(WHOLE, ipa_bits=bits))
    assert [one.direction for one in diff(host(WHOLE), other, load()) if one.part == "machine"] == [direction]


def test_a_machine_survives_writing_and_reading():
    import json

    for machine in (WHOLE, HostMachine(), None):
        data = json.dumps(host_object(host(machine))).encode()
        assert read_host(data, "a", new_pool()).machine == machine
