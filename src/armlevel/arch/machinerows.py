"""What VMMs put around the vCPU: the map of guest-physical memory, and what each chooses and writes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Around", "Board", "CpuInterface", "HighWindow"]


@dataclass(frozen=True, slots=True)
class Board:
    """Where the memory of QEMU's ``virt`` board begins and ends, in bytes.

    ``ram``      where RAM begins;  ``legacy``  behind it, below which no window begins
    ``align``    what memory that can be plugged is aligned to;  ``slot``  how much more it has for each of ``slots``
    ``compact``  the machine type from which on windows that are off take no room, and ``steal_since`` the one from
                 which on a guest has stolen time unasked
    ``memory``   how much a guest has unasked;  ``steal_time``  bytes of stolen time for each vCPU
    ``redistributors``  how many vCPUs need no second window of redistributors
    """

    family: str
    ram: int
    legacy: int
    align: int
    slot: int
    slots: int
    compact: tuple[int, ...]
    memory: int
    steal_time: int
    redistributors: int
    steal_since: tuple[int, ...] = ()
    see: str = ""


@dataclass(frozen=True, slots=True)
class HighWindow:
    """A window above a guest's memory.

    ``option``  of ``-machine`` that turns it on and off, and ``size_option`` the one that makes it larger
    ``since``   the machine type from which on it is there unasked; () is all
    """

    name: str
    option: str
    size: int
    size_option: str = ""
    since: tuple[int, ...] = ()
    see: str = ""

    @property
    def key(self) -> str:
        """What the record of a guest calls the option.

        >>> HighWindow("ecam", "highmem-ecam", 1 << 28).key
        'highmem_ecam'
        """
        return self.option.replace("-", "_")

    @property
    def size_key(self) -> str:
        """What the record of a guest calls the option of its size."""
        return self.size_option.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Around:
    """What one family of VMMs chooses and writes of what stands around a vCPU.

    ``gic``       versions that it takes unasked, the first that the host has;  ``v2_vcpus``  how many vCPUs a GICv2 has
    ``writes``    what it restores of what an interrupt controller calls itself
    ``board``     whether memory is mapped as :class:`Board` says
    ``rounds_blocks``  whether its blocks of memory are rounded up to the host's page
    ``messages``  pairs of an event and the lines that the destination prints
    """

    family: str
    gic: tuple[int, ...]
    v2_vcpus: int
    writes: tuple[str, ...]
    board: bool
    rounds_blocks: bool
    messages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    see: str = ""


@dataclass(frozen=True, slots=True)
class CpuInterface:
    """A field of ICC_CTLR_EL1, and whether KVM takes a ``lower`` value than the host's own, too."""

    field: str
    lower: bool
    why: str
    see: str = ""
