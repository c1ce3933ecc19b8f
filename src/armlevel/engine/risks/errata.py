"""Errata that a painted guest does not look for, or works around needlessly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from armlevel.arch import Catalogue, Erratum, evaluate
from armlevel.profile import Implementation

__all__ = ["concerning", "missed", "missed_by", "needless"]

_EVERY_BIT = (1 << 64) - 1


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
    if real.same_as(shown):
        return ()
    return tuple(row for row in rows if _most(row, real) > _least(row, shown))


def missed_by(
    rows: Sequence[Erratum], reals: Iterable[Implementation], shown: Implementation
) -> dict[Implementation, tuple[Erratum, ...]]:
    """Return what :func:`missed` says of each core; those that no row tells apart are looked up once."""
    stands_for = _told_apart(rows, reals)
    found = {one: missed(rows, one, shown) for one in dict.fromkeys(stands_for.values())}
    return {real: found[one] for real, one in stands_for.items()}


def _told_apart(
    rows: Iterable[Erratum], cores: Iterable[Implementation]
) -> dict[Implementation, Implementation]:
    # Each core, and the first that has its MIDR_EL1 and those bits of REVIDR_EL1 that some row looks at.
    bits = 0
    for row in rows:
        bits |= row.revidr_bits
    firsts: dict[tuple[int | None, int | None], Implementation] = {}
    return {
        core: firsts.setdefault((core.midr, None if core.revidr is None else core.revidr & bits), core)
        for core in cores
    }


def needless(
    rows: Sequence[Erratum], reals: Iterable[Implementation], shown: Implementation
) -> tuple[Erratum, ...]:
    """Return the errata that a guest shown ``shown`` works around although none of its cores has them."""
    cores = tuple(dict.fromkeys(_told_apart(rows, reals).values()))
    return tuple(
        row for row in rows if cores and _least(row, shown) > max(_most(row, core) for core in cores)
    )


# A bit of REVIDR_EL1 says that a revision has an erratum mended. Of a core whose REVIDR_EL1 is not recorded it is not
# known which are: it may have them all, and a guest that is shown such a core may look for none. Cores without a
# MIDR_EL1 are no cores to look up.


def _most(row: Erratum, core: Implementation) -> int:
    revidr = 0 if core.revidr is None else core.revidr
    return 0 if core.midr is None else row.degree(core.midr, revidr)


def _least(row: Erratum, core: Implementation) -> int:
    revidr = _EVERY_BIT if core.revidr is None else core.revidr
    return 0 if core.midr is None else row.degree(core.midr, revidr)
