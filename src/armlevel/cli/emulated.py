"""An emulated host as a person types it, and what to say where something else stands in its place."""

from __future__ import annotations

from pathlib import Path

from armlevel.errors import ArmlevelError, UsageError
from armlevel.lab import EmulatedHost, parse_host

__all__ = ["host_typed"]


def host_typed(text: str, other: str = "", *, order: str = "") -> EmulatedHost:
    """Return the host; ``other`` is what stands behind it, and may be the host, and ``order`` how it should be.

    Raises:
        ArmlevelError: it is no emulated host: it may be a file, or stand in the place of one.

    """
    try:
        return parse_host(text)
    except ArmlevelError:
        if other and _is_host(other):
            raise UsageError(f"{other} is the host, and comes first", hint=f"armlevel {order}") from None
        if text.startswith("@") or text.endswith(".json") or Path(text).exists():
            hint = "write CPU@LINE, as neoverse-n1@6.12; armlevel lab list shows what there is"
            raise UsageError(f"{text}: an emulated host is needed here", hint=hint) from None
        raise


def _is_host(text: str) -> bool:
    try:
        parse_host(text)
    except ArmlevelError:
        return False
    return True
