"""Which rows of the catalogue a term means: anything this program prints, or a tool of the field spells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from armlevel.arch import Catalogue, Feature, Field, Hwcap, Part, Register
from armlevel.formats.qemu_write import sysregs
from armlevel.kvm import SpelledRegister, spelled
from armlevel.operations.given import FACTS, whole_number
from armlevel.profile import FACT_REGISTERS, SHAPE_FEATURES, Implementation

__all__ = ["Found", "NamedRow", "find", "joined", "near_matches"]

_MOST = 16
_PART_BITS, _MIDR_BITS = 12, 32
_BITS = re.compile(r"(.{2,60}?)[.\[]{1,2}(\d{1,2})(?::(\d{1,2}))?\]?")
_NOT_NAME = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row that has a name, and says something in a few texts."""

    what: Literal[
        "firmware-register", "host-fact", "shape-feature", "erratum", "tolerance", "vmm", "kernel-line"
    ]
    name: str
    said: tuple[tuple[str, str], ...]
    see: str = ""


Found = Feature | Field | Register | SpelledRegister | Part | Hwcap | Implementation | NamedRow


def find(term: str, catalogue: Catalogue) -> list[Found]:
    """Return every row that is called ``term``, or has that number.

    >>> from armlevel.arch import load
    >>> [type(one).__name__ for one in find("sve", load())]
    ['Feature', 'Field', 'Hwcap', 'NamedRow']
    >>> [one.name for one in find("0xd0c", load()) if isinstance(one, Part)]
    ['Neoverse N1']
    >>> [one.name for one in find("0x603000000013808c", load())]
    ['OSLSR_EL1']
    """
    register = spelled(term)
    if (number := whole_number(term)) is not None:
        if register is not None:
            return [_row_of(register, catalogue)]
        named = [row for row in _named_rows(catalogue) if row.what == "erratum" and row.name == term.strip()]
        return [*named, *_by_number(number, catalogue)]
    key = term.strip().lower()
    found: list[Found] = [
        one
        for one in catalogue.features.values()
        if key in (one.name.lower(), one.name.lower().removeprefix("feat_"))
    ]
    found += [_row_of(register, catalogue)] if register is not None else []
    found += _fields(key, catalogue)
    found += [
        one
        for one in catalogue.hwcaps.values()
        if key in (one.name.lower(), one.flag, one.name.lower().removeprefix("hwcap_"))
    ]
    found += _cores(key, catalogue)
    found += [row for row in _named_rows(catalogue) if key in _names_of(row)]
    return list(dict.fromkeys(found))[:_MOST]


