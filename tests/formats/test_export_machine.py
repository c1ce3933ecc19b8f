"""What a guest was given around its vCPUs, written for QEMU and libvirt, and read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from armlevel.engine import check
from armlevel.engine.passthrough import passthrough
from armlevel.formats import read_request
from armlevel.operations.export import export
from armlevel.profile import Guest, GuestMachine
from tests.engine.kit import CATALOGUE, host
from tests.engine.parts.test_machine import ASKED, GIB, YES_TO_ALL, there

HERE = there("here")
CASES: list[dict[str, Any]] = [
    {},
    {"gic_asked": "3"},
    {"gic_asked": "max", "its": False},
    {"vcpus": 12, "maxmem": 600 * GIB, "slots": 1, "gic_asked": "3"},
    {"highmem": False},
    {"highmem_ecam": False, "compact_highmem": False, "highmem_mmio_size": 1 << 40},
    {"steal_time_asked": "off"},
]


def born(**asked: Any) -> Guest:
    return passthrough(HERE, CATALOGUE, machine=replace(ASKED, **asked))


def again(text: str) -> GuestMachine:
    request = read_request(text.encode(), "written")
    assert request is not None
    assert request.machine is not None
    found = passthrough(HERE, CATALOGUE, machine=request.machine).machine
    assert found is not None
    return replace(found, gic_asked=None, steal_time_asked=None)


def told(guest: Guest) -> GuestMachine:
    assert guest.machine is not None
    return replace(guest.machine, gic_asked=None, steal_time_asked=None)


@pytest.mark.parametrize("asked", CASES, ids=str)
def test_a_command_line_says_back_what_the_guest_was_given(asked):
    guest = born(**asked)
    text = export(guest, "qemu").text
    assert again(text.replace("\n", " ")) == told(guest)


@pytest.mark.parametrize("asked", CASES, ids=str)
def test_a_domain_with_options_of_qemu_says_back_what_the_guest_was_given(asked):
    guest = born(**asked)
    assert again(export(guest, "libvirt", "commandline").text) == told(guest)


def test_what_libvirt_has_no_word_for_is_left_to_options_of_qemu():
    found = export(born(gic_asked="3", its=False), "libvirt", "cpu")
    assert ("machine.its", "off") in [(gap.subject, gap.needs) for gap in found.left]
    assert '<gic version="3"' in found.text.replace("'", '"')


def test_a_version_that_hung_on_the_host_is_pinned():
    guest = born()
    assert "gic-version=2" in export(guest, "qemu").text
    nowhere = there("no-v2", gic={**YES_TO_ALL, "v2": "ENODEV"})
    pinned = passthrough(nowhere, CATALOGUE, machine=ASKED)
    assert "gic-version=3" in export(pinned, "qemu").text
    assert check(pinned, nowhere, CATALOGUE).parts["machine"] == ("runs", "runs")


def test_a_guest_without_a_record_is_written_as_before():
    text = export(passthrough(host("h"), CATALOGUE), "qemu").text
    assert text.startswith("-machine virt-10.0,accel=kvm")
    assert "-m " not in text
    assert "-smp" not in text
