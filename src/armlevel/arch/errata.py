"""What depends on which core it is: errata, software that asks for MIDR_EL1, instructions that hiding does not stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from armlevel.arch.expr import Expr

__all__ = ["Cores", "Dispatch", "Erratum", "Hidden", "Undefined", "by_core"]

_ARCHITECTURE_BY_FEATURES = 0xF
_LAST = 0xFF


@dataclass(frozen=True, slots=True)
class Cores:
    """A core and which of its revisions; revisions are variant << 4 | revision, as r3p1 is 0x31.

    ``ids`` is what the maker calls the erratum. ``fixed`` is (revision, bit): that revision is not meant where the bit
    of REVIDR_EL1 is set. ``degree`` orders cores by how much must be done. ``family`` compares only the upper four
    bits of the part number.

    >>> n1 = Cores(0x41, 0xD0C, last=0x31)
    >>> n1.holds(0x413FD0C1, 0), n1.holds(0x414FD0C0, 0), n1.holds(0x411FD401, 1)
    (True, False, False)
    """

    implementer: int
    part: int
    first: int = 0
    last: int = _LAST
    ids: tuple[str, ...] = ()
    fixed: tuple[int, int] | None = None
    degree: int = 1
    family: bool = False

    def holds(self, midr: int, revidr: int) -> bool:
        """Whether MIDR_EL1 and REVIDR_EL1 are of these cores."""
        part = midr >> 4 & 0xFFF
        same = part & 0xF00 == self.part & 0xF00 if self.family else part == self.part
        if not same or midr >> 24 & 0xFF != self.implementer or midr >> 16 & 0xF != _ARCHITECTURE_BY_FEATURES:
            return False
        revision = midr >> 16 & 0xF0 | midr & 0xF
        if self.fixed is not None and self.fixed[0] == revision and revidr >> self.fixed[1] & 1:
            return False
        return self.first <= revision <= self.last


@dataclass(frozen=True, slots=True)
class Erratum:
    """An erratum, or another trait, that software finds by MIDR_EL1 and REVIDR_EL1.

    ``what`` goes wrong. ``when`` is a condition on what the guest sees without which nobody has to act; None for
    always. ``not_for_guests`` says why a guest without EL2 has nothing to do with it; empty if it has. ``listed`` says
    whether software follows the list of target implementations. ``others`` is the degree of cores that are in no row.

    >>> erratum = Erratum("x", "", None, "", True, 0, by_core((Cores(0x41, 0xD0C),)))
    >>> erratum.degree(0x413FD0C1, 0), erratum.degree(0x411FD401, 0)
    (1, 0)
    """

    name: str
    what: str
    when: Expr | None
    not_for_guests: str
    listed: bool
    others: int
    by_core: Mapping[tuple[int, int], tuple[Cores, ...]]
    see: str = ""

    @property
    def cores(self) -> tuple[Cores, ...]:
        """Every row."""
        return tuple(row for rows in self.by_core.values() for row in rows)

    @property
    def revidr_bits(self) -> int:
        """The bits of REVIDR_EL1 that decide on some core."""
        bits = 0
        for row in self.cores:
            bits |= 0 if row.fixed is None else 1 << row.fixed[1]
        return bits

    def degree(self, midr: int, revidr: int) -> int:
        """How much must be done on a core: 0 is nothing."""
        return max((row.degree for row in self._rows(midr, revidr)), default=self.others)

    def ids(self, midr: int, revidr: int) -> tuple[str, ...]:
        """Return what the maker of a core calls it; our name where no row says."""
        found = [name for row in self._rows(midr, revidr) for name in row.ids]
        return tuple(dict.fromkeys(found)) or (self.name,)

    def _rows(self, midr: int, revidr: int) -> list[Cores]:
        part = midr >> 4 & 0xFFF
        keys = {(midr >> 24 & 0xFF, part), (midr >> 24 & 0xFF, part & 0xF00)}
        found = (row for key in keys if key in self.by_core for row in self.by_core[key])
        return [row for row in found if row.holds(midr, revidr)]


def by_core(rows: Iterable[Cores]) -> dict[tuple[int, int], tuple[Cores, ...]]:
    """Put rows under (implementer, part); those of a family under the upper four bits of the part."""
    found: dict[tuple[int, int], tuple[Cores, ...]] = {}
    for row in rows:
        key = (row.implementer, row.part & 0xF00 if row.family else row.part)
        found[key] = (*found.get(key, ()), row)
    return found


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Software that picks code by MIDR_EL1, and what it ``picks``."""

    name: str
    picks: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class Undefined:
    """A feature whose instructions KVM of some kernel ``lines`` makes undefined where hidden.

    ``control`` does it; ``needs`` is a condition on what the host shows: silicon without the control executes them.
    """

    feature: str
    control: str
    lines: tuple[str, ...]
    needs: Expr
    see: str = ""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Fields whose instructions programs can run although a lower value hides them; and the exceptions by feature."""

    by_register: Mapping[str, tuple[str, ...]]
    undefined: Mapping[str, Undefined]
    see: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field of these, ``REG.FIELD``."""
        return tuple(subject for subjects in self.by_register.values() for subject in subjects)
