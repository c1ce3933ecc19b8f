"""Errata that a painted guest does not look for, or works around needlessly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from armlevel.arch import Catalogue, Erratum, evaluate
from armlevel.profile import Implementation

__all__ = ["concerning", "missed", "needless"]


def concerning(fields: Mapping[str, int], catalogue: Catalogue) -> tuple[Erratum, ...]:
    """Return the errata that a guest with these ``REG.FIELD`` values may have to act on.

    What only a hypervisor works around is left out, and what the guest's fields rule out; a field that is not known
    rules nothing out.
    """
    return tuple(
        row
        for row in catalogue.errata
        if not row.not_for_guests and (row.when is None or evaluate(row.when, fields) is not False)
    )


def missed(rows: Iterable[Erratum], real: Implementation, shown: Implementation) -> tuple[Erratum, ...]:
    """Return the errata of the core ``real`` for which a guest does too little that is shown ``shown``.

    >>> from armlevel.arch import load
    >>> n1, v1 = Implementation(0x413FD0C1, 0xFF), Implementation(0x411FD401, 1)
    >>> rows = concerning({"CTR_EL0.DIC": 1, "ID_AA64PFR0_EL1.EL0": 1, "ID_AA64PFR0_EL1.CSV2": 3}, load())
    >>> [row.name for row in missed(rows, n1, v1)], [row.name for row in missed(rows, v1, n1)]
    (['1542419'], [])
    """
    if real == shown:
        return ()
    return tuple(
        row for row in rows if row.degree(real.midr, real.revidr) > row.degree(shown.midr, shown.revidr)
    )


def needless(
    rows: Iterable[Erratum], reals: Iterable[Implementation], shown: Implementation
) -> tuple[Erratum, ...]:
    """Return the errata that a guest shown ``shown`` works around although none of its cores has them."""
    cores = tuple(reals)
    return tuple(
        row
        for row in rows
        if cores and row.degree(shown.midr, shown.revidr) > max(row.degree(c.midr, c.revidr) for c in cores)
    )
