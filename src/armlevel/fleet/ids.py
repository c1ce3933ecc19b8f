"""ULIDs: ids that are made anywhere, sort by when they were made, and differ between databases never."""

from __future__ import annotations

__all__ = ["ulid"]

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, which the ULID specification takes


def ulid(milliseconds: int, randomness: int) -> str:
    """Return the ULID of a time (48 bits of milliseconds since 1970) and 80 bits of randomness.

    >>> ulid(1469918176385, 0), ulid(0, (1 << 80) - 1)
    ('01ARYZ6S410000000000000000', '0000000000ZZZZZZZZZZZZZZZZ')
    """
    number = (milliseconds & ((1 << 48) - 1)) << 80 | randomness & ((1 << 80) - 1)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))
