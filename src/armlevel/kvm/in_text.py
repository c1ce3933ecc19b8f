"""Registers in the middle of a text, and what the numbers of a vGIC attribute are.

Layouts: Linux ``arch/arm64/include/uapi/asm/kvm.h`` (vGIC attributes: the low half of an attribute of the CPU interface
is the encoding of a system register, the high half says which vCPU); QEMU ``target/arm/kvm.c`` (``fw reg 0``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from armlevel.kvm.ids import RegisterId
from armlevel.kvm.spelling import SpelledRegister, spelled

__all__ = ["NamedRegister", "registers_in", "vgic_attribute"]

_FIRMWARE = 0x6030000000140000
_BITMAP = 0x6030000000160000
#: What every form below has in it.
_HINT = re.compile(r"op0|\([23],|\bs[0-3]_|60\w{14}|69\d{17}|\bfw |reg_arm|_el[0-3]", re.IGNORECASE)
#: Words of the longest register that stands alone: its five numbers.
_WORDS = 5
_NUMBER = r"\W{0,3}c?\d{1,2}"


@dataclass(frozen=True, slots=True)
class NamedRegister:
    """A register that a text names: as it stands there, the register, and where it stands."""

    text: str
    register: SpelledRegister
    start: int
    end: int

    @property
    def name(self) -> str:
        """Arm's name for it, or KVM's."""
        return self.register.name


def _numbered(base: int) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{base | int(found[1], 16):#x}"


def _whole(found: re.Match[str]) -> str:
    return found[0]


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(
            rf"\bop0{_NUMBER}\W{{1,4}}op1{_NUMBER}\W{{1,4}}crn{_NUMBER}\W{{1,4}}crm{_NUMBER}\W{{1,4}}op2{_NUMBER}\)?",
            re.IGNORECASE,
        ),
        _whole,
    ),
    (re.compile(r"(?:\bsys_reg)?\([23], ?[0-7], ?\d{1,2}, ?\d{1,2}, ?[0-7]\)", re.IGNORECASE), _whole),
    (re.compile(r"\bS[0-3]_[0-7]_C\d{1,2}_C\d{1,2}_[0-7]\b", re.IGNORECASE), _whole),
    (re.compile(r"\b(?:0x)?60[0-9a-f]{14}\b", re.IGNORECASE), _whole),
    (re.compile(r"\b69\d{17}\b"), _whole),
    (re.compile(r"\bfw reg ([0-9a-f]{1,4})\b"), _numbered(_FIRMWARE)),
    (re.compile(r"\bfw feat reg ([0-9a-f]{1,4})\b"), _numbered(_BITMAP)),
    (
        re.compile(
            r"\b(?:KVM_REG_ARM_\w+|(?-i:[A-Z])[A-Z0-9_]*_EL[0-3](?:\[\d{1,2}\])?)(?!\w)", re.IGNORECASE
        ),
        _whole,
    ),
)


def registers_in(text: str) -> tuple[NamedRegister, ...]:
    """Return the registers that a text names, in the order of the text.

    >>> [one.name for one in registers_in("system register op0:3 op1:0 crn:9 crm:14 op2:6 and fw reg 0")]
    ['PMMIR_EL1', 'KVM_REG_ARM_PSCI_VERSION']
    >>> [one.name for one in registers_in("{ Op0( 3), Op1( 0), CRn( 0), CRm( 0), Op2( 0), func_read }")]
    ['MIDR_EL1']
    >>> [one.name for one in registers_in("register 6931039826524487712, demuxed reg 6020000000110002")]
    ['ID_AA64PFR0_EL1', 'CCSIDR_EL1[2]']
    """
    found: list[NamedRegister] = []
    for one in _candidates(text) if _HINT.search(text) else ():
        if all(one.end <= other.start or other.end <= one.start for other in found):
            found.append(one)
    if not found and len(text.split()) <= _WORDS and (whole := spelled(text)) is not None:
        found.append(NamedRegister(text.strip(), whole, 0, len(text)))
    return tuple(sorted(found, key=lambda one: one.start))


def _candidates(text: str) -> Iterator[NamedRegister]:
    for pattern, spelling in _FORMS:
        for match in pattern.finditer(text):
            register = spelled(spelling(match))
            if register is not None:
                yield NamedRegister(match[0], register, match.start(), match.end())


# uapi/asm/kvm.h: KVM_DEV_ARM_VGIC_GRP_*
_GROUPS = {
    0: "ADDR",
    1: "DIST_REGS",
    2: "CPU_REGS",
    3: "NR_IRQS",
    4: "CTRL",
    5: "REDIST_REGS",
    6: "CPU_SYSREGS",
    7: "LEVEL_INFO",
    8: "ITS_REGS",
    9: "MAINT_IRQ",
}
# uapi/asm/kvm.h: KVM_DEV_ARM_VGIC_CTRL_*, KVM_DEV_ARM_ITS_*
_CONTROLS = {
    0: "INIT",
    1: "ITS_SAVE_TABLES",
    2: "ITS_RESTORE_TABLES",
    3: "VGIC_SAVE_PENDING_TABLES",
    4: "ITS_RESET",
}
# Offsets in the frames: Arm IHI 0069, chapter 12.
_FRAMES = {
    1: {0x0: "GICD_CTLR", 0x4: "GICD_TYPER", 0x8: "GICD_IIDR", 0xC: "GICD_TYPER2"},
    4: _CONTROLS,
    5: {0x0: "GICR_CTLR", 0x4: "GICR_IIDR", 0x8: "GICR_TYPER", 0x14: "GICR_WAKER"},
    8: {0x0: "GITS_CTLR", 0x4: "GITS_IIDR", 0x8: "GITS_TYPER"}
    | {0x80: "GITS_CBASER", 0x88: "GITS_CWRITER", 0x90: "GITS_CREADR"}
    | {0x100 + 8 * n: f"GITS_BASER{n}" for n in range(8)},
}
_CPU_SYSREGS = 6


def vgic_attribute(group: int, attribute: int) -> tuple[str, str]:
    """Return the names of a vGIC device's group and attribute; empty for one that has none.

    >>> vgic_attribute(6, 0xC664), vgic_attribute(1, 8), vgic_attribute(4, 1), vgic_attribute(77, 1)
    (('CPU_SYSREGS', 'ICC_CTLR_EL1'), ('DIST_REGS', 'GICD_IIDR'), ('CTRL', 'ITS_SAVE_TABLES'), ('', ''))
    """
    low = attribute & 0xFFFFFFFF
    name = _FRAMES.get(group, {}).get(low, "")
    if group == _CPU_SYSREGS:
        encoding = RegisterId("system", 8, low & 0xFFFF).encoding
        found = spelled("S{}_{}_C{}_C{}_{}".format(*encoding))
        name = found.name if found is not None else ""
    return _GROUPS.get(group, ""), name
