"""How a row is read: a file, the keys that a reader knows, and the few forms of values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
Toml = dict[str, Any]


def load(path: Path) -> Toml:
    """Read one TOML file; a broken one names itself."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise SystemExit(f"{path}: {exc}") from exc


def take(row: Toml, where: str, **defaults: object) -> list[Any]:
    """Return the values of ``row`` by the names in ``defaults``, in that order; refuse any other name."""
    unknown = sorted(set(row) - set(defaults))
    if unknown:
        raise SystemExit(f"{where}: no reader knows {', '.join(unknown)}")
    return [frozen(row.get(name, default)) for name, default in defaults.items()]


def frozen(value: Any) -> Any:  # noqa: ANN401 - a TOML value may be anything
    """Turn lists into tuples, all the way down."""
    if isinstance(value, list):
        return tuple(frozen(one) for one in value)
    return value


def numbered(row: Toml) -> tuple[tuple[int, str], ...]:
    """Read ``{ 0 = "NI", 1 = "FEAT_SVE" }``; TOML keys are text, and may be hexadecimal."""
    return tuple((int(key, 0), text) for key, text in row.items())


def span(bits: str) -> tuple[int, int]:
    """Read ``"35:32"`` or ``"28:28"``."""
    msb, _, lsb = bits.partition(":")
    return int(msb), int(lsb or msb)
