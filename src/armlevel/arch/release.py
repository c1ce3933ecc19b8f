"""Release strings as numbers."""

from __future__ import annotations

__all__ = ["release_numbers"]


def release_numbers(release: str | None) -> tuple[int, ...]:
    """Return the numbers that a release begins with, as ``uname -r`` and machine types print them.

    () for none, and where none is recorded: who compares says what that means.

    >>> release_numbers("6.12.117+deb13-arm64"), release_numbers("6.1.0-50"), release_numbers("7.4-rc1")
    ((6, 12, 117), (6, 1, 0), (7, 4))
    >>> release_numbers("next")
    ()
    """
    numbers: list[int] = []
    for part in (release or "").strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)
