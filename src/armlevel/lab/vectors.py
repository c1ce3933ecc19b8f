"""A program for the guest that uses SVE all the time and ends when the vector length is not what it was.

A few instructions, put together here so that the lab needs no compiler. It notes the length, then sleeps and uses a
predicate register in turns; when the length has changed it exits with 3. Linux kills it itself if it notices first
(``arch/arm64/kernel/fpsimd.c``: a length that is not the task's). Encodings: Arm ARM DDI 0487.
"""

from __future__ import annotations

import struct

__all__ = ["program"]

_CODE = (
    0x0420E3F3,  # cntb x19
    0x100001E0,  # again: adr x0, pause
    0xD2800001,  # mov x1, #0
    0xD2800CA8,  # mov x8, #101 (nanosleep)
    0xD4000001,  # svc #0
    0xD2880002,  # mov x2, #0x4000
    0x2518E3E0,  # use: ptrue p0.b
    0xF1000442,  # subs x2, x2, #1
    0x54FFFFC1,  # b.ne use
    0x0420E3E0,  # cntb x0
    0xEB13001F,  # cmp x0, x19
    0x54FFFEC0,  # b.eq again
    0xD2800060,  # mov x0, #3
    0xD2800BA8,  # mov x8, #93 (exit)
    0xD4000001,  # svc #0
    0xD503201F,  # nop
)
_PAUSE = (0, 50_000_000)  # a timespec
_AT = 0x400000
_HEADERS = 64 + 56


def program() -> bytes:
    r"""Return the program, a static ELF file for arm64.

    >>> program()[:4], len(program())
    (b'\x7fELF', 200)
    """
    body = struct.pack(f"<{len(_CODE)}I2Q", *_CODE, *_PAUSE)
    size = _HEADERS + len(body)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, _AT + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _AT, _AT, size, size, 0x10000)
    return header + segment + body
