"""The library that makes stock QEMU show a guest profile: what it is told, how QEMU is started with it, what it saw.

The library itself is C (``preload/`` of the repository) and is built by ``make preload`` into this directory. Standard
library only: this room runs on bare hosts.
"""

from armlevel.preload.config import DEVICE, observing
from armlevel.preload.dump import read_dump
from armlevel.preload.launch import Launch, execute, launch
from armlevel.preload.library import library, library_fault

__all__ = [
    "DEVICE",
    "Launch",
    "execute",
    "launch",
    "library",
    "library_fault",
    "observing",
    "read_dump",
]
