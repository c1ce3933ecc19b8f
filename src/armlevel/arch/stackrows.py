"""The part of the tables that is about VMMs: how they restore a guest, and what brings its CPU about.

What a row is, is read when one is asked for: most answers need none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armlevel.arch import machinerows, meansrows, vmmrows

__all__ = ["StackRows"]


class StackRows:
    """Rows about VMMs, out of the table that a catalogue reads."""

    _table: Mapping[str, Any]

    @cached_property
    def vmms(self) -> Mapping[str, vmmrows.Vmm]:
        """Named sets of VMM behaviour."""
        from armlevel.arch import vmmrows

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
        from armlevel.arch import vmmrows

        return tuple(vmmrows.Lets(*row) for row in self._table["lets"])

    @cached_property
    def blocks(self) -> tuple[vmmrows.Blocks, ...]:
        """What keeps VMMs from moving a guest."""
        from armlevel.arch import vmmrows

        return tuple(vmmrows.Blocks(*row) for row in self._table["blocks"])

    @cached_property
    def qemu_options(self) -> Mapping[str, vmmrows.QemuOption]:
        """Every option of QEMU that can be read, by name."""
        from armlevel.arch import vmmrows

        return MappingProxyType({row[0]: vmmrows.QemuOption(*row) for row in self._table["qemu_options"]})

    @cached_property
    def means(self) -> Mapping[str, meansrows.Means]:
        """What brings a guest CPU about, the cheapest first."""
        from armlevel.arch import meansrows

        return MappingProxyType({row[0]: meansrows.Means(*row) for row in self._table["means"]})

    @cached_property
    def switches(self) -> tuple[meansrows.Switch, ...]:
        """Options that leave something out of a passthrough guest, in the order in which they are written."""
        from armlevel.arch import meansrows

        return tuple(meansrows.Switch(*row) for row in self._table["switches"])

    @cached_property
    def board(self) -> machinerows.Board:
        """Where the memory of QEMU's board begins and ends."""
        from armlevel.arch import machinerows

        return machinerows.Board(*self._table["board"])

    @cached_property
    def windows(self) -> tuple[machinerows.HighWindow, ...]:
        """The windows above a guest's memory, in the order in which they are put there."""
        from armlevel.arch import machinerows

        return tuple(machinerows.HighWindow(*row) for row in self._table["windows"])

    def board_defaults(self, machine: tuple[int, ...]) -> dict[str, Any]:
        """Return what a machine type has unasked about its windows, by the names that a guest's record has.

        ``machine`` are the numbers of the type; () is the newest.

        >>> from armlevel.arch import load
        >>> [load().board_defaults(version)["highmem_ecam"] for version in ((2, 12), (3, 0), ())]
        [False, True, True]
        """

        def on(since: tuple[int, ...]) -> bool:
            return not machine or machine >= since

        named = {row.key: on(row.since) for row in self.windows}
        sizes = {row.size_key: row.size for row in self.windows if row.size_option}
        return {"highmem": True, "compact_highmem": on(self.board.compact), **named, **sizes}

    @cached_property
    def around(self) -> Mapping[str, machinerows.Around]:
        """What families of VMMs choose and write of what stands around a vCPU, by name."""
        from armlevel.arch import machinerows

        return MappingProxyType({row[0]: machinerows.Around(*row) for row in self._table["around"]})

    @cached_property
    def cpu_interface(self) -> tuple[machinerows.CpuInterface, ...]:
        """What KVM takes of the fields of ICC_CTLR_EL1."""
        from armlevel.arch import machinerows

        return tuple(machinerows.CpuInterface(*row) for row in self._table["cpu_interface"])
