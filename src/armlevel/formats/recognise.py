"""Which tool wrote a file, from what is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from armlevel.arch import Catalogue, load
from armlevel.errors import BadDocument, NotRecognised
from armlevel.formats import cpuinfo, expansion, firecracker, idregs, libvirt_read, plain, qemu_read
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.text import json_object, text_of
from armlevel.profile import Host

__all__ = ["FORMATS", "Format", "read_foreign", "read_request", "recognise"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file we import: how its content looks, and what reads it, as a host or as a request for one.

    The content is the parsed object of a ``json`` format, and the text of a ``text`` format.
    """

    name: str
    kind: Literal["json", "text"]
    looks: Callable[[Any], bool]
    read: Callable[[Any, str, str, Catalogue], Host | CpuRequest]


#: The first one that fits reads the file.
FORMATS: tuple[Format, ...] = (
    Format("Firecracker fingerprint", "json", firecracker.is_fingerprint, firecracker.read_fingerprint),
    Format("Firecracker CPU template", "json", firecracker.is_template, firecracker.read_template),
    Format("Firecracker cpu-config dump", "json", firecracker.is_config, firecracker.read_config),
    Format("QEMU query-cpu-model-expansion", "json", expansion.looks, expansion.read),
    Format("register map", "json", plain.looks, plain.read),
    Format("libvirt capabilities", "text", libvirt_read.is_capabilities, libvirt_read.read_capabilities),
    Format(
        "libvirt domcapabilities",
        "text",
        libvirt_read.is_domain_capabilities,
        libvirt_read.read_domain_capabilities,
    ),
    Format("libvirt domain", "text", libvirt_read.is_domain, libvirt_read.read_domain),
    Format("QEMU -cpu option", "text", qemu_read.is_option, qemu_read.read_option),
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
        BadDocument: one does, but it has faults, all of which are listed; or it only changes what a host has.

    """
    found = _read(data, path, name)
    if isinstance(found, Host):
        return found
    raise BadDocument(
        path,
        (f"{found.tool} changes the CPU of the host it is used on, and does not say which that is",),
        hint="armlevel import FILE --host HOST gives the guest that it makes there",
    )


def read_request(data: bytes, path: str) -> CpuRequest | None:
    """Read a file that changes what a host has; None if it is another kind of file that we import.

    Raises:
        NotRecognised: no importer knows it.
        BadDocument: one does, but it has faults, all of which are listed.

    """
    found = _read(data, path, "")
    return found if isinstance(found, CpuRequest) else None


def _read(data: bytes, path: str, name: str) -> Host | CpuRequest:
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
