"""Migrations that differ in what stands around the vCPUs alone: what is foretold, and what helps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from armlevel.engine import Prediction, migrate, predict
from armlevel.profile import Guest, Host
from tests.engine.kit import CATALOGUE
from tests.engine.parts.test_machine import ASKED, GIB, HERE, SMALL, WITHOUT_V2, born, interface, there

PAGES = there("pages-64k", page=65536)
LACKING = there("lacking", steal_time=False)


def foretold(source: Host, target: Host, vmm: str = "qemu-11.1", **asked: Any) -> Prediction:
    return predict(source, target, CATALOGUE, vmm=vmm, machine=replace(ASKED, **asked))


@pytest.mark.parametrize("vmm", ["qemu-10.0", "qemu-11.1"])
@pytest.mark.parametrize(
    ("source", "target", "asked", "outcome", "harm"),
    [
        (HERE, there("same"), {}, "completes", ()),
        (HERE, WITHOUT_V2, {}, "fails", ()),
        (WITHOUT_V2, HERE, {}, "fails", ()),
        (HERE, WITHOUT_V2, {"gic_asked": "3"}, "completes", ()),
        (HERE, WITHOUT_V2, {"gic_asked": "host"}, "completes", ()),
        (HERE, WITHOUT_V2, {"gic_asked": "2"}, "fails", ()),
        (HERE, there("less", icc_ctlr=interface(pri=3)), {"gic_asked": "3"}, "fails", ()),
        (HERE, there("more", icc_ctlr=interface(pri=6)), {"gic_asked": "3"}, "completes", ()),
        (HERE, SMALL, {"maxmem": 600 * GIB, "slots": 1}, "completes", ("memory map",)),
        (SMALL, HERE, {"maxmem": 600 * GIB, "slots": 1}, "completes", ()),
        (PAGES, HERE, {}, "fails", ()),
        (PAGES, HERE, {"steal_time_asked": "off"}, "fails", ()),
        (HERE, PAGES, {}, "completes", ()),
        (HERE, replace(HERE, name="silent", machine=None), {}, "unknown", ()),
    ],
)
def test_a_migration_is_foretold_from_the_command_line(vmm, source, target, asked, outcome, harm):  # noqa: PLR0917 - a row each
    found = foretold(source, target, vmm, **asked)
    assert (found.outcome, found.harm) == (outcome, harm)
    if harm:
        assert found.alive is None


def test_the_silent_one_prints_nothing():
    found = foretold(HERE, SMALL, maxmem=600 * GIB, slots=1)
    assert (found.outcome, found.messages) == ("completes", ())


def test_pages_that_differ_print_the_size_of_the_block():
    assert "Size mismatch: pvtime: 0x10000 != 0x1000: Invalid argument" in foretold(PAGES, HERE).messages


def test_without_a_command_line_the_move_says_that_the_machine_was_not_judged():
    (bare, _), (whole, _) = (
        migrate(HERE, there("same"), CATALOGUE, machine=machine) for machine in (None, ASKED)
    )
    assert (bare.answer, bare.verdict.not_judged) == ("runs", ("machine",))
    assert (whole.answer, whole.verdict.not_judged) == ("runs", ())


def test_asking_for_a_version_is_a_remedy_that_was_tried():
    move, back = migrate(HERE, WITHOUT_V2, CATALOGUE, vmm="qemu-11.1", machine=ASKED)
    assert move.answer == back.answer == "refused"
    for one in (move, back):
        assert [way.args[0] for way in one.ways if way.kind == "board"] == ["gic-version=3"]
    followed, _ = migrate(HERE, WITHOUT_V2, CATALOGUE, vmm="qemu-11.1", machine=replace(ASKED, gic_asked="3"))
    assert followed.answer == "runs"


def test_doing_without_stolen_time_is_a_remedy_that_was_tried():
    move, _ = migrate(HERE, LACKING, CATALOGUE, vmm="qemu-11.1", machine=ASKED)
    assert "kvm-steal-time=off" in [way.args[0] for way in move.ways if way.kind == "switches"]


def test_a_guest_that_is_given_is_told_what_its_vmm_could_be_asked_for():
    from armlevel.engine import check
    from armlevel.engine.policy import Policy
    from armlevel.engine.remedies import remedies_of_guest

    def ways(guest: Guest, on: Host) -> list[object]:
        found = remedies_of_guest(guest, on, check(guest, on, CATALOGUE), CATALOGUE, Policy())
        return [way.args[0] for way in found if way.kind in ("board", "switches")]

    assert ways(born(WITHOUT_V2), HERE) == ["gic-version=3"]
    assert ways(born(HERE), LACKING) == ["kvm-steal-time=off"]
    assert ways(born(PAGES), HERE) == []  # its blocks of memory are too large without it, too
    assert ways(born(HERE), WITHOUT_V2) == []
