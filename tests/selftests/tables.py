"""What the sources of KVM's selftests expect of KVM, as values: their tables, read at run time and kept nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.arch import Catalogue
from armlevel.errors import UnknownName
from armlevel.kvm import RegisterId, id_of, spelled
from tests.selftests.ctext import arrays, calls, entries, macros, number, without_comments
from tests.selftests.sysreg import NamedField, NamedRegister

__all__ = [
    "Bitmap",
    "FieldStep",
    "Gate",
    "HiddenField",
    "Names",
    "RegisterLists",
    "TableFault",
    "read_bitmaps",
    "read_hidden",
    "read_lists",
    "read_steps",
    "read_written",
]

_TYPES = {
    "FTR_EXACT": "exact",
    "FTR_LOWER_SAFE": "lower",
    "FTR_HIGHER_SAFE": "higher",
    "FTR_HIGHER_OR_ZERO_SAFE": "higher or zero",
}
_CORE = re.compile(r"KVM_REG_ARM_CORE_REG\((?P<name>[\w.]+)(?:\[(?P<index>\d+)\])?\)")
_CORE_NAMES = {
    "regs.regs": "X{}",
    "regs.sp": "SP_EL0",
    "regs.pc": "PC",
    "regs.pstate": "PSTATE",
    "sp_el1": "SP_EL1",
    "elr_el1": "ELR_EL1",
    "fp_regs.vregs": "V{}",
    "fp_regs.fpsr": "FPSR",
    "fp_regs.fpcr": "FPCR",
}
_SPSR = ("EL1", "abt", "und", "irq", "fiq")
_SVE = {"ZREG": "Z{}", "PREG": "P{}", "FFR": "FFR"}
# What the header gives an id of its own: a timer's two are swapped there, and armlevel's names know it.
_TIMERS = {"CVAL": "CNTV_CVAL_EL0", "CNT": "CNTVCT_EL0", "CTL": "CNTV_CTL_EL0"}
_LISTS = {
    "base_regs": "base",
    "vregs": "vregs",
    "pmu_regs": "pmu",
    "sve_regs": "sve",
    "pauth_addr_regs": "ptrauth_address",
    "pauth_generic_regs": "ptrauth_generic",
    "el2_regs": "el2",
}


_SPELLINGS = {
    "KVM_REG_ARM_FW_REG": "firmware",
    "KVM_REG_ARM_FW_FEAT_BMAP_REG": "bitmap",
    "KVM_ARM64_SYS_REG": "",
    "ARM64_SYS_REG": "",
    "SYS_REG": "",
}


class TableFault(Exception):
    """A table that is not in the form that it had; the message says which, and where."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a kernel's list of system registers calls things, and what the rows call the same place."""

    registers: Mapping[str, NamedRegister]
    catalogue: Catalogue

    def register(self, name: str) -> int:
        """Return KVM's id of a register, by the kernel's name, else by Arm's."""
        if name in self.registers:
            return self.registers[name].kvm_id
        if (found := spelled(name)) is None:
            raise TableFault(f"no register is called {name}")
        return found.kvm_id

    def field(self, register: str, name: str) -> NamedField:
        """Return a field by the kernel's names."""
        try:
            return self.registers[register].fields[name]
        except KeyError as exc:
            raise TableFault(f"the kernel has no field {register}.{name}") from exc

    def subject(self, register: str, name: str) -> str:
        """Return what the rows call a field; `REG[27:24]` where they have none at its place."""
        place = self.field(register, name)
        rows = self.catalogue.registers[register].fields
        same = (one.subject for one in rows if (one.msb, one.lsb) == (place.msb, place.lsb))
        return next(same, f"{register}[{place.msb}:{place.lsb}]")

    def subject_at(self, kvm_id: int, lsb: int) -> str:
        """Return what the rows call the field of a register that begins at a bit."""
        for row in self.catalogue.registers.values():
            for one in row.fields if row.kvm_id == kvm_id else ():
                if one.lsb == lsb:
                    return one.subject
        raise TableFault(f"no row for bit {lsb} of {kvm_id:#x}")

    def value(self, register: str, name: str, word: str) -> int:
        """Return a value, by number or by the kernel's name of it."""
        if (value := number(word)) is not None:
            return value
        values = self.field(register, name).values
        short = word.removeprefix(f"{register}_{name}_")
        if short not in values:
            raise TableFault(f"{register}.{name} has no value {word}")
        return values[short]


