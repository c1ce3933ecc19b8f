"""A destination that is asked for something else than the guest was started with, and what ends a move first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from armlevel.engine import Prediction, check, level, migrate, predict
from armlevel.engine.passthrough import passthrough
from armlevel.profile import GuestMachine, Host
from tests.engine.kit import CATALOGUE
from tests.engine.parts.test_machine import ASKED, GIB, HERE, SMALL, WITHOUT_V2, there
from tests.fidelity.hosts import read

PAGES = there("pages-16k", page=16384)
OTHER = there("other")
STILL = replace(ASKED, steal_time_asked="off")
THREE = replace(ASKED, gic_asked="3")


def foretold(source: Host, target: Host, here: GuestMachine, other: GuestMachine, **more: Any) -> Prediction:
    return predict(source, target, CATALOGUE, vmm="qemu-11.1", machine=here, there=other, **more)


@pytest.mark.parametrize(
    ("here", "other", "outcome", "harm", "says"),
    [
        (THREE, THREE, "completes", (), ""),
        (THREE, replace(THREE, its=False), "fails", (), "'arm_gicv3_its' 0"),
        (replace(THREE, its=False), THREE, "completes", (), ""),
        (THREE, replace(THREE, gic_asked="2"), "fails", (), "'arm_gicv3' 0"),
        (replace(ASKED, gic_asked="2"), THREE, "fails", (), "'arm_gic' 0"),
        (ASKED, STILL, "fails", (), 'Unknown ramblock "pvtime"'),
        (STILL, ASKED, "completes", (), ""),
        (THREE, replace(THREE, highmem_mmio=False), "completes", ("memory map",), ""),
        (replace(THREE, highmem_mmio=False), THREE, "completes", (), ""),
        (THREE, replace(THREE, memory=1 << 28, maxmem=1 << 28), "fails", (), "Size mismatch: mach-virt.ram"),
        (THREE, replace(THREE, vcpus=2), "unknown", (), ""),
        (THREE, replace(THREE, slots=2, maxmem=GIB), "unknown", (), ""),
        (THREE, replace(THREE, memory=None), "unknown", (), ""),
        (THREE, replace(THREE, its=None), "unknown", (), ""),
        (THREE, replace(THREE, vmm="firecracker"), "unknown", (), ""),
    ],
)
def test_another_command_line_on_the_destination_is_judged(here, other, outcome, harm, says):
    found = foretold(HERE, OTHER, here, other)
    assert (found.outcome, found.harm) == (outcome, harm)
    assert says in " ".join(found.messages)
    assert bool(found.messages) == bool(says)


def test_the_way_back_was_started_with_what_is_asked_for_there():
    without = replace(THREE, its=False)
    move, back = migrate(HERE, OTHER, CATALOGUE, vmm="qemu-11.1", machine=THREE, there=without)
    assert (move.answer, back.answer) == ("refused", "runs")


def test_the_same_on_both_hosts_is_the_same_as_saying_it_once():
    once = predict(HERE, SMALL, CATALOGUE, vmm="qemu-10.0", machine=THREE)
    twice = predict(HERE, SMALL, CATALOGUE, vmm="qemu-10.0", machine=THREE, there=THREE)
    assert once == twice


def test_a_destination_that_does_not_start_says_nothing_of_memory_or_devices():
    found = foretold(
        HERE, replace(WITHOUT_V2, name="b"), replace(ASKED, gic_asked="2"), replace(STILL, gic_asked="2")
    )
    assert found.messages == ("KVM does not support GICv2 emulation",)


def test_memory_is_compared_before_devices_are_read():
    assert foretold(PAGES, HERE, THREE, replace(ASKED, gic_asked="2")).messages == (
        "Size mismatch: pvtime: 0x4000 != 0x1000: Invalid argument",
    )


def test_what_ends_in_the_machine_names_no_register():
    more, less = read(("neoverse-n1@7.x", "cortex-a76@7.x"))
    assert "MIDR_EL1" in foretold(more, less, THREE, THREE).blocking
    stopped = foretold(more, less, THREE, replace(THREE, its=False))
    assert (stopped.outcome, stopped.blocking) == ("fails", ())
    assert stopped.messages == ("section or instance 'arm_gicv3_its' 0",)


def test_a_list_that_is_not_taken_ends_before_the_devices_are_read():
    longer, shorter = read(("neoverse-n2@7.x", "neoverse-n1@7.x"))
    found = foretold(longer, shorter, THREE, replace(THREE, its=False))
    assert "ZCR_EL1" in found.blocking
    assert "MIDR_EL1" in found.blocking
    assert [text for text in found.messages if "savevm" in text] == []


def test_a_levelled_guest_has_the_pages_of_the_host_that_it_runs_on():
    guest = level([HERE, OTHER], CATALOGUE).guest
    assert guest is not None
    assert guest.facts.page_size is None
    # Wherever it was started: it is moved out of pages of that size now.
    for recorded in (None, 4096, 16384):
        there = replace(guest, facts=replace(guest.facts, page_size=recorded))
        found = [
            predict(begin, HERE, CATALOGUE, vmm="qemu-11.1", guest=there, machine=THREE)
            for begin in (OTHER, PAGES)
        ]
        assert [one.outcome for one in found] == ["completes", "fails"]
    silent = replace(OTHER, facts=replace(OTHER.facts, page_size=None))
    assert predict(silent, HERE, CATALOGUE, vmm="qemu-11.1", guest=guest, machine=THREE).outcome == "unknown"


@pytest.mark.parametrize(("memory", "starts"), [({}, "runs"), ({"maxmem": 600 * GIB, "slots": 1}, "refused")])
def test_a_guest_of_40_bits_does_not_start_well_with_a_window_beyond_them(memory, starts):
    large, small = read(("neoverse-n1@7.x", "cortex-a76@7.x"))
    levelled = level([large, small], CATALOGUE).guest
    assert levelled is not None
    around = passthrough(large, CATALOGUE, machine=replace(THREE, **memory)).machine
    guest = replace(levelled, machine=around, facts=replace(levelled.facts, page_size=4096))
    verdict = check(guest, large, CATALOGUE)
    assert verdict.parts["machine"] == (starts, "runs")
    codes = [reason.code for one in verdict.findings if one.part == "machine" for reason in one.because]
    assert codes == (["window-out-of-reach"] if memory else [])


def test_pages_that_nobody_recorded_leave_a_move_under_qemu_open():
    (host,) = read(["neoverse-n1@7.x"])
    silent = replace(host, facts=replace(host.facts, page_size=None))
    found = [predict(host, there, CATALOGUE, vmm="qemu-11.1").outcome for there in (host, silent)]
    assert found == ["completes", "unknown"]
