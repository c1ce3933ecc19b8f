"""Where the library is, and whether the loader can use it.

The loader ignores a library it cannot load, with a line on stderr. Nothing would be wrong then: QEMU is given a KVM
device that only the library knows, and stops. But it is said better before.
"""

from __future__ import annotations

import os
import stat
import struct
from importlib import resources
from pathlib import Path

__all__ = ["DEVICE", "NAME", "is_script", "library", "library_fault", "program_fault"]

NAME = "libarmlevel.so"
#: The KVM device QEMU is given. There is none by this name: only the library makes /dev/kvm of it.
DEVICE = "/dev/kvm-armlevel"
_AGAIN = "build it with make preload"
_HEADER = struct.Struct("<4sBBBBB7xHHIQQQIHHHHHH")  # ELF-64 header, all of it
_AARCH64, _SHARED, _64_BIT, _LITTLE = 183, 3, 2, 1
_INTERPRETER = 3  # the program header that names the loader
_CAPABILITIES = "security.capability"


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


def is_script(path: Path) -> bool:
    """Tell whether a program is a text that another one reads."""
    try:
        with path.open("rb") as file:
            return file.read(4) != b"\x7fELF"
    except OSError:
        return False


def program_fault(path: Path) -> str:
    """Say in a sentence why the loader would start a program without the library; nothing if it will not.

    >>> program_fault(Path("/nonexistent/qemu-system-aarch64"))
    '/nonexistent/qemu-system-aarch64 cannot be read: no such file or directory'
    """
    try:
        mode, data = path.stat().st_mode, _start_of(path)
        names = os.listxattr(path)
    except OSError as exc:
        return f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}"
    if mode & (stat.S_ISUID | stat.S_ISGID) or _CAPABILITIES in names:
        return f"{path} gains privileges when it is started, and the loader gives such a program no library"
    fields = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (0,) * 20
    if (fields[1], fields[2], fields[7]) != (_64_BIT, _LITTLE, _AARCH64):
        return f"{path} is no program for 64-bit Arm"
    at, size, count = fields[10], fields[14], fields[15]
    kinds = [int.from_bytes(data[at + size * i : at + size * i + 4], "little") for i in range(count)]
    return "" if _INTERPRETER in kinds else f"{path} is linked statically, and no loader gives it the library"


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1 << 16)
