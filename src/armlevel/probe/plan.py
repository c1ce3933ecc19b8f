"""What a probe tries, as plain tuples: small enough to travel inside the one-file probe."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from armlevel.arch import Catalogue

__all__ = ["ProbePlan", "Run", "Tried", "geometries", "plan_of", "values_for"]

#: Runs of bits up to this width are tried value by value.
EVERY = 4
# Values of a cache geometry (CCSIDR_EL1, 32-bit format) that real CPUs show: what a fleet may ask of this host.
_GEOMETRIES = (0x700FE01A, 0x201FE01A, 0x703FE03A, 0x70FFE07A, 0x7003E01A)
_LINE_SIZE = 0x7


class Run(NamedTuple):
    """Bits that are tried together: a field, or reserved bits (``reserved``), named as documents name them.

    ``ones`` is the largest value.
    """

    subject: str
    lsb: int
    ones: int
    reserved: bool = False

    def get(self, value: int) -> int:
        """Take the bits out of a register value."""
        return value >> self.lsb & self.ones

    def put(self, value: int, new: int) -> int:
        """Return the register value with these bits replaced."""
        return value & ~(self.ones << self.lsb) | new << self.lsb


class Tried(NamedTuple):
    """A register that is tried, its place in KVM's table of writable masks (-1: none), and its runs of bits."""

    name: str
    kvm_id: int
    mask_index: int
    runs: tuple[Run, ...]

    @property
    def encoding(self) -> tuple[int, int, int, int, int]:
        """The encoding (op0, op1, CRn, CRm, op2), as the id holds it."""
        bits = self.kvm_id
        return (bits >> 14 & 3, bits >> 11 & 7, bits >> 7 & 15, bits >> 3 & 15, bits & 7)

    @property
    def fields(self) -> tuple[Run, ...]:
        """The runs that are fields."""
        return tuple(run for run in self.runs if not run.reserved)

    @property
    def reserved_mask(self) -> int:
        """Every bit that no field covers."""
        return sum(run.ones << run.lsb for run in self.runs if run.reserved)


class ProbePlan(NamedTuple):
    """All that a probe must know of Arm and of KVM.

    ``identity``  the ID registers; ``caches`` whether CCSIDR_EL1 is tried is decided by the host's own list
    ``firmware``  (name, KVM id, kind, values that rows name)
    ``state``     (name, KVM id) of registers whose reset value says something about the host
    ``version``   of the catalogue it was made from
    """

    identity: tuple[Tried, ...]
    firmware: tuple[tuple[str, int, str, tuple[int, ...]], ...]
    state: tuple[tuple[str, int], ...]
    version: str

    @property
    def registers(self) -> dict[str, Tried]:
        """The ID registers by name."""
        return {row.name: row for row in self.identity}

    @property
    def kvm_ids(self) -> dict[str, int]:
        """The KVM ids of ID registers and firmware pseudo-registers, by name."""
        return {row.name: row.kvm_id for row in self.identity} | {row[0]: row[1] for row in self.firmware}


# What KVM takes from the host into a fresh vCPU, or what a rule about leaving registers behind asks for.
_STATE = (
    ("ACTLR_EL1", 0x603000000013C081),
    ("AMAIR_EL1", 0x603000000013C518),
    ("PMMIR_EL1", 0x603000000013C4F6),
)


def plan_of(catalogue: Catalogue) -> ProbePlan:
    """Make the plan out of the catalogue's rows."""
    identity = []
    for register in catalogue.registers.values():
        if register.derived:
            continue
        runs = [Run(field.subject, field.lsb, (1 << field.width) - 1) for field in register.fields]
        runs += [
            Run(
                f"{register.name}.{row.msb}:{row.lsb}",
                row.lsb,
                (1 << (row.msb - row.lsb + 1)) - 1,
                reserved=True,
            )
            for row in register.reserved
            if row.value is not None
        ]
        op0, op1, crn, crm, op2 = register.encoding
        ranged = op0 == 3 and crn == 0 and op1 in (0, 1, 3)
        index = (2 if op1 == 3 else op1) << 6 | crm << 3 | op2 if ranged else -1
        identity.append(Tried(register.name, register.kvm_id, index, tuple(runs)))
    firmware = tuple(
        (
            row.name,
            row.kvm_id,
            row.kind,
            _firmware_values(row.kind, [level[0] for level in row.levels], row.bits),
        )
        for row in catalogue.firmware.values()
    )
    return ProbePlan(tuple(identity), firmware, _STATE, catalogue.version)


# PSCI_VERSION: KVM_ARM_PSCI_0_1, 0_2 and 1_0 to 1_4 (Linux include/kvm/arm_psci.h); the last to see what comes next.
_PSCI = (0x1, 0x2, 0x10000, 0x10001, 0x10002, 0x10003, 0x10004)


def _firmware_values(kind: str, levels: list[int], bits: object) -> tuple[int, ...]:
    if kind == "version":
        return _PSCI
    if kind == "level":
        return tuple(levels)
    known = max(bits, default=-1) if isinstance(bits, dict) else -1
    return tuple(range(1 << (known + 2)))


@cache
def _all_but(own: int, ones: int) -> list[int]:
    return [value for value in range(ones + 1) if value != own]


def values_for(run: Run, limit: int) -> list[int]:
    """Return every value of ``run`` to try beside its limit: all of a short field, telling ones of a longer one.

    >>> values_for(Run("CTR_EL0.L1Ip", 14, 3), 3 << 14)
    [0, 1, 2]
    >>> values_for(Run("CTR_EL0.TminLine", 32, 63), 0)
    [1, 63]
    """
    own = run.get(limit)
    if run.reserved:
        return sorted({0, own ^ 1, run.ones} - {own})
    if run.ones < 1 << EVERY:
        return _all_but(own, run.ones)
    return sorted(value for value in {own - 1, own + 1, 0, run.ones} - {own} if 0 <= value <= run.ones)


@cache
def geometries(limit: int) -> tuple[int, ...]:
    """Return the CCSIDR_EL1 values to try: real geometries, with lines no shorter than the host's."""
    line = limit & _LINE_SIZE
    longer = tuple(value & ~_LINE_SIZE | max(line, value & _LINE_SIZE) for value in _GEOMETRIES)
    return tuple(dict.fromkeys(longer))
