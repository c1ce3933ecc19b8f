"""Which tool wrote a file, from what is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from armlevel.arch import Catalogue, load
from armlevel.errors import NotRecognised
from armlevel.formats import cpuinfo, firecracker, idregs, plain
from armlevel.formats.text import json_object, text_of
from armlevel.profile import Host

__all__ = ["FORMATS", "Format", "read_foreign", "recognise"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file we import: how its content looks, and what reads it.

    The content is the parsed object of a ``json`` format, and the text of a ``text`` format.
    """

    name: str
    kind: Literal["json", "text"]
    looks: Callable[[Any], bool]
    read: Callable[[Any, str, str, Catalogue], Host]


#: The first one that fits reads the file.
FORMATS: tuple[Format, ...] = (
    Format("Firecracker fingerprint", "json", firecracker.is_fingerprint, firecracker.read_fingerprint),
    Format("Firecracker cpu-config dump", "json", firecracker.is_config, firecracker.read_config),
    Format("register map", "json", plain.looks, plain.read),
    Format("KVM debugfs idregs", "text", idregs.looks, idregs.read),
    Format("/proc/cpuinfo", "text", cpuinfo.looks, cpuinfo.read),
)


def recognise(data: bytes, path: str = "") -> Format | None:
    """Return the format of a file; None if no importer knows it.

    Raises:
        BadDocument: a JSON object with a key twice.

    """
    kind, content = _content(data, path)
    return next((one for one in FORMATS if one.kind == kind and one.looks(content)), None)


def read_foreign(data: bytes, path: str, name: str = "") -> Host:
    """Read another tool's file as a host, called ``name``; what it offers is predicted.

    Raises:
        NotRecognised: no importer knows it.
        BadDocument: one does, but it has faults, all of which are listed.

    """
    found = recognise(data, path)
    if found is None:
        known = ", ".join(one.name for one in FORMATS)
        raise NotRecognised(path, "neither a profile nor a file of a tool we know", hint=f"known: {known}")
    return found.read(_content(data, path)[1], path, name, load())


def _content(data: bytes, path: str) -> tuple[str, Any]:
    document = json_object(data, path)
    if document is not None:
        return "json", document
    text = text_of(data)
    return ("text", text) if text is not None else ("binary", data)
