"""Where the library is, and whether the loader can use it.

The loader ignores a library it cannot load, with a line on stderr. Nothing would be wrong then: QEMU is given a KVM
device that only the library knows, and stops. But it is said better before.
"""

from __future__ import annotations

import struct
from importlib import resources
from pathlib import Path

__all__ = ["DEVICE", "NAME", "library", "library_fault"]

NAME = "libarmlevel.so"
#: The KVM device QEMU is given. There is none by this name: only the library makes /dev/kvm of it.
DEVICE = "/dev/kvm-armlevel"
_AGAIN = "build it with make preload"
_HEADER = struct.Struct("<4sBBBBB7xHHIQQQIHHHHHH")  # ELF-64 header, all of it
_AARCH64, _SHARED, _64_BIT, _LITTLE = 183, 3, 2, 1


def library() -> Path:
    """Return the place of the library that ships with armlevel."""
    return Path(str(resources.files("armlevel.preload").joinpath(NAME)))


def library_fault(path: Path) -> str:
    """Say in a sentence why the loader would not take the library; nothing if it will.

    >>> library_fault(Path("/nonexistent/libarmlevel.so"))
    '/nonexistent/libarmlevel.so is missing; build it with make preload'
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return f"{path} is missing; {_AGAIN}"
    except OSError as exc:
        return f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}"
    if any(character in str(path) for character in ": "):
        return f"{path} cannot be preloaded: a blank or a colon ends a name in LD_PRELOAD; move it"
    fault = _fault_of(data)
    return f"{path} {fault}; {_AGAIN}" if fault else ""


def _fault_of(data: bytes) -> str:
    if len(data) < _HEADER.size or data[:4] != b"\x7fELF":
        return "is no library"
    fields = _HEADER.unpack_from(data)
    bits, order, kind, machine = fields[1], fields[2], fields[6], fields[7]
    if (bits, order, kind, machine) != (_64_BIT, _LITTLE, _SHARED, _AARCH64):
        return "is no library for 64-bit Arm"
    # The section headers are the last thing the linker writes.
    return "is cut off" if len(data) < fields[11] + fields[16] * fields[17] else ""
