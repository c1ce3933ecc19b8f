"""The words for what pydantic finds wrong: one sentence a fault, its place first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from armlevel.documents.items import shown
from armlevel.documents.names import FROZEN_NAME, FROZEN_VERSION

__all__ = ["place_of", "sentence"]

_NEEDED = {
    "string_type": "a text",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_FIXED = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    # Only the offers of a host must be some.
    "too_short": "a host that offers nothing was never probed",
}
_BOUNDS = {
    "less_than": ("lt", "is not below"),
    "greater_than": ("gt", "is not above"),
    "greater_than_equal": ("ge", "is below"),
    "less_than_equal": ("le", "is above"),
    "multiple_of": ("multiple_of", "is no multiple of"),
    "too_long": ("max_length", "has more items than"),
    "string_too_long": ("max_length", "has more characters than"),
    "literal_error": ("expected", "is not one of"),
}
_PATTERNS = {
    "^0x[0-9a-f]{16}$": "is not a value like '0x0000000000000011' (16 hex digits, lower case)",
    r"^[A-Za-z0-9_]+\.[A-Za-z0-9_]+=[0-9]+$": "is not a field and its value, like 'ID_AA64PFR1_EL1.SSBS=0'",
    "^(yes|E[A-Z0-9]{1,31})$": "is neither 'yes' nor the name of an errno, like 'ENODEV'",
    "^sha256:[0-9a-f]{64}$": "is not sha256: and 64 hex digits",
    FROZEN_NAME: "is not 1 to 64 letters, digits, '.', '_' and '-', a letter or digit first",
    FROZEN_VERSION: "is not 1 to 64 letters, digits, '.' and '_', a letter or digit first",
}


def place_of(location: tuple[int | str, ...]) -> str:
    """Return a place as a person would write it.

    >>> place_of(("offers", 0, "shape", "features", 1))
    'offers[0].shape.features[1]'
    """
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def sentence(error: Mapping[str, Any]) -> str:
    """Return the sentence for one error as pydantic lists them."""
    place = place_of(error["loc"])
    return f"{place}: {_clause(error)}" if place else _clause(error)


def _clause(error: Mapping[str, Any]) -> str:
    kind, given, context = error["type"], shown(error.get("input")), error.get("ctx", {})
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _NEEDED:
        return f"{given} is not {_NEEDED[kind]}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{given} {words} {context[key]}"
    if kind == "null":
        return str(error["msg"])
    if kind == "string_pattern_mismatch":
        return f"{given} {_PATTERNS[context['pattern']]}"
    return f"{given}: {error['msg'][:1].lower()}{error['msg'][1:]}"
