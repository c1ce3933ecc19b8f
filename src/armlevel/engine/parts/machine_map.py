"""QEMU's map of guest-physical memory: computed from what the guest was given and the host's largest size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from armlevel.profile import GuestMachine

if TYPE_CHECKING:
    from armlevel.arch import Board, Catalogue

__all__ = ["MemoryMap", "memory_map"]

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


def memory_map(asked: GuestMachine, ipa_bits: int, catalogue: Catalogue) -> MemoryMap | None:
    """Return the map that QEMU makes on a host whose largest guest-physical size is ``ipa_bits``.

    Under KVM QEMU takes the host's largest size, not the guest's (hw/arm/virt.c, virt_kvm_type), and QEMU 10 and 11 do
    the same with it. None if something that it depends on is not recorded, or QEMU refuses it on every host.

    >>> from armlevel.arch import load
    >>> asked = GuestMachine(memory=1 << 27, maxmem=600 << 30, slots=1, **load().board_defaults(()))
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
        on = getattr(asked, row.key)
        if on is None:
            return None
        size = row.size
        if row.size_option:
            size = getattr(asked, row.size_key)
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
