"""What a comparison leaves open is told, and is neither a difference nor a match."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import diff, drift, not_compared, passthrough
from armlevel.profile import Cpu, Facts, Host, Implementation
from tests.engine.kit import AROUND, CATALOGUE, N1, PSCI, offer, plain, shape


def without(one: Host, register: str) -> Host:
    (first,) = one.offers
    limits = {name: value for name, value in first.limits.items() if name != register}
    (cpu,) = one.cpus
    registers = {name: value for name, value in cpu.implementation.registers().items() if name != register}
    known = Implementation.from_registers(registers)
    assert known is not None
    return replace(one, offers=(replace(first, limits=limits),), cpus=(Cpu(known),))


def test_of_hosts_that_record_everything_nothing_is_left_open():
    assert not_compared(plain("a"), plain("b"), CATALOGUE) == ()


@pytest.mark.parametrize("register", ["MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"])
def test_a_number_of_the_implementation_that_one_does_not_record_is_left_open(register):
    whole, partly = plain("a"), without(plain("b"), register)
    for one, two in ((whole, partly), (partly, whole), (partly, partly)):
        assert not_compared(one, two, CATALOGUE) == (register,)
        assert diff(one, two, CATALOGUE) == ()


def test_numbers_that_are_recorded_differ_though_another_is_not():
    partly = without(plain("b", cpu=Implementation(0x411FD401, 1, 0)), "AIDR_EL1")
    assert {change.subject for change in diff(plain("a"), partly, CATALOGUE)} == {
        "MIDR_EL1.PartNum",
        "MIDR_EL1.Variant",
        "REVIDR_EL1.IMPDEF",
    }
    assert not_compared(plain("a"), partly, CATALOGUE) == ("AIDR_EL1",)


def test_facts_firmware_and_lists_that_one_does_not_record_are_left_open():
    whole = plain("a")
    assert not_compared(whole, replace(whole, facts=Facts(dczid=4)), CATALOGUE) == (
        "facts.cntfrq_hz",
        "facts.page_size",
    )
    bare = plain("b", firmware={}, lists=None)
    assert not_compared(whole, bare, CATALOGUE) == ("firmware", "register list")
    listed = plain("b", lists=[CATALOGUE.firmware[PSCI].kvm_id], firmware={})
    assert not_compared(whole, listed, CATALOGUE) == ("firmware",)


def test_vector_lengths_that_one_does_not_record_are_left_open():
    of = shape("sve")
    known, unknown = (Host(name, (offer(of=of, sve_vls=vls),), (Cpu(N1),), plain("x").facts, machine=AROUND)
                      for name, vls in (("a", (128, 256)), ("b", None)))  # fmt: skip
    assert not_compared(known, unknown, CATALOGUE) == ("sve_vls",)
    assert diff(known, unknown, CATALOGUE) == ()


def test_a_drift_says_what_it_could_not_compare():
    before = without(plain("a"), "AIDR_EL1")
    found = drift(plain("a"), passthrough(before, CATALOGUE), CATALOGUE, before)
    assert (found.changes, found.not_compared) == ((), ("AIDR_EL1",))
    assert found.answer == "unknown"
