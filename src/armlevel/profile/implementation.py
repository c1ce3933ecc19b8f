"""Which implementation a CPU says it is: the layer that errata workarounds are chosen by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

__all__ = ["IMPLEMENTATION_REGISTERS", "Implementation", "ShownImplementation", "alike"]

IMPLEMENTATION_REGISTERS = ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1")


@dataclass(frozen=True, slots=True)
class Implementation:
    """MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of one CPU; a number that is ``None`` is not recorded.

    ``==`` compares what is recorded. Whether two CPUs are of one implementation is what :meth:`same_as` says. They are
    ordered as numbers, MIDR first; what is not recorded comes before every number.

    >>> Implementation(0x413FD0C1, 0xFF, 0).part
    (65, 3340)
    >>> sorted([Implementation(2, 0, 0), Implementation(1, 0), Implementation(1)])[0].revidr is None
    True
    """

    midr: int | None = None
    revidr: int | None = None
    aidr: int | None = None

    @classmethod
    def from_registers(cls, values: Mapping[str, int]) -> Implementation | None:
        """Take the three numbers out of a map of registers; None where it has none of them.

        >>> Implementation.from_registers({"MIDR_EL1": 1, "CTR_EL0": 2})
        Implementation(midr=1, revidr=None, aidr=None)
        """
        found = [values.get(register) for register in IMPLEMENTATION_REGISTERS]
        return None if found == [None, None, None] else cls(*found)

    def registers(self) -> dict[str, int]:
        """Return the registers that are recorded, with their values."""
        numbers = (self.midr, self.revidr, self.aidr)
        pairs = zip(IMPLEMENTATION_REGISTERS, numbers, strict=True)
        return {register: number for register, number in pairs if number is not None}

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The registers that are not recorded."""
        recorded = self.registers()
        return tuple(register for register in IMPLEMENTATION_REGISTERS if register not in recorded)

    def same_as(self, other: Implementation) -> bool | None:
        """Whether both are one implementation: no if a number differs, yes if all three are known, else not known.

        >>> n1 = Implementation(0x413FD0C1, 0xFF, 0)
        >>> (
        ...     n1.same_as(Implementation(0x413FD0C1, 0xFF)),
        ...     n1.same_as(Implementation(0x413FD0C1, 0)),
        ...     n1.same_as(n1),
        ... )
        (None, False, True)
        """
        ours, theirs = self.registers(), other.registers()
        if any(theirs.get(register, number) != number for register, number in ours.items()):
            return False
        return True if len(ours) == len(theirs) == len(IMPLEMENTATION_REGISTERS) else None

    @property
    def part(self) -> tuple[int, int] | None:
        """Implementer code and part number: which core it is, whatever its revision; None if not recorded."""
        return None if self.midr is None else (self.midr >> 24 & 0xFF, self.midr >> 4 & 0xFFF)

    @property
    def revision(self) -> str | None:
        """The revision as Arm writes it, ``r3p1``; None if not recorded."""
        return None if self.midr is None else f"r{self.midr >> 20 & 0xF}p{self.midr & 0xF}"

    def __lt__(self, other: Implementation) -> bool:
        """Order as numbers, MIDR first, what is not recorded before all."""
        return self._order() < other._order()

    def _order(self) -> tuple[int, int, int]:
        numbers = (self.midr, self.revidr, self.aidr)
        midr, revidr, aidr = (-1 if number is None else number for number in numbers)
        return midr, revidr, aidr


def alike(ones: Collection[Implementation], others: Collection[Implementation]) -> bool | None:
    """Whether two hosts have CPUs of the same implementations; None where a number that decides is not recorded.

    >>> known, partly = Implementation(1, 0, 0), Implementation(1, 0)
    >>> (
    ...     alike([known], [known]),
    ...     alike([known], [partly]),
    ...     alike([known], [Implementation(2)]),
    ...     alike([known], []),
    ... )
    (True, None, False, None)
    """
    if not ones or not others:
        return None
    rows = [[one.same_as(other) for other in others] for one in ones]
    # A CPU whose like is certainly not there makes the difference, on either side.
    if any(set(row) == {False} for row in (*rows, *zip(*rows, strict=True))):
        return False
    return True if all(True in row for row in (*rows, *zip(*rows, strict=True))) else None


@dataclass(frozen=True, slots=True)
class ShownImplementation:
    """What the guest is shown, and every implementation it may run on.

    ``targets`` is data for a VMM that serves the DISCOVER_IMPL hypercalls; it changes no register.
    """

    shown: Implementation
    targets: tuple[Implementation, ...] = ()
