"""The part of the tables that is about VMMs: how they restore a guest, and what brings its CPU about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from armlevel.arch import machinerows, meansrows, vmmrows

__all__ = ["StackRows"]


class StackRows:
    """Rows about VMMs, out of the table that a catalogue reads."""

    _table: Mapping[str, Any]

    @cached_property
    def vmms(self) -> Mapping[str, vmmrows.Vmm]:
        """Named sets of VMM behaviour."""
        return MappingProxyType(
            {
                name: vmmrows.Vmm(
                    name, family, suggests, own, rule, restores, MappingProxyType(dict(messages)), *rest
                )
                for name, family, suggests, own, rule, restores, messages, *rest in self._table["vmms"]
            }
        )

    @cached_property
    def lets(self) -> tuple[vmmrows.Lets, ...]:
        """Registers that VMMs forgive to be on one end alone."""
        return tuple(vmmrows.Lets(*row) for row in self._table["lets"])

    @cached_property
    def blocks(self) -> tuple[vmmrows.Blocks, ...]:
        """What keeps VMMs from moving a guest."""
        return tuple(vmmrows.Blocks(*row) for row in self._table["blocks"])

    @cached_property
    def qemu_options(self) -> Mapping[str, vmmrows.QemuOption]:
        """Every option of QEMU that can be read, by name."""
        return MappingProxyType({row[0]: vmmrows.QemuOption(*row) for row in self._table["qemu_options"]})

    @cached_property
    def means(self) -> Mapping[str, meansrows.Means]:
        """What brings a guest CPU about, the cheapest first."""
        return MappingProxyType({row[0]: meansrows.Means(*row) for row in self._table["means"]})

    @cached_property
    def switches(self) -> tuple[meansrows.Switch, ...]:
        """Options that leave something out of a passthrough guest, in the order in which they are written."""
        return tuple(meansrows.Switch(*row) for row in self._table["switches"])

    @cached_property
    def board(self) -> machinerows.Board:
        """Where the memory of QEMU's board begins and ends."""
        return machinerows.Board(*self._table["board"])

    @cached_property
    def windows(self) -> tuple[machinerows.HighWindow, ...]:
        """The windows above a guest's memory, in the order in which they are put there."""
        return tuple(machinerows.HighWindow(*row) for row in self._table["windows"])
