"""What one kernel line shows of a CPU and the next does not: rows of ``arch/data/kvm/between.toml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LineChange"]


@dataclass(frozen=True, slots=True)
class LineChange:
    """A change of KVM: ``until`` is the last measured line with the old behaviour, ``since`` the first with the new.

    ``subjects`` are ``REG.FIELD``, a register, ``REG.*`` (all fields of it) or ``NAME[*]`` (each of them).

    >>> row = LineChange(("CCSIDR_EL1[*]", "CLIDR_EL1.*"), "6.1", "6.12", "")
    >>> row.speaks_of("CCSIDR_EL1[3]"), row.speaks_of("CLIDR_EL1.LoC"), row.speaks_of("CTR_EL0.IDC")
    (True, True, False)
    """

    subjects: tuple[str, ...]
    until: str
    since: str
    why: str
    see: str = ""

    def speaks_of(self, subject: str) -> bool:
        """Whether a subject of a comparison is among ours."""
        return any(
            subject == one or (one[-1] in "*]" and subject.startswith(one.rstrip("*]")))
            for one in self.subjects
        )

    def within(self, older: str, newer: str, order: Sequence[str]) -> bool:
        """Whether it lies between two lines, by name; ``order`` has the names of all lines, oldest first.

        >>> row = LineChange(("PMMIR_EL1",), "6.18", "7.3", "")
        >>> (
        ...     row.within("6.12", "7.3", ["6.12", "6.18", "7.3"]),
        ...     row.within("6.12", "6.18", ["6.12", "6.18", "7.3"]),
        ... )
        (True, False)
        """
        return order.index(older) <= order.index(self.until) and order.index(self.since) <= order.index(newer)
