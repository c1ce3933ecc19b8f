"""Register ids of KVM_GET_ONE_REG and KVM_GET_REG_LIST, and their names.

Layout: Linux ``arch/arm64/include/uapi/asm/kvm.h``. Bits 63..56 are the architecture (0x60), bits 55..52 the size
(log2 of bytes), bits 27..16 the group, the rest says which register of the group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from armlevel.errors import UnknownName
from armlevel.kvm.names import CORE, SVE, SYSTEM, Encoding

__all__ = ["RegisterId", "group_of", "id_of", "name_of", "own_names"]

_ARM64 = 0x60
_U32, _U64 = 2, 3
_GROUPS = {0x10: "core", 0x11: "demux", 0x13: "system", 0x14: "firmware", 0x15: "sve", 0x16: "bitmap"}
_CODES = {name: code for code, name in _GROUPS.items()}
_GENERIC = re.compile(r"S([0-3])_([0-7])_C(\d{1,2})_C(\d{1,2})_([0-7])", re.IGNORECASE)
_CCSIDR = re.compile(r"CCSIDR_EL1\[(\d{1,2})\]", re.IGNORECASE)
# Two for each of seven levels: data or unified, and instruction.
_CACHES = 14
_FIELD_BITS = 0xFFF0_0000_0FFF_FFFF


@dataclass(frozen=True, slots=True)
class RegisterId:
    """A register id taken apart; ``index`` is the low half, whose meaning depends on the group.

    >>> RegisterId.decode(0x603000000013C020)
    RegisterId(group='system', size=8, index=49184)
    >>> hex(RegisterId("system", 8, 49184).encode())
    '0x603000000013c020'
    """

    group: str
    size: int
    index: int

    @classmethod
    def decode(cls, register_id: int) -> RegisterId:
        """Take an id apart.

        Raises:
            ValueError: not the id of an arm64 register, or bits are set that no register has.

        """
        if register_id >> 56 != _ARM64 or register_id & ~_FIELD_BITS:
            raise ValueError(f"{register_id:#018x} is no arm64 register id")
        group = register_id >> 16 & 0xFFF
        return cls(_GROUPS.get(group, f"{group:#x}"), 1 << (register_id >> 52 & 0xF), register_id & 0xFFFF)

    def encode(self) -> int:
        """Put the parts together to the id that KVM takes."""
        group = _CODES[self.group] if self.group in _CODES else int(self.group, 16)
        return _ARM64 << 56 | (self.size.bit_length() - 1) << 52 | group << 16 | self.index

    @property
    def encoding(self) -> Encoding:
        """Return the encoding (op0, op1, CRn, CRm, op2) of a system register."""
        i = self.index
        return (i >> 14, i >> 11 & 7, i >> 7 & 15, i >> 3 & 15, i & 7)


def _id(group: str, size_log2: int, index: int) -> int:
    return _ARM64 << 56 | size_log2 << 52 | _CODES[group] << 16 | index


def _system_id(encoding: Encoding) -> int:
    op0, op1, crn, crm, op2 = encoding
    return _id("system", _U64, op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)


@cache
def _names() -> dict[int, str]:
    # The one-file probe reads registers by number and never asks for a name: it shall not pay for the catalogue.
    from armlevel.arch import load

    return own_names() | {register_id: name for name, register_id in load().kvm_ids.items()}


def own_names() -> dict[int, str]:
    """Return the names of what no row of the catalogue describes, by id."""
    names = {_id("core", size, index): name for (index, size), name in CORE.items()}
    names |= {_id("sve", size, index): name for (index, size), name in SVE.items()}
    return names | {_system_id(encoding): name for encoding, name in SYSTEM.items()}


@cache
def _ids() -> dict[str, int]:
    return _spellings(_names())


@cache
def _own_ids() -> dict[str, int]:
    return _spellings(own_names())


def _spellings(names: Mapping[int, str]) -> dict[str, int]:
    ids = {name.upper(): register_id for register_id, name in names.items()}
    short = {name.removeprefix("KVM_REG_ARM_"): register_id for name, register_id in ids.items()}
    return short | ids | {"SP": ids["SP_EL0"]}


def name_of(register_id: int) -> str:
    """Return Arm's name for a register id; the generic spelling, or the id itself, for those without one.

    >>> name_of(0x603000000013C100), name_of(0x6020000000110003), name_of(0x603000000013FFFF)
    ('TTBR0_EL1', 'CCSIDR_EL1[3]', 'S3_7_C15_C15_7')
    """
    if (name := _names().get(register_id)) is not None:
        return name
    group, low = register_id >> 16, register_id & 0xFFFF
    if group == _id("demux", _U32, 0) >> 16 and low < _CACHES:
        return f"CCSIDR_EL1[{low}]"
    if group == _id("system", _U64, 0) >> 16:
        op0, op1, crn, crm, op2 = RegisterId("system", 8, low).encoding
        return f"S{op0}_{op1}_C{crn}_C{crm}_{op2}"
    return f"{register_id:#018x}"


def id_of(name: str, known: Mapping[str, int] | None = None) -> int:
    """Return the id of a register from any spelling that :func:`name_of` gives, in any case.

    ``known`` are names and ids as rows have them; without it, those of the catalogue.

    Raises:
        UnknownName: no register that KVM can list is called so.

    >>> hex(id_of("ttbr0_el1")), id_of(name_of(0x603000000013FFFF)) == 0x603000000013FFFF
    ('0x603000000013c100', True)

    """
    register_id = _ids().get(name.upper()) if known is None else known.get(name, _own_ids().get(name.upper()))
    if register_id is not None:
        return register_id
    if (match := _CCSIDR.fullmatch(name)) and int(match[1]) < _CACHES:
        return _id("demux", _U32, int(match[1]))
    if match := _GENERIC.fullmatch(name):
        op0, op1, crn, crm, op2 = (int(part) for part in match.groups())
        if crn < 16 and crm < 16:
            return _system_id((op0, op1, crn, crm, op2))
    if re.fullmatch(r"0x60[0-9a-f]{14}", name, re.IGNORECASE):
        return int(name, 16)
    raise UnknownName("KVM register", name)


def group_of(register_id: int) -> str:
    """Return ``core``, ``demux``, ``system``, ``firmware``, ``sve``, ``bitmap``, or the number of a group without name.

    >>> group_of(0x6030000000140000), group_of(0x6020000000110000)
    ('firmware', 'demux')
    """
    group = register_id >> 16 & 0xFFF
    return _GROUPS.get(group, f"{group:#x}")
