"""The capability order of a field: which of two values promises more."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ORDERS", "Order"]

#: The kinds of order a row may name.
ORDERS = ("unsigned", "signed", "inverted", "exact", "list")


@dataclass(frozen=True, slots=True)
class Order:
    """How the values of a field compare: used for choice and for the direction of a difference.

    What KVM accepts is another thing; see :class:`armlevel.arch.WriteRule`.

    - ``unsigned``: more is more. ``signed``: the same, read as two's complement (``0xf`` is less than ``0``).
    - ``inverted``: the higher value is the safer, so it promises less.
    - ``list``: worst first, as in ``listing``; a value that is not listed comes after all that are.
    - ``exact``: no source gives an order; two values are the same or they are different.

    >>> (
    ...     Order("signed").rank(0xF, width=4),
    ...     Order("list", (1, 0, 2)).rank(2, width=4),
    ...     Order("exact").rank(3, width=4),
    ... )
    (-1, 2, None)
    """

    kind: str
    listing: tuple[int, ...] = ()

    def rank(self, value: int, *, width: int) -> int | None:
        """Return where ``value`` of a ``width``-bit field stands: higher promises more; None if nothing can be said."""
        if self.kind == "unsigned":
            return value
        if self.kind == "signed":
            return value - (1 << width) if value >> (width - 1) & 1 else value
        if self.kind == "inverted":
            return -value
        if self.kind == "list":
            return self.listing.index(value) if value in self.listing else len(self.listing) + value
        return None

    @property
    def total(self) -> bool:
        """Whether any two values can be compared."""
        return self.kind != "exact"
