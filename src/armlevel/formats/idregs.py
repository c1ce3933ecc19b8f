"""Texts with a register and its value in each line; first of all KVM's debugfs file ``idregs``.

There each line is a name (``SYS_ID_AA64PFR0_EL1``, right-aligned), a colon and 16 hexadecimal digits. It shows what
this guest was given, which may be less than what the host offers. Source: Linux ``arch/arm64/kvm/sys_regs.c``. Other
dumps put another sign between name and value, several on one line, or lines between them that are no registers.
"""

from __future__ import annotations

import re

from armlevel.arch import Catalogue, load
from armlevel.errors import BadDocument
from armlevel.formats.registers import Dump, host_of_dumps, named_register
from armlevel.formats.release import kernel_in
from armlevel.formats.text import number
from armlevel.profile import Host

__all__ = ["looks", "read", "values_in"]

_NAME = (
    r"(?:SYS_)?(?:[A-Za-z][A-Za-z0-9_]{0,60}_EL[0-3]\d?(?:\[\d{1,2}\])?"
    r"|[Ss][0-3]_[0-7]_[Cc]?\d{1,2}_[Cc]?\d{1,2}_[0-7])"
)
_PAIR = re.compile(
    rf"\b({_NAME})(?:\s{{0,8}}[(\[][^()\[\]]{{0,80}}[)\]])?(?:\s{{0,40}}[:=,|]{{1,2}}\s{{0,40}}|\s{{1,40}})((?:0x)?[0-9A-Fa-f_]{{1,40}})(?![\w.])"
)
_FIRST = re.compile(rf"\s{{0,80}}({_NAME})(?![\w])")
_LONGEST = 400


def looks(text: str) -> bool:
    """Whether there are lines that name registers and their values."""
    catalogue = load()
    pairs = [match for line in text.splitlines() for match in _PAIR.finditer(line[:_LONGEST])]
    return any(named_register(match[1], catalogue) is not None for match in pairs)


def read(text: str, path: str, name: str, catalogue: Catalogue) -> Host:
    """Read the registers; the vCPU shape and the register list are not in the file.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    dump, others = Dump(), 0
    for row, line in enumerate(text.splitlines(), 1):
        place = f"line {row}"
        pairs = list(_PAIR.finditer(line[:_LONGEST]))
        first = _FIRST.match(line[:_LONGEST])
        if first and (not pairs or pairs[0].start(1) != first.start(1)):
            faults.append(f"{place}: {ascii(line.strip())[:60]} is no register and value")
            continue
        for match in pairs:
            register = named_register(match[1], catalogue)
            value = number(match[2], 16, place, faults, 64)
            if register is None:
                dump.unused.append(f"{match[1]} (no register is called so)")
            elif register.kvm_id in dump.values:
                faults.append(f"{place}: {match[1]} stands twice")
            else:
                dump.take(register, value, place, faults, catalogue)
        dump.kernel = kernel_in(line) or dump.kernel
        others += bool(line.strip()) and not pairs
    if faults:
        raise BadDocument(path, tuple(faults), hint="the text of KVM's idregs was expected")
    if others:
        dump.unused.append(f"{others} lines without a register")
    return host_of_dumps(name, dump, (), catalogue, "KVM debugfs idregs")


def values_in(text: str, catalogue: Catalogue) -> dict[str, int] | None:
    r"""Return the registers of KVM's own file by their names; None for a VM whose registers KVM has not made yet.

    Raises:
        BadDocument: it has faults, all of which are listed.

    >>> from armlevel.arch import load
    >>> values_in("SYS_ID_AA64PFR0_EL1:\t1100000011111112\n", load())
    {'ID_AA64PFR0_EL1': 1224979098931106066}
    """
    found: dict[str, int] = {}
    faults: list[str] = []
    for row, line in enumerate(text.splitlines(), 1):
        match = _OWN.fullmatch(line[:_LONGEST])
        register = None if match is None else named_register(match[1], catalogue)
        if match is None or register is None or register.name in found:
            faults.append(f"line {row}: {ascii(line.strip())[:60]} is no register and value")
        else:
            found[register.name] = int(match[2], 16)
    if faults:
        raise BadDocument("idregs", tuple(faults), hint="the text of KVM's idregs was expected")
    return found if any(found.values()) else None


_OWN = re.compile(r"\s{0,40}([A-Za-z][A-Za-z0-9_]{0,60}):\t([0-9a-f]{16})")
