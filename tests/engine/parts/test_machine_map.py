"""QEMU's map of guest-physical memory; the numbers are what ``info mtree`` of QEMU printed for the same options."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine.parts.machine_map import memory_map
from armlevel.profile import GuestMachine
from tests.engine.kit import CATALOGUE

MIB, GIB = 1 << 20, 1 << 30
USUAL = CATALOGUE.board_defaults((10, 0))
SMALL = GuestMachine(memory=128 * MIB, maxmem=128 * MIB, slots=0, **USUAL)
PLUGGED = replace(SMALL, maxmem=600 * GIB, slots=1)


def windows(asked: GuestMachine, bits: int) -> dict[str, int]:
    found = memory_map(asked, bits, CATALOGUE)
    assert found is not None
    return {name: base for name, base in found.windows.items() if name != "redistributors"}


# What the QEMU 10.0.2 of Debian prints with -cpu cortex-a76 (40 bits) and cortex-a57 (44 bits).
@pytest.mark.parametrize(
    ("asked", "bits", "shown"),
    [
        (SMALL, 40, {"ecam": 0x40_1000_0000, "mmio": 0x80_0000_0000}),
        (PLUGGED, 40, {"ecam": 0x96_D000_0000}),
        (PLUGGED, 44, {"ecam": 0x96_D000_0000, "mmio": 0x100_0000_0000}),
        (replace(PLUGGED, slots=0), 40, {"ecam": 0x96_9000_0000}),
        (replace(PLUGGED, compact_highmem=False), 40, {"ecam": 0x96_D000_0000}),
        (replace(SMALL, highmem=False), 40, {}),
        (replace(SMALL, **CATALOGUE.board_defaults((2, 12))), 44, {"mmio": 0x80_0000_0000}),
        (
            replace(SMALL, memory=GIB, maxmem=GIB, highmem_mmio_size=1024 * GIB),
            44,
            {"ecam": 0x40_1000_0000, "mmio": 0x100_0000_0000},
        ),
        (
            replace(SMALL, memory=GIB, maxmem=511 * GIB, slots=1, highmem_ecam=False, highmem_redists=False),
            40,
            {},
        ),
        (
            replace(SMALL, memory=GIB, maxmem=511 * GIB, slots=1, compact_highmem=False),
            44,
            {"ecam": 0x80_5000_0000, "mmio": 0x100_0000_0000},
        ),
        (
            replace(SMALL, compact_highmem=False, highmem_ecam=False, highmem_redists=False),
            44,
            {"mmio": 0x80_0000_0000},
        ),
    ],
)
def test_windows_are_where_qemu_puts_them(asked, bits, shown):
    assert windows(asked, bits) == shown


def test_a_window_that_does_not_fit_is_gone_without_a_word():
    # Seen under KVM with QEMU 10 and 11: at 1 TiB on a host of 48 bits, and nowhere on one of 40.
    small, large = memory_map(PLUGGED, 40, CATALOGUE), memory_map(PLUGGED, 48, CATALOGUE)
    assert small is not None
    assert large is not None
    assert (small.lost, small.excess, small.windows.get("mmio")) == (("mmio",), 0, None)
    assert (large.lost, large.windows["mmio"]) == ((), 1 << 40)


@pytest.mark.parametrize(
    ("asked", "bits", "excess"),
    [
        (replace(SMALL, maxmem=1022 * GIB, slots=2), 40, 2_147_483_648),
        (replace(SMALL, maxmem=1022 * GIB, slots=3), 40, 3_221_225_472),
        (replace(SMALL, memory=4 * GIB, maxmem=4 * GIB, highmem=False), 48, 1_073_741_824),
        (replace(SMALL, maxmem=1022 * GIB, slots=2), 48, 0),
    ],
)
def test_memory_that_cannot_be_addressed_is_counted_as_qemu_counts_it(asked, bits, excess):
    found = memory_map(asked, bits, CATALOGUE)
    assert found is not None
    assert found.excess == excess


def test_windows_that_are_off_by_choice_are_not_lost():
    found = memory_map(replace(SMALL, highmem=False), 48, CATALOGUE)
    assert found is not None
    assert (found.lost, dict(found.windows)) == ((), {})


@pytest.mark.parametrize(
    "key", ["memory", "maxmem", "slots", "highmem", "compact_highmem", "highmem_ecam", "highmem_mmio_size"]
)
def test_without_one_of_the_options_nothing_is_known_of_the_map(key):
    assert memory_map(PLUGGED, 48, CATALOGUE) is not None
    assert memory_map(replace(PLUGGED, **{key: None}), 48, CATALOGUE) is None


def test_what_qemu_refuses_on_every_host_has_no_map():
    assert memory_map(replace(SMALL, slots=300), 48, CATALOGUE) is None
    assert memory_map(replace(SMALL, maxmem=GIB, memory=2 * GIB), 48, CATALOGUE) is None


def test_the_size_that_is_asked_of_kvm_is_that_of_the_highest_window():
    sizes = [memory_map(PLUGGED, bits, CATALOGUE) for bits in (40, 48, 52)]
    assert [found.bits for found in sizes if found is not None] == [40, 41, 41]
    alone = memory_map(replace(SMALL, highmem=False), 48, CATALOGUE)
    assert alone is not None
    assert alone.bits == 32


def test_compact_windows_begin_with_their_machine_type():
    assert not CATALOGUE.board_defaults((7, 1))["compact_highmem"]
    assert CATALOGUE.board_defaults((7, 2))["compact_highmem"]
    assert all(CATALOGUE.board_defaults(()).values())
