"""The single items of the long maps of a document, checked and decoded.

Each function takes what was never seen before and raises :class:`WrongError` with a clause that follows the place.
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

from armlevel.profile import Accepts

__all__ = ["Items", "Names", "WrongError", "hex_value", "shown"]

_VALUE = re.compile(r"0x[0-9a-f]{16}")
_STATE = re.compile(r"0x[0-9a-f]{16}(?:[0-9a-f]{16})?")
_REGISTER = re.compile(r"[A-Za-z0-9_]+(?:\[[0-9]{1,2}\])?")
_SUBJECT = re.compile(r"([A-Za-z0-9_]+(?:\[[0-9]{1,2}\])?)\.([A-Za-z0-9_]+|[0-9]{1,2}:[0-9]{1,2})")
_HEX = re.compile(r"0x[0-9A-Fa-f]+")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")
_ARM64 = 0x60
_EXACT = 2**53
_ACCEPT_KEYS = ("values", "any", "changed", "unsure", "others", "how")


class WrongError(Exception):
    """What is wrong with one item, as a clause that follows its place."""


def shown(item: object, width: int = 60) -> str:
    """Return an item of a document as a sentence can hold it."""
    try:
        text = ascii(item)
    except ValueError:  # Python prints no integer of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= width else text[: width - 3] + "..."


def _hex(text: Any, pattern: re.Pattern[str], bits: int) -> int:
    if isinstance(text, str):
        if pattern.fullmatch(text):
            return int(text, 16)
        if _HEX.fullmatch(text) and len(text) < 200 and int(text, 16) >> bits:
            raise WrongError(f"{shown(text)} does not fit in {bits} bits")
    raise WrongError(f"{shown(text)} is not a value like '0x0000000000000011' (16 hex digits, lower case)")


def hex_value(text: Any) -> int:
    """Decode a value of 64 bits."""
    return _hex(text, _VALUE, 64)


class _Field(Protocol):
    @property
    def register(self) -> str: ...
    @property
    def arm(self) -> str: ...
    @property
    def width(self) -> int: ...


class Names(Protocol):
    """The registers and fields that are known by name: those of the catalogue, or none."""

    @property
    def registers(self) -> Mapping[str, object]:
        """Registers by name."""

    @property
    def fields(self) -> Mapping[str, _Field]:
        """Fields by ``REG.FIELD``."""

    def __hash__(self) -> int: ...


@lru_cache(maxsize=4)
def _spellings(names: Names) -> dict[str, str]:
    """Every way a register or field may be written, in capitals, and how a document writes it."""
    fields = names.fields.items()
    found = {name.upper(): name for name in names.registers}
    found |= {f"{field.register}.{field.arm}".upper(): subject for subject, field in fields}
    return found | {subject.upper(): subject for subject, _ in fields}


class Items:
    """What the names in a document may be, and what may stand for them."""

    def __init__(self, names: Names) -> None:
        """Know the registers and fields of ``names``."""
        self._names = names
        self._seen: dict[Accepts, Accepts] = {}

    def _shared(self, accepts: Accepts) -> Accepts:
        return self._seen.setdefault(accepts, accepts)

    def register_value(self, pair: tuple[str, Any]) -> int:
        """Decode one pair of a map of registers."""
        self._check_register(pair[0])
        return _hex(pair[1], _VALUE, 64)

    def state_value(self, pair: tuple[str, Any]) -> int:
        """Decode one pair of a map of state."""
        if not _REGISTER.fullmatch(pair[0]):
            raise WrongError("is no name of a register")
        return _hex(pair[1], _STATE, 128)

    def register_id(self, text: Any) -> int:
        """Decode one id of a register list."""
        register_id = _hex(text, _VALUE, 64)
        if register_id >> 56 != _ARM64:
            raise WrongError(f"{shown(text)} is no arm64 register id")
        return register_id

    def _check_register(self, name: str) -> None:
        if not _REGISTER.fullmatch(name):
            raise WrongError("is no name of a register")
        known = _spellings(self._names).get(name.upper(), name)
        if known != name:
            raise WrongError(f"a document spells this register {known}")

    def _width(self, subject: str) -> int:
        """Return the width of a field; of one that no row names, the widest it can be."""
        field = self._names.fields.get(subject)
        if field is not None:
            return field.width
        match = _SUBJECT.fullmatch(subject)
        if not match:
            raise WrongError("is no REG.FIELD")
        self._check_register(match[1])
        if ":" in match[2]:
            msb, lsb = map(int, match[2].split(":"))
            if not 64 > msb >= lsb:
                raise WrongError("has no such bits")
            return msb - lsb + 1
        if (known := _spellings(self._names).get(subject.upper())) is not None:
            raise WrongError(f"a document spells this field {known}")
        return 64  # kept, and carried by its bits

    def _check_values(self, values: Iterable[Any], width: int) -> None:
        for value in values:
            if type(value) is not int:
                raise WrongError(f"{shown(value)} is not an integer")
            if value >= _EXACT:
                raise WrongError(f"{value} is not below 2^53, where JSON numbers stop being exact")
            if value < 0 or value >> width:
                raise WrongError(
                    f"{value} is out of range for a field of {width} bits (0 to {(1 << width) - 1})"
                )

    def line(self, line: bytes, decode: Callable[[tuple[str, Any]], Any]) -> tuple[str, Any]:
        """Decode a line of a long map with ``decode``; ValueError if it is no JSON."""
        text = b"{" + line + b"}"
        found = list(json.loads(text).items())
        # As many colons as the one key and what is in it explain: there is no other key that could stand twice.
        if len(found) == 1 and line.count(b":") == 1 + found[0][0].count(":"):
            return found[0][0], decode(found[0])
        objects: list[list[tuple[str, Any]]] = []
        json.loads(text, object_pairs_hook=objects.append)
        if len(objects[-1]) != 1 or any(len(dict(pairs)) != len(pairs) for pairs in objects):
            raise WrongError("is not one pair")
        return found[0][0], decode(found[0])

    def accepted(self, pair: tuple[str, Any]) -> Accepts:
        """Decode one pair of a map of accepted values."""
        subject, given = pair
        return (
            self.accepted_list((subject, tuple(given)))
            if isinstance(given, list)
            else self.accepted_map(*pair)
        )

    def accepted_list(self, key: tuple[str, tuple[int, ...]]) -> Accepts:
        """Decode a field whose accepted values are a list."""
        subject, values = key
        self._check_values(values, self._width(subject))
        if len(set(values)) != len(values):
            raise WrongError("a value is listed twice")
        accepts: Accepts = self._shared(Accepts(frozenset(values)))
        return accepts

    def accepted_written(self, key: tuple[str, bytes]) -> Accepts:
        """Decode a field whose accepted values are a map that was marshalled."""
        return self.accepted_map(key[0], marshal.loads(key[1]))  # noqa: S302 (we wrote it a line before)

    def accepted_map(self, subject: str, given: Any) -> Accepts:
        """Decode a field whose accepted values are a map."""
        if not isinstance(given, dict):
            raise WrongError(f"{shown(given)} is neither a list of values nor a map")
        width = self._width(subject)
        for key in given:
            if key not in _ACCEPT_KEYS:
                raise WrongError(f"unknown key {shown(key)} (known: {', '.join(_ACCEPT_KEYS)})")
        if ("values" in given) == ("any" in given) or given.get("any", True) is not True:
            raise WrongError('needs either "values" or "any": true')
        values, unsure, changed = given.get("values", []), given.get("unsure", []), given.get("changed", {})
        if not (isinstance(values, list) and isinstance(unsure, list) and isinstance(changed, dict)):
            raise WrongError("values and unsure are lists of integers, changed is a map")
        if not all(_DECIMAL.fullmatch(str(asked)) for asked in changed):
            raise WrongError("changed maps the asked value, in decimal, to the kept one")
        asked_kept = {int(asked): kept for asked, kept in changed.items()}
        self._check_values(chain(values, unsure, asked_kept, asked_kept.values()), width)
        others, how = given.get("others", "refused"), given.get("how", "")
        if others not in ("refused", "unknown", "ignored"):
            raise WrongError(f"others is 'refused', 'unknown' or 'ignored', not {shown(others)}")
        if not isinstance(how, str):
            raise WrongError("how is a text")
        kept = None if "any" in given else values
        accepts: Accepts = self._shared(
            Accepts.of(kept, changed=asked_kept, unsure=unsure, others=others, how=how)
        )
        return accepts
