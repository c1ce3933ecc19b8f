"""Which shared libraries an ELF file names: the NEEDED entries of its dynamic section.

Source: System V ABI, "Dynamic Section"; 64-bit little-endian files only, which is what arm64 Debian has.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

__all__ = ["closure", "needed"]

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5


def needed(data: bytes) -> list[str]:
    """Return the names of the libraries a program or library links to; none if ``data`` is no such file.

    >>> needed(b"#!/bin/sh")
    []
    """
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    (at,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, at + number * size) for number in range(count)]
    loads = [
        (address, offset, length) for kind, _, offset, address, _, length, *_ in headers if kind == _PT_LOAD
    ]
    dynamic = [(offset, length) for kind, _, offset, _, _, length, *_ in headers if kind == _PT_DYNAMIC]
    if not dynamic:
        return []
    start, length = dynamic[0]
    entries = [struct.unpack_from("<QQ", data, start + place) for place in range(0, length, 16)]
    table = next((value for tag, value in entries if tag == _DT_STRTAB), 0)
    strings = next(
        offset + table - address for address, offset, size in loads if address <= table < address + size
    )
    return [_string(data, strings + value) for tag, value in entries if tag == _DT_NEEDED]


def closure(program: bytes, libraries: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """Return the libraries that ``program`` needs, directly or not, and the names that ``libraries`` does not have.

    >>> closure(b"", {"libc.so.6": b""})
    ({}, [])
    """
    linked: dict[str, bytes] = {}
    missing: list[str] = []
    waiting = needed(program)
    while waiting:
        name = waiting.pop()
        if name in linked or name in missing:
            continue
        if name not in libraries:
            missing.append(name)
            continue
        linked[name] = libraries[name]
        waiting += needed(libraries[name])
    return linked, sorted(missing)


def _string(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode("ascii")
