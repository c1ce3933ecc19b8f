"""Which of a guest's registers mean nothing."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.arch import Catalogue, evaluate

__all__ = ["meaningless"]


def meaningless(values: Mapping[str, int], catalogue: Catalogue) -> frozenset[str]:
    """Return the registers that are UNKNOWN by the architecture in a guest with these ``REG.FIELD`` values.

    Fail closed: a row whose condition cannot be told from the values takes nothing out.

    >>> from armlevel.arch import load
    >>> only64 = {f"ID_AA64PFR0_EL1.EL{n}": 1 for n in range(4)}
    >>> "MVFR0_EL1" in meaningless(only64, load()), meaningless({**only64, "ID_AA64PFR0_EL1.EL0": 2}, load())
    (True, frozenset())
    """
    gone = (row.registers for row in catalogue.no_meaning if evaluate(row.unless, values) is False)
    return frozenset(name for names in gone for name in names)
