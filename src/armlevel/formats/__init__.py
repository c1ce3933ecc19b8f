"""Other tools' files: one module a tool, told apart by what is in them and never by their names.

Names are looked up when they are asked for: who reads documents of ours alone reads none of these modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armlevel.formats.cpu_request import CpuRequest
    from armlevel.formats.importers import (
        FORMATS,
        Format,
        read_foreign,
        read_foreign_hosts,
        read_request,
        recognise,
    )

__all__ = [
    "FORMATS",
    "CpuRequest",
    "Format",
    "read_foreign",
    "read_foreign_hosts",
    "read_request",
    "recognise",
]


def __getattr__(name: str) -> Any:
    """Return a name whose module is read only now."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "cpu_request" if name == "CpuRequest" else "importers"
    return getattr(import_module(f"{__name__}.{home}"), name)
