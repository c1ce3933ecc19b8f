"""Which implementation a CPU says it is: the layer that errata workarounds are chosen by."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Implementation", "ShownImplementation"]


@dataclass(frozen=True, slots=True, order=True)
class Implementation:
    """MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of one CPU; ordered as numbers, MIDR first.

    >>> Implementation(0x413FD0C1, 0xFF, 0).part
    (65, 3340)
    """

    midr: int
    revidr: int = 0
    aidr: int = 0

    @property
    def part(self) -> tuple[int, int]:
        """Implementer code and part number: which core it is, whatever its revision."""
        return (self.midr >> 24 & 0xFF, self.midr >> 4 & 0xFFF)

    @property
    def revision(self) -> str:
        """The revision as Arm writes it, ``r3p1``."""
        return f"r{self.midr >> 20 & 0xF}p{self.midr & 0xF}"


@dataclass(frozen=True, slots=True)
class ShownImplementation:
    """What the guest is shown, and every implementation it may run on.

    ``targets`` is data for a VMM that serves the DISCOVER_IMPL hypercalls; it changes no register.
    """

    shown: Implementation
    targets: tuple[Implementation, ...] = ()
