"""A register as any tool of the field writes it, taken for what it is.

KVM's register ids in hexadecimal or decimal; Arm's names, with or without ``SYS_`` and the exception level; KVM's
names, with or without ``KVM_REG_ARM_``; encodings as kernels, compilers and debuggers print them: ``op0:3 op1:0 crn:0
crm:4 op2:0``, ``Op0( 3), Op1( 0), CRn( 0), CRm( 4), Op2( 0)``, ``sys_reg(3, 0, 0, 4, 0)``, ``s3_0_c0_c4_0``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from armlevel.errors import UnknownName
from armlevel.kvm.ids import RegisterId, group_of, id_of, name_of
from armlevel.kvm.names import Encoding

__all__ = ["SpelledRegister", "encoding_of", "spelled"]

_LONGEST = 200
_ENCODED = re.compile(
    r"\W*op0\W{0,3}(\d{1,2})\W{1,4}op1\W{0,3}(\d{1,2})\W{1,4}crn\W{0,3}c?(\d{1,2})\W{1,4}crm\W{0,3}c?(\d{1,2})"
    r"\W{1,4}op2\W{0,3}(\d{1,2})\b.*",
    re.IGNORECASE | re.DOTALL,
)
_LISTED = re.compile(
    r"(?:\w*sys_reg)?\W{0,2}([0-3])\W{1,3}([0-7])\W{1,3}(\d{1,2})\W{1,3}(\d{1,2})\W{1,3}([0-7])\W{0,2}",
    re.IGNORECASE,
)
_GENERIC = re.compile(r"s([0-3])_([0-7])_c?(\d{1,2})_c?(\d{1,2})_([0-7])", re.IGNORECASE)
_ID = re.compile(r"(?:0x)?(60[0-9a-f]{14})", re.IGNORECASE)
_SYSTEM = 0x6030_0000_0013_0000
_LEVELS = ("_EL1", "_EL0", "_EL2", "_EL3")
_PREFIXES = ("SYS_", "KVM_REG_ARM_", "ARM64_SYS_REG_")
# The sizes of a register id that KVM has, as log2 of bytes: 32 bits to 2048.
_SIZES = range(2, 9)


@dataclass(frozen=True, slots=True)
class SpelledRegister:
    """A register that somebody wrote: Arm's name or KVM's, KVM's id for it, and the encoding if it has one.

    ``listed`` is whether a KVM that armlevel knows lists it.

    >>> spelled("op0:3 op1:0 crn:2 crm:0 op2:3")
    SpelledRegister(name='TCR2_EL1', group='system', kvm_id=6931039826524487939, encoding=(3, 0, 2, 0, 3), listed=True)
    """

    name: str
    group: str
    kvm_id: int
    encoding: Encoding | None = None
    listed: bool = False


def spelled(text: str) -> SpelledRegister | None:
    """Return the register that a text names; None if it names none.

    >>> [
    ...     spelled(text).name
    ...     for text in ("0x603000000013808c", "SYS_DCZID_EL0", "psci_version", "s3_0_c0_c0_0")
    ... ]
    ['OSLSR_EL1', 'DCZID_EL0', 'KVM_REG_ARM_PSCI_VERSION', 'MIDR_EL1']
    >>> spelled("0x413fd0c1") is None
    True
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    if (register_id := _id_in(text)) is not None:
        return _of_id(register_id)
    if (encoding := encoding_of(text)) is not None:
        return _of_encoding(encoding)
    name = text.upper()
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return next(filter(None, (_of_name(name + level) for level in ("", *_LEVELS))), None)


def encoding_of(text: str) -> Encoding | None:
    """Return the encoding that a text spells out in numbers; None if it spells none, or one that cannot be.

    >>> encoding_of("{ Op0( 3), Op1( 0), CRn( 0), CRm( 4), Op2( 0), func_read }"), encoding_of("3,0,0,16,0")
    ((3, 0, 0, 4, 0), None)
    """
    match = _ENCODED.fullmatch(text) or _GENERIC.fullmatch(text) or _LISTED.fullmatch(text)
    if match is None:
        return None
    op0, op1, crn, crm, op2 = (int(part) for part in match.groups())
    return (op0, op1, crn, crm, op2) if op0 < 4 and op1 < 8 and crn < 16 and crm < 16 and op2 < 8 else None


def _id_in(text: str) -> int | None:
    digits = text.replace("_", "")
    if match := _ID.fullmatch(digits):
        return int(match[1], 16)
    if digits.isascii() and digits.isdecimal() and len(digits) == 19 and int(digits) >> 56 == 0x60:
        return int(digits)
    return None


def _of_id(register_id: int) -> SpelledRegister | None:
    try:
        parts = RegisterId.decode(register_id)
    except ValueError:
        return None
    if parts.size.bit_length() - 1 not in _SIZES:
        return None
    name = name_of(register_id)
    if parts.group != "system":
        return SpelledRegister(name, parts.group, register_id, None, name != f"{register_id:#018x}")
    encoding = parts.encoding
    if _GENERIC.fullmatch(name):
        return _of_encoding(encoding)
    # The two timer ids that KVM swapped are what KVM says: its name, and the encoding of that register.
    return SpelledRegister(name, "system", register_id, _encodings().get(name.upper(), encoding), listed=True)


def _of_encoding(encoding: Encoding) -> SpelledRegister:
    op0, op1, crn, crm, op2 = encoding
    register_id = _SYSTEM | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2
    name = _by_encoding().get(encoding)
    if name is None:
        name = name_of(register_id)
        return SpelledRegister(name, "system", register_id, encoding, not _GENERIC.fullmatch(name))
    found = _of_name(name.upper())
    assert found is not None  # a name that a row has
    return found


def _of_name(name: str) -> SpelledRegister | None:
    encoding = _encodings().get(name)
    try:
        register_id = id_of(name)
    except UnknownName:
        if encoding is None:
            return None
        op0, op1, crn, crm, op2 = encoding
        register_id = _SYSTEM | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2
        # An ID register that had no name when KVM's table was written is listed without one.
        listed = name_of(register_id).upper() in _encodings()
        return SpelledRegister(_names()[name], "system", register_id, encoding, listed)
    return SpelledRegister(name_of(register_id), group_of(register_id), register_id, encoding, listed=True)


@cache
def _names() -> Mapping[str, str]:
    from armlevel.arch import load

    rows = load().system_registers
    return {name.upper(): name for name in (*rows, *load().registers)}


@cache
def _encodings() -> Mapping[str, Encoding]:
    from armlevel.arch import load

    found = {name.upper(): encoding for name, encoding in load().system_registers.items()}
    return found | {name.upper(): row.encoding for name, row in load().registers.items()}


@cache
def _by_encoding() -> Mapping[Encoding, str]:
    from armlevel.arch import load

    found = {encoding: name for name, encoding in reversed([*load().system_registers.items()])}
    return found | {row.encoding: name for name, row in load().registers.items()}
