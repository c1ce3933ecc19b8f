"""QEMU's map of guest-physical memory: computed from what the guest was given and the host's largest size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from armlevel.arch import Board, Catalogue
from armlevel.profile import GuestMachine

__all__ = ["MemoryMap", "board_defaults", "memory_map"]

_LOW = 32  # without highmem, whatever the host has


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """Where the windows above a guest's memory begin.

    ``windows``  window -> its address; one that is off, or does not fit, is not there
    ``lost``     those that were asked for and do not fit: QEMU says nothing of it
    ``excess``   by how many bytes the memory itself exceeds what can be addressed; QEMU then starts no guest
    ``bits``     the guest-physical size that QEMU asks KVM for
    """

    windows: Mapping[str, int]
    lost: tuple[str, ...] = ()
    excess: int = 0
    bits: int = _LOW


def board_defaults(machine: tuple[int, ...], catalogue: Catalogue) -> dict[str, Any]:
    """Return what a machine type has unasked about its windows, by the names that a guest's record has.

    ``machine`` are the numbers of the type; () is the newest.

    >>> from armlevel.arch import load
    >>> board_defaults((2, 12), load())["highmem_ecam"], board_defaults((), load())["highmem_ecam"]
    (False, True)
    """

    def on(since: tuple[int, ...]) -> bool:
        return not machine or machine >= since

    named = {_key(row.option): on(row.since) for row in catalogue.windows}
    sizes = {_key(row.size_option): row.size for row in catalogue.windows if row.size_option}
    return {"highmem": True, "compact_highmem": on(catalogue.board.compact), **named, **sizes}


def memory_map(asked: GuestMachine, ipa_bits: int, catalogue: Catalogue) -> MemoryMap | None:
    """Return the map that QEMU makes on a host whose largest guest-physical size is ``ipa_bits``.

    Under KVM QEMU takes the host's largest size, not the guest's (hw/arm/virt.c, virt_kvm_type), and QEMU 10 and 11 do
    the same with it. None if something that it depends on is not recorded, or QEMU refuses it on every host.

    >>> from armlevel.arch import load
    >>> asked = GuestMachine(memory=1 << 27, maxmem=600 << 30, slots=1, **board_defaults((), load()))
    >>> memory_map(asked, 40, load()).lost, hex(memory_map(asked, 48, load()).windows["mmio"])
    (('mmio',), '0x10000000000')
    """
    board = catalogue.board
    top = _top(asked, board)
    if top is None or asked.highmem is None or asked.compact_highmem is None:
        return None
    limit = 1 << (ipa_bits if asked.highmem else _LOW)
    windows: dict[str, int] = {}
    lost: list[str] = []
    base, highest = max(top, board.ram + board.legacy), top - 1
    for row in catalogue.windows:
        on = getattr(asked, _key(row.option))
        if on is None:
            return None
        size = row.size
        if row.size_option:
            size = getattr(asked, _key(row.size_option))
            if size is None:
                return None
        start = _up(base, size)
        fits = start + size <= limit
        if on and fits:
            windows[row.name] = start
        elif on and asked.highmem:
            lost.append(row.name)
        if (on and fits) or not asked.compact_highmem:
            base = start + size
            highest = base - 1 if fits else highest
    return MemoryMap(windows, tuple(lost), max(0, top - limit), max(_LOW, highest.bit_length()))


def _top(asked: GuestMachine, board: Board) -> int | None:
    # Where memory ends, plugged memory included.
    if asked.memory is None or asked.maxmem is None or asked.slots is None:
        return None
    if asked.maxmem < asked.memory or not 0 <= asked.slots <= board.slots:
        return None
    plugged = _up(board.ram + asked.memory, board.align)
    return plugged + _up(asked.maxmem - asked.memory + asked.slots * board.slot, board.align)


def _up(value: int, size: int) -> int:
    return -(-value // size) * size


def _key(option: str) -> str:
    # The record of a guest names an option as Python does.
    return option.replace("-", "_")
