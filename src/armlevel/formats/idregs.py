"""The text of KVM's debugfs file ``idregs``: the ID registers of one running VM.

Each line is a name (``SYS_ID_AA64PFR0_EL1``, right-aligned), a colon and 16 hexadecimal digits. It shows what this
guest was given, which may be less than what the host offers. Source: Linux ``arch/arm64/kvm/sys_regs.c``.
"""

from __future__ import annotations

import re

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument, UnknownName
from armlevel.formats.recorded import recorded_cpus, recorded_offers
from armlevel.formats.text import number
from armlevel.kvm import id_of
from armlevel.profile import Host, Made

__all__ = ["looks", "read"]

_LINE = re.compile(r"\s*([A-Z][A-Z0-9_]*)\s*:\s*(?:0x)?([0-9a-fA-F]+)\s*")
_NAMED = re.compile(r"^\s*(?:(?:SYS_)?[A-Z0-9_]+_EL[0-3]|S3_0_0_\d_\d)\s*:", re.MULTILINE)
_FEWEST = 2


def looks(text: str) -> bool:
    """Whether there are lines that name ID registers as the kernel does."""
    return len(_NAMED.findall(text)) >= _FEWEST


def read(text: str, path: str, name: str, catalogue: Catalogue) -> Host:
    """Read the ID registers; the kernel, the vCPU shape and the register list are not in the file.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    values: dict[int, int] = {}
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f"line {row}"
        match = _LINE.fullmatch(line)
        if not match:
            faults.append(f"{place}: {ascii(line.strip())[:60]} is no register and value")
            continue
        try:
            register = id_of(match[1].removeprefix("SYS_"))
        except UnknownName:
            faults.append(f"{place}: no register is called {match[1]}")
            continue
        if register in values:
            faults.append(f"{place}: {match[1]} stands twice")
        values[register] = number(match[2], 16, place, faults, 64)
    if faults:
        raise BadDocument(path, tuple(faults), hint="the text of KVM's idregs was expected")
    offers = recorded_offers(values, catalogue)
    return Host(name, offers, recorded_cpus(offers), made=Made(source="KVM debugfs idregs"))
