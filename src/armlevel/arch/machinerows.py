"""What VMMs put around the vCPU: the map of guest-physical memory, and what each chooses and writes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Board", "HighWindow"]


@dataclass(frozen=True, slots=True)
class Board:
    """Where the memory of QEMU's ``virt`` board begins and ends, in bytes.

    ``ram``      where RAM begins;  ``legacy``  behind it, below which no window begins
    ``align``    what memory that can be plugged is aligned to;  ``slot``  how much more it has for each of ``slots``
    ``compact``  the machine type from which on windows that are off take no room
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
