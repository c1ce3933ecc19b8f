"""What a kernel's own list of system registers (arch/arm64/tools/sysreg) calls registers, fields and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from armlevel.kvm import RegisterId

__all__ = ["NamedField", "NamedRegister", "read_sysreg"]

# (one release has a digit 2 in a number of this form: what is no such number is no value)
_BITS = re.compile(r"0b[01]+")
_FIELD = re.compile(r"(?:Signed|Unsigned)?(?:Field|Enum)")


@dataclass(frozen=True, slots=True)
class NamedField:
    """A field by its place, and the numbers of its values by name."""

    msb: int
    lsb: int
    values: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NamedRegister:
    """A register by its encoding, and its fields by name."""

    encoding: tuple[int, int, int, int, int]
    fields: Mapping[str, NamedField]

    @property
    def kvm_id(self) -> int:
        """KVM's id of it."""
        op0, op1, crn, crm, op2 = self.encoding
        return RegisterId("system", 8, op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2).encode()


def read_sysreg(text: str) -> dict[str, NamedRegister]:
    r"""Return the registers of a list, by name.

    >>> found = read_sysreg(
    ...     "Sysreg A_EL1 3 0 0 4 1\nEnum 7:4 F\n 0b0010 IMP\nEndEnum\nField 0 G\nEndSysreg\n"
    ... )
    >>> found["A_EL1"].encoding, found["A_EL1"].fields["F"].values, found["A_EL1"].fields["G"].lsb
    ((3, 0, 0, 4, 1), {'IMP': 2}, 0)
    """
    found: dict[str, NamedRegister] = {}
    fields: dict[str, NamedField] = {}
    values: dict[str, int] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) == 7 and words[0] == "Sysreg":
            fields = {}
            op0, op1, crn, crm, op2 = map(int, words[2:])
            found[words[1]] = NamedRegister((op0, op1, crn, crm, op2), fields)
        elif len(words) >= 2 and words[0] == "SysregFields":
            fields = {}  # of several registers: none that has a name of its own
        elif len(words) == 3 and _FIELD.fullmatch(words[0]):
            msb, _, lsb = words[1].partition(":")
            values = {}
            fields[words[2]] = NamedField(int(msb), int(lsb or msb), values)
        elif len(words) == 2 and _BITS.fullmatch(words[0]):
            values[words[1]] = int(words[0], 2)
    return found
