"""A guest that says ID registers on its serial line: no KVM, no kernel, a few hundred instructions."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["CACHES", "Encoding", "guest_code"]

Encoding = tuple[int, int, int, int, int]

#: How many caches CSSELR_EL1 can name: seven levels, of data and of instructions.
CACHES = 14

_CSSELR: Encoding = (3, 2, 0, 0, 0)
_CCSIDR: Encoding = (3, 1, 0, 0, 0)
_VECTORS_AT = 0x800
_CODE_AT = 0x1000

# Arm DDI 0487 C6.2. x1: the serial line (QEMU hw/arm/virt.c VIRT_UART0); x9: 1 after an UNDEFINED instruction;
# w4: the number of a register; x0: its value.
_MRS_X0, _MSR_X3 = 0xD530_0000, 0xD510_0003
_ISB = 0xD503_3FDF
_STORE = 0xB900_0026  # str w6, [x1]
# At EL1 with its own stack: mov x9, #1; mrs x10, elr_el1; add x10, x10, #4; msr elr_el1, x10; eret.
_HANDLER = (0xD280_0029, 0xD538_402A, 0x9100_114A, 0xD518_402A, 0xD69F_03E0)
# adr x0, -0x800 (the vectors lie right before the code); msr vbar_el1, x0; isb; movz x1, #0x900, lsl #16;
# mov w2, #0x301; str w2, [x1, #0x30]: the serial line is switched on.
_BEGIN = (0x10FF_C000, 0xD518_C000, _ISB, 0xD2A1_2001, 0x5280_6022, 0xB900_3022)
# movz w0, #0x8400, lsl #16; movk w0, #8; hvc #0 (PSCI SYSTEM_OFF); b .
_END = (0x52B0_8000, 0x7280_0100, 0xD400_0002, 0x1400_0000)
_CLEAR_X9 = 0xD280_0009
_DIGITS = (
    0x5280_0787,  # mov w7, #60
    0x9AC7_2406,  # lsr x6, x0, x7
    0x9240_0CC6,  # and x6, x6, #15
    0xF100_28DF,  # cmp x6, #10
    0x5400_0043,  # b.lo +8
    0x9100_9CC6,  # add x6, x6, #39
    0x9100_C0C6,  # add x6, x6, #48
    _STORE,
    0x7100_10E7,  # subs w7, w7, #4
    0x54FF_FF0A,  # b.ge to the lsr
)


def guest_code(encodings: Sequence[Encoding]) -> bytes:
    """Return a program that says each register on the serial line of QEMU's ``virt``, then the caches, and powers off.

    A line is ``NUMBER=`` and 16 hex digits, or ``U`` of a register whose reading is UNDEFINED; the number counts the
    encodings, and CCSIDR_EL1 of each cache after them.

    >>> code = guest_code([(3, 0, 0, 0, 0)])
    >>> code[:4].hex(), code[0x1000:0x1004].hex()  # a branch over the vectors; adr x0, vectors
    ('00040014', '00c0ff10')
    """
    say = _say()
    first = len(_BEGIN) + 1  # where the subroutine is, in words
    words = [*_BEGIN, _branch(len(say) + 1), *say]

    def read(number: int, encoding: Encoding) -> None:
        words.extend((_CLEAR_X9, _system(_MRS_X0, encoding), _move(4, number)))
        words.append(_branch(first - len(words)) | 1 << 31)  # with link

    for number, encoding in enumerate(encodings):
        read(number, encoding)
    for cache in range(CACHES):
        words += (_move(3, cache), _system(_MSR_X3, _CSSELR), _ISB)
        read(len(encodings) + cache, _CCSIDR)
    words += _END
    vectors = struct.pack(f"<{len(_HANDLER)}I", *_HANDLER).ljust(0x80, b"\0") * 16
    start = struct.pack("<I", _branch(_CODE_AT // 4)).ljust(_VECTORS_AT, b"\0")
    return start + vectors + struct.pack(f"<{len(words)}I", *words)


def _say() -> list[int]:
    # The subroutine: four decimal digits, "=", sixteen hex digits or U, a newline.
    out: list[int] = [0xAA1E_03EB]  # mov x11, x30
    for power in (1000, 100, 10, 1):
        # mov w5, #power; udiv w6, w4, w5; msub w4, w6, w5, w4; add w6, w6, #48
        out += (_move(5, power), 0x1AC5_0886, 0x1B05_90C4, 0x1100_C0C6, _STORE)
    out += (_move(6, ord("=")), _STORE)
    undefined = (_move(6, ord("U")), _STORE, _branch(len(_DIGITS) + 1))
    out += (0xB400_0009 | (len(undefined) + 1) << 5, *undefined, *_DIGITS)  # cbz x9, digits
    out += (_move(6, ord("\n")), _STORE, 0xAA0B_03FE, 0xD65F_03C0)  # mov x30, x11; ret
    return out


def _system(word: int, encoding: Encoding) -> int:
    op0, op1, crn, crm, op2 = encoding
    return word | (op0 & 1) << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5


def _move(register: int, number: int) -> int:
    return 0x5280_0000 | number << 5 | register


def _branch(words: int) -> int:
    return 0x1400_0000 | words & 0x3FF_FFFF
