"""What all readers of other tools' files share."""

from __future__ import annotations

import json
from typing import Any

from armlevel.errors import BadDocument

__all__ = ["json_object", "number", "text_of"]

_REGISTER_BITS = 128


def text_of(data: bytes) -> str | None:
    """Return ``data`` as text; None if it is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def json_object(data: bytes, path: str) -> dict[str, Any] | None:
    """Return the JSON object ``data`` holds; None if it holds something else or is no JSON.

    Raises:
        BadDocument: a key stands twice in one object.

    """
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                twice.append(f"{key!a} stands twice in one object")
            seen[key] = value
        return seen

    try:
        document = json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None
    if twice:
        raise BadDocument(path, tuple(twice))
    return document if isinstance(document, dict) else None


def number(given: object, base: int, place: str, faults: list[str], bits: int = _REGISTER_BITS) -> int:
    """Return an unsigned number from its text in ``base`` (2 or 16, 0b or 0x may stand before it); 0 if at fault."""
    digits = given.strip().replace("_", "") if isinstance(given, str) else ""
    prefix = {16: "0x", 2: "0b"}[base]
    digits = digits.lower().removeprefix(prefix)
    alphabet = "0123456789abcdef"[:base]
    if not digits or len(digits) > _REGISTER_BITS or any(digit not in alphabet for digit in digits):
        faults.append(f"{place}: {ascii(given)[:60]} is no number in base {base}")
        return 0
    value = int(digits, base)
    if value >> bits:
        faults.append(f"{place}: {ascii(given)[:60]} does not fit in {bits} bits")
        return 0
    return value
