"""What all readers of other tools' files share."""

from __future__ import annotations

import json
import re
from typing import Any

from armlevel.errors import BadDocument

__all__ = ["integer", "json_fault", "json_object", "json_values", "may_be_json", "number", "text_of"]

_REGISTER_BITS = 128
_MOST_DIGITS = 20
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_STAMP = re.compile(r"\s*\[\s*\d+\.\d+\]")
_MOST_VALUES = 100_000


def text_of(data: bytes) -> str | None:
    """Return ``data`` as text, UTF-8 or UTF-16 with its mark; None if it is none."""
    encoding = "utf-16" if data[:2] in _BYTE_ORDER_MARKS else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def json_object(data: bytes, path: str) -> dict[str, Any] | None:
    """Return the JSON object ``data`` holds; None if it holds something else or is no JSON.

    Raises:
        BadDocument: a key stands twice in one object.

    """
    text = text_of(data)
    try:
        values = None if text is None else json_values(text, path)
    except json.JSONDecodeError:
        return None
    return values[0] if values and len(values) == 1 and isinstance(values[0], dict) else None


def json_values(text: str, path: str) -> list[Any]:
    """Return the JSON values that stand one after another in a text.

    Raises:
        BadDocument: a key stands twice in one object, or a number has thousands of digits.
        JSONDecodeError: it is no JSON.

    """
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                twice.append(f"{key[:60]!a} stands twice in one object")
            seen[key] = value
        return seen

    decoder = json.JSONDecoder(object_pairs_hook=once)
    values: list[Any] = []
    at = _next(text, 0)
    try:
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            values.append(value)
            if len(values) > _MOST_VALUES:
                raise BadDocument(path, (f"more than {_MOST_VALUES} JSON values stand in it",))
            at = _next(text, end)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as exc:
        raise BadDocument(
            path, ("no JSON: it is nested too deep, or a number has thousands of digits",)
        ) from exc
    if twice:
        raise BadDocument(path, tuple(twice))
    return values


def may_be_json(text: str) -> bool:
    """Whether a text opens as JSON; the time stamp of a kernel's message does not."""
    return text.lstrip()[:1] in ("{", "[") and not _STAMP.match(text)


def json_fault(exc: json.JSONDecodeError) -> str:
    """Return what is wrong with a JSON text, and where, as a clause."""
    said = exc.msg[:1].lower() + exc.msg[1:]
    return f"no JSON: {said} at line {exc.lineno} column {exc.colno}"


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n\x1e":
        at += 1
    return at


def integer(text: object) -> int | None:
    """Return a decimal number of a few digits that is not negative; None if ``text`` is none.

    >>> integer("12"), integer("-1"), integer("1" * 5000), integer("²")
    (12, None, None, None)
    """
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        return None
    return int(text)


def number(given: object, base: int, place: str, faults: list[str], bits: int = _REGISTER_BITS) -> int:
    """Return an unsigned number from its text in ``base`` (2 or 16, 0b or 0x may stand before it); 0 if at fault."""
    digits = given.strip().replace("_", "") if isinstance(given, str) else ""
    prefix = {16: "0x", 2: "0b"}[base]
    digits = digits.lower().removeprefix(prefix)
    alphabet = "0123456789abcdef"[:base]
    if not digits or len(digits) > _REGISTER_BITS or any(digit not in alphabet for digit in digits):
        faults.append(f"{place}: {_short(given)} is no number in base {base}")
        return 0
    value = int(digits, base)
    if value >> bits:
        faults.append(f"{place}: {_short(given)} does not fit in {bits} bits")
        return 0
    return value


def _short(given: object) -> str:
    try:
        return ascii(given)[:60]
    except ValueError:  # Python prints no integer of thousands of digits
        return "a number of thousands of digits"