@dataclass(frozen=True, slots=True)
class FieldStep:
    """How `set_id_regs` steps a field: one value that KVM must store, one that it must refuse.

    ``rule`` is ``exact``, ``lower``, ``higher`` or ``higher or zero``; ``safe`` the least, or the one safe value.

    >>> step = FieldStep("R.F", "lower", 0, width=4)
    >>> step.stored(2), step.refused(2), step.stored(0), step.refused(15)
    (1, 3, 0, None)
    """

    field: str
    rule: str
    safe: int
    width: int
    signed: bool = False

    @property
    def most(self) -> int:
        """The highest number of the field."""
        return (1 << self.width) - 1

    def stored(self, limit: int) -> int:
        """Return what the test writes first to a field of this limit, and wants to read back."""
        if self.signed and limit == self.most:
            return limit
        if self.rule == "exact":
            return self.safe
        if self.rule == "lower":
            return limit - 1 if limit > self.safe else limit
        top = self.most - 1 if self.signed else self.most
        if self.rule == "higher":
            return min(limit + 1, top) if limit < top else limit
        return 0 if limit in (0, top) else limit + 1

    def refused(self, limit: int) -> int | None:
        """Return what the test wants refused at this limit; None where that is no value of the field."""
        if self.signed and limit == self.most:
            return 0
        if self.rule == "exact":
            value = max(self.safe, limit) + 1
        elif self.rule == "lower":
            value = limit + 1
        elif self.rule == "higher" or limit:
            value = limit - 1
        else:
            value = self.most - self.signed
        return value if 0 <= value <= self.most else None


@dataclass(frozen=True, slots=True)
class Gate:
    """A register that `get-reg-list` wants only where a field of the VM is at least ``least``."""

    register: int
    field: str
    least: int


@dataclass(frozen=True, slots=True)
class RegisterLists:
    """What `get-reg-list` knows: KVM ids by sublist, and the registers that a feature brings."""

    lists: Mapping[str, frozenset[int]]
    gates: tuple[Gate, ...] = field(default=())

    def wanted(self, sublists: frozenset[str]) -> frozenset[int]:
        """Return the ids of these sublists."""
        return frozenset().union(*(self.lists.get(name, frozenset()) for name in sublists))


