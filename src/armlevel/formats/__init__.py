"""Other tools' files: one module a tool, told apart by what is in them and never by their names."""

from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.recognise import (
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