def joined(terms: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Return the terms as they were meant: words that only together name a register or a core become one.

    >>> from armlevel.arch import load
    >>> joined(["op0:3", "op1:0", "crn:0", "crm:0", "op2:0"], load()), joined(["Neoverse", "N1"], load())
    (('op0:3 op1:0 crn:0 crm:0 op2:0',), ('Neoverse N1',))
    """
    whole = " ".join(terms)
    if len(terms) > 1 and (spelled(whole) is not None or _exact_cores(whole, catalogue)):
        return (whole,)
    return tuple(dict.fromkeys(terms))


def near_matches(term: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return names close to ``term``; a number has none."""
    if whole_number(term) is not None:
        return ()
    names = [
        *catalogue.features,
        *catalogue.registers,
        *catalogue.system_registers,
        *catalogue.firmware,
        *catalogue.fields,
        *(field.name for field in catalogue.fields.values()),
        *(one.flag for one in catalogue.hwcaps.values()),
        *(part.name for part in catalogue.parts.values()),
        *catalogue.part_aliases,
    ]
    lower = {name.lower(): name for name in names} | {
        name.lower().removeprefix("feat_"): name for name in catalogue.features
    }
    near = difflib.get_close_matches(term.lower()[:80], lower, n=4, cutoff=0.6)
    return tuple(dict.fromkeys(lower[name] for name in near))


def _by_number(number: int, catalogue: Catalogue) -> list[Found]:
    # What is wider than MIDR_EL1's 32 bits is no MIDR, and one without a known implementer neither.
    if not number >> _PART_BITS:
        return [part for part in catalogue.parts.values() if part.part == number and part.implementer]
    one = Implementation(number)
    assert one.part is not None
    named = one.part in catalogue.parts or (one.part[0] in catalogue.implementers and one.part[0])
    # Architecture 0xf: the features are in the ID registers, as they are in every arm64 CPU.
    return [one] if named and not number >> _MIDR_BITS and number >> 16 & 0xF == 0xF else []


def _row_of(register: SpelledRegister, catalogue: Catalogue) -> Found:
    if register.name in catalogue.registers:
        return catalogue.registers[register.name]
    row = next((row for row in _firmware(catalogue) if row.name == register.name), None)
    return register if row is None else row


def _fields(key: str, catalogue: Catalogue) -> list[Field]:
    found = [
        one
        for one in catalogue.fields.values()
        if key
        in (one.subject.lower(), f"{one.register}.{one.arm}".lower(), one.name.lower(), one.arm.lower())
    ]
    if found:
        return found
    if as_qemu := sysregs([f"SYSREG_{key.upper().removeprefix('SYSREG_')}"], catalogue):
        return list(as_qemu.values())
    before, _, name = key.rpartition(".")
    register = spelled(before) if before else None
    row = catalogue.registers.get(register.name) if register is not None else None
    if row is not None and (
        named := [one for one in row.fields if name in (one.name.lower(), one.arm.lower())]
    ):
        return named
    return _fields_in_bits(key, catalogue)


def _fields_in_bits(key: str, catalogue: Catalogue) -> list[Field]:
    # ID_AA64PFR0_EL1.63:60, ID_AA64PFR0_EL1[35:32]
    match = _BITS.fullmatch(key)
    register = spelled(match[1]) if match is not None else None
    row = catalogue.registers.get(register.name) if register is not None else None
    if match is None or row is None:
        return []
    msb, lsb = int(match[2]), int(match[3] or match[2])
    return [one for one in row.fields if one.lsb <= msb and lsb <= one.msb]


def _cores(key: str, catalogue: Catalogue) -> list[Part]:
    if exact := _exact_cores(key, catalogue):
        return exact
    bare = _NOT_NAME.sub("", key)
    return [
        part
        for part in catalogue.parts.values()
        if len(bare) > 1 and bare in _NOT_NAME.sub("", _maker_and_name(part, catalogue))
    ]


def _exact_cores(text: str, catalogue: Catalogue) -> list[Part]:
    # libvirt writes Neoverse-N1, QEMU neoverse-n1, lscpu Neoverse-N1, this program Arm Neoverse N1.
    bare = _NOT_NAME.sub("", text.lower())
    aliases = {_NOT_NAME.sub("", alias.lower()): part for alias, part in catalogue.part_aliases.items()}
    if bare in aliases:
        return [catalogue.parts[aliases[bare]]]
    return [
        part
        for part in catalogue.parts.values()
        if bare
        and bare in {_NOT_NAME.sub("", one) for one in (part.name.lower(), _maker_and_name(part, catalogue))}
    ]


def _maker_and_name(part: Part, catalogue: Catalogue) -> str:
    return f"{catalogue.implementers.get(part.implementer, '')} {part.name}".lower()


def _names_of(row: NamedRow) -> tuple[str, ...]:
    name = row.name.lower()
    if row.what == "shape-feature":
        return (name, name.replace("_", "-"), *(alias for alias, of in _SHAPE_WORDS.items() if of == name))
    return (name,)


_SHAPE_WORDS = {
    "pmu": "pmu_v3",
    "pmuv3": "pmu_v3",
    "pauth": "ptrauth",
    "el2": "has_el2",
    "aarch32": "el1_32bit",
}


def _named_rows(catalogue: Catalogue) -> Iterator[NamedRow]:
    registers = {fact: name for name, fact in FACT_REGISTERS.items()}
    for fact in FACTS:
        yield NamedRow("host-fact", fact, (("register", registers[fact]),) if fact in registers else ())
    for name, (bits, what) in SHAPE_FEATURES.items():
        said = (("what", what), *(("INIT bit", str(bit)) for bit in bits))
        yield NamedRow("shape-feature", name, said, "Linux arch/arm64/include/uapi/asm/kvm.h")
    for erratum in catalogue.errata:
        when = (("when", str(erratum.when)),) if erratum.when is not None else ()
        yield NamedRow("erratum", erratum.name, (("what", erratum.what), *when), erratum.see)
    for one in catalogue.tolerances.values():
        fields = ("fields", ", ".join(one.fields))
        yield NamedRow("tolerance", one.name, (("what", one.why), ("notices", one.notices), fields), one.see)
    for vmm in catalogue.vmms.values():
        yield NamedRow("vmm", vmm.name, (("what", vmm.why), ("list", vmm.list)), vmm.see)
    for line in catalogue.lines:
        yield NamedRow("kernel-line", line.name, (("measured", line.measured),), line.see)
    yield from _firmware(catalogue)


def _firmware(catalogue: Catalogue) -> Iterator[NamedRow]:
    for row in catalogue.firmware.values():
        values = {
            "version": ", ".join(row.name_of(value) for value in row.versions),
            "level": ", ".join(f"{value} {name}" for value, name, _ in row.levels),
            "bitmap": ", ".join(f"bit {bit} {name}" for bit, name in row.bits.items()),
        }
        said = (("KVM id", f"{row.kvm_id:#018x}"), (row.kind, values.get(row.kind, "")))
        yield NamedRow("firmware-register", row.name, said, row.see)