@dataclass(frozen=True, slots=True)
class HiddenField:
    """A field whose instruction `hidden_features` wants undefined while the field is 0."""

    field: str
    least: int


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A firmware bitmap as `hypercalls` knows it: the highest bit, and whether KVM begins with all of them."""

    register: str
    highest: int
    begins_full: bool


def read_steps(text: str, names: Names) -> tuple[FieldStep, ...]:
    """Return the fields that a `set_id_regs` steps through."""
    found = []
    for macro, words in calls(
        _tables(without_comments(text), "ftr_"), "S_REG_FTR_BITS", "REG_FTR_BITS_MUTABLE", "REG_FTR_BITS"
    ):
        if len(words) != 4 or words[0] not in _TYPES:
            raise TableFault(f"set_id_regs: {macro}({', '.join(words)})")
        kind, register, name, safe = words
        place = names.field(register, name)
        value = names.value(register, name, safe)
        found.append(
            FieldStep(
                names.subject(register, name),
                _TYPES[kind],
                value,
                place.msb - place.lsb + 1,
                macro.startswith("S_"),
            )
        )
    if not found:
        raise TableFault("set_id_regs: no table of fields in it")
    return tuple(found)


def read_written(text: str) -> tuple[str, ...]:
    """Return the registers that a `set_id_regs` adds one to, whatever their fields."""
    words = calls(without_comments(text), "test_id_reg")
    return tuple(dict.fromkeys(one[1].removeprefix("SYS_") for _, one in words if one[1].startswith("SYS_")))


def read_lists(text: str, names: Names) -> RegisterLists:
    """Return the register lists of a `get-reg-list`, and what it makes depend on features."""
    bodies = arrays(without_comments(text))
    lists = {
        name: frozenset(register_id(word, names) for word in entries(bodies[array]))
        for array, name in _LISTS.items()
        if array in bodies
    }
    if not lists.get("base"):
        raise TableFault("get-reg-list: no list of base registers in it")
    return RegisterLists(lists, tuple(_gates(bodies.get("feat_id_regs", ""), names)))


def read_hidden(text: str, names: Names) -> tuple[HiddenField, ...]:
    """Return the fields that a `hidden_features` hides."""
    found = []
    for _, words in calls(_tables(without_comments(text), "features"), "FEATURE"):
        _, register, name, least, *_ = words
        value = names.value(register, name, f"{register}_{name}_{least}")
        found.append(HiddenField(names.subject(register, name), value))
    if not found:
        raise TableFault("hidden_features: no table of features in it")
    return tuple(found)


def read_bitmaps(text: str) -> tuple[Bitmap, ...]:
    """Return the firmware bitmaps that a `hypercalls` knows."""
    plain = without_comments(text)
    known, found = macros(plain), []
    for _, words in calls(_tables(plain, "fw_reg_info"), "FW_REG_INFO"):
        highest = number(f"{words[0]}_BIT_MAX", known)
        if highest is None:
            raise TableFault(f"hypercalls: the highest bit of {words[0]}")
        begins = number(f"{words[0]}_RESET_VAL", known)
        found.append(Bitmap(words[0], highest, begins != 0))
    if not found:
        raise TableFault("hypercalls: no table of bitmaps in it")
    return tuple(found)


def register_id(word: str, names: Names) -> int:
    """Return KVM's id of a register as `get-reg-list` writes it; TableFault for what is none."""
    try:
        return _register_id(word, names)
    except (UnknownName, KeyError, ValueError, StopIteration) as exc:
        raise TableFault(f"get-reg-list: {word}") from exc


def _register_id(word: str, names: Names) -> int:
    if match := _CORE.search(word):
        index = int(match["index"] or 0)
        name = f"SPSR_{_SPSR[index]}" if match["name"] == "spsr" else _CORE_NAMES[match["name"]].format(index)
        return id_of(name)
    if match := re.fullmatch(r"KVM_REG_ARM64_SVE_(ZREG|PREG|FFR|VLS)(?:\((\d+)(?:, \d+)?\))?", word):
        return id_of("SVE_VLS" if match[1] == "VLS" else _SVE[match[1]].format(match[2]))
    if match := re.fullmatch(r"KVM_REG_ARM_TIMER_(CVAL|CNT|CTL)", word):
        return id_of(_TIMERS[match[1]])
    name, words = next(calls(word, *_SPELLINGS))
    if group := _SPELLINGS[name]:
        return RegisterId(group, 8, int(words[0])).encode()
    if name == "ARM64_SYS_REG" and len(words) == 5:
        op0, op1, crn, crm, op2 = map(int, words)
        return id_of(f"S{op0}_{op1}_C{crn}_C{crm}_{op2}")
    return names.register(words[0].removeprefix("SYS_"))


def _gates(body: str, names: Names) -> list[Gate]:
    found = []
    for entry in entries(body):
        if entry.startswith("REG_FEAT"):
            (_, (register, row, name, least)) = next(calls(entry, "REG_FEAT"))
            value = names.value(row, name, f"{row}_{name}_{least}")
            found.append(Gate(names.register(register), names.subject(row, name), value))
            continue
        words = entries(entry.strip("{} "))
        lsb, minimum = (number(word) for word in words[2:]) if len(words) == 4 else (None, None)
        if lsb is None or minimum is None:
            raise TableFault(f"get-reg-list: {entry}")
        subject = names.subject_at(register_id(words[1], names), lsb)
        found.append(Gate(register_id(words[0], names), subject, minimum))
    return found


def _tables(text: str, prefix: str) -> str:
    return "\n".join(body for name, body in arrays(text).items() if name.startswith(prefix))
