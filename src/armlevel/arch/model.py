"""Registers and their fields, as values that do not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.arch.order import Order

__all__ = ["VIEWS", "WHO", "Field", "Register", "Reserved"]

#: What a register's value describes.
VIEWS = ("aarch64", "aarch32", "identity", "cache", "unallocated")

#: The lowest exception level that can use what a field announces, or the part of the machine it describes.
WHO = ("el0", "el1", "el2", "el3", "debug", "cache", "identity", "counter")


@dataclass(frozen=True, slots=True)
class Field:
    """A named run of bits in an ID register.

    ``values`` maps each architected value to our short name for it (a ``FEAT_`` name where one begins there);
    empty means that no source lists values, so every value counts as architected. ``who`` is one of :data:`WHO`.
    ``arm`` is Arm's spelling of ``name``. ``derived`` values are made by KVM from something else than the CPU
    (the interrupt controller), so a profile does not promise them. ``see`` cites the sources.

    >>> sve = Field(
    ...     "ID_AA64PFR0_EL1", "SVE", 35, 32, Order("unsigned"), {0: "NI", 1: "FEAT_SVE"}, "el0", "SVE"
    ... )
    >>> sve.subject, sve.get(0x1_0000_0000), hex(sve.put(0, 1)), sve.compare(0, 1)
    ('ID_AA64PFR0_EL1.SVE', 1, '0x100000000', 'less')
    """

    register: str
    name: str
    msb: int
    lsb: int
    order: Order
    values: Mapping[int, str] = field(hash=False)
    who: str
    arm: str
    derived: bool = False
    see: str = ""
    #: The field as documents spell it: ``REG.FIELD``.
    subject: str = field(init=False, repr=False, compare=False)
    #: The number of bits.
    width: int = field(init=False, repr=False, compare=False)
    #: The field's bits, in place.
    mask: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked for thousands of times in one answer, so they are worked out once.
        width = self.msb - self.lsb + 1
        object.__setattr__(self, "subject", f"{self.register}.{self.name}")
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "mask", ((1 << width) - 1) << self.lsb)

    def __hash__(self) -> int:
        return hash(self.subject)

    def get(self, value: int) -> int:
        """Take the field out of a register value, unsigned."""
        return (value & self.mask) >> self.lsb

    def put(self, value: int, new: int) -> int:
        """Return the register value with this field set to ``new``; ValueError if ``new`` does not fit."""
        if not 0 <= new < 1 << self.width:
            raise ValueError(f"{self.subject} has {self.width} bits; {new:#x} does not fit")
        return value & ~self.mask | new << self.lsb

    def rank(self, value: int) -> int | None:
        """Return where ``value`` stands in the field's order; None for a field without one."""
        order = self.order
        return value if order.kind == "unsigned" else order.rank(value, width=self.width)

    def architected(self, value: int) -> bool:
        """Whether the architecture gives ``value`` a meaning (as far as our sources list values)."""
        return value in self.values if self.values else 0 <= value < 1 << self.width

    def compare(self, this: int, other: int) -> str:
        """Say what ``this`` promises, seen from ``other``: ``same``, ``less``, ``more``, or ``other`` (no order)."""
        if this == other:
            return "same"
        mine, theirs = self.rank(this), self.rank(other)
        if mine is None or theirs is None:
            return "other"
        return "less" if mine < theirs else "more"


@dataclass(frozen=True, slots=True)
class Reserved:
    """Bits without a name: ``value`` is 0 (RES0) or 1 (RES1, in every bit); None where no identity is held (MPIDR)."""

    msb: int
    lsb: int
    value: int | None

    @property
    def mask(self) -> int:
        """The bits, in place."""
        return ((1 << (self.msb - self.lsb + 1)) - 1) << self.lsb


@dataclass(frozen=True, slots=True)
class Register:
    """An ID register as Arm names it, with bits 63..0 covered once by ``fields`` (highest first) and ``reserved``.

    ``encoding`` is (op0, op1, CRn, CRm, op2); ``view`` is one of :data:`VIEWS`; ``scope`` says whether KVM holds one
    value for the VM (``vm``) or one for each vCPU (``vcpu``). A ``derived`` register is not an identity at all.

    >>> Register("CTR_EL0", (3, 3, 0, 0, 1), "cache", "vm", (), ()).kvm_id == 0x603000000013D801
    True
    """

    name: str
    encoding: tuple[int, int, int, int, int]
    view: str
    scope: str
    fields: tuple[Field, ...]
    reserved: tuple[Reserved, ...]
    derived: bool = False
    see: str = ""
    #: Its fields as documents spell them, in their order.
    subjects: tuple[str, ...] = field(init=False, repr=False, compare=False)
    #: Bits without a name of which a value is held, and that value.
    fixed_mask: int = field(init=False, repr=False, compare=False)
    fixed_value: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "subjects", tuple(one.subject for one in self.fields))
        fixed = [run for run in self.reserved if run.value is not None]
        object.__setattr__(self, "fixed_mask", sum(run.mask for run in fixed))
        object.__setattr__(self, "fixed_value", sum(run.mask for run in fixed if run.value))

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def kvm_id(self) -> int:
        """The number under which KVM_GET_ONE_REG knows the register."""
        op0, op1, crn, crm, op2 = self.encoding
        return 0x6030_0000_0013_0000 | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2

    @property
    def reserved_mask(self) -> int:
        """Every bit that no field covers."""
        mask = 0
        for run in self.reserved:
            mask |= run.mask
        return mask

    def decode(self, value: int) -> dict[str, int]:
        """Split a register value into its fields, by field name."""
        return {one.name: one.get(value) for one in self.fields}

    def encode(self, values: Mapping[str, int], base: int = 0) -> int:
        """Put field values (by name) into ``base``; KeyError for a name the register has not."""
        by_name = {one.name: one for one in self.fields}
        for name, new in values.items():
            base = by_name[name].put(base, new)
        return base
