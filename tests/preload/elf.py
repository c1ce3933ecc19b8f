"""What a shared library exports, imports and wants, read from its own bytes (System V ABI, 64-bit little-endian)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_LOAD, _DYNAMIC, _DYNSYM = 1, 2, 11
_NEEDED, _TEXTREL, _VERNEED = 1, 22, 0x6FFFFFFE
_WEAK = 2


@dataclass(frozen=True, slots=True)
class Library:
    exports: frozenset[str]
    imports: frozenset[str]
    weak: frozenset[str]
    tags: frozenset[int]
    alignments: frozenset[int]

    @property
    def stands_alone(self) -> bool:
        """Whether it names no other library, and no version of one."""
        return not self.tags & {_NEEDED, _VERNEED, _TEXTREL}


def read_library(data: bytes) -> Library:
    program, sections = struct.unpack_from("<QQ", data, 32)
    size, count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, program + i * size) for i in range(count)]
    dynamic = next(segment for segment in segments if segment[0] == _DYNAMIC)
    tags = frozenset(struct.unpack_from("<Q", data, dynamic[2] + at)[0] for at in range(0, dynamic[5], 16))
    headers = [
        struct.unpack_from("<IIQQQQIIQQ", data, sections + i * section_size) for i in range(section_count)
    ]
    symbols = next(header for header in headers if header[1] == _DYNSYM)
    strings = headers[symbols[6]][4]
    found: dict[str, set[str]] = {"exports": set(), "imports": set(), "weak": set()}
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name, info, _, section = struct.unpack_from("<IBBH", data, at)
        if name:
            text = data[strings + name : data.index(b"\0", strings + name)].decode()
            kind = "exports" if section else "weak" if info >> 4 == _WEAK else "imports"
            found[kind].add(text)
    return Library(
        frozenset(found["exports"]),
        frozenset(found["imports"]),
        frozenset(found["weak"]),
        tags,
        frozenset(segment[7] for segment in segments if segment[0] == _LOAD),
    )
