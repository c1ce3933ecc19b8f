"""Which tool wrote a file, from what is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from armlevel.arch import Catalogue, load
from armlevel.errors import BadDocument, NotRecognised, OtherDocument
from armlevel.formats import (
    cpuinfo,
    expansion,
    firecracker,
    idregs,
    libvirt_cpu,
    libvirt_read,
    lscpu,
    plain,
    qemu_read,
)
from armlevel.formats.contents import Content, contents
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.strangers import stranger
from armlevel.profile import Host

__all__ = ["FORMATS", "Format", "read_foreign", "read_foreign_hosts", "read_request", "recognise"]


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
    Format("libvirt host CPU", "text", libvirt_cpu.is_host_cpu, libvirt_cpu.read_host_cpu),
    Format("libvirt domain CPU", "text", libvirt_cpu.is_guest_cpu, libvirt_cpu.read_guest_cpu),
    Format("QEMU -cpu option", "text", qemu_read.is_option, qemu_read.read_option),
    Format("lscpu", "text", lscpu.looks, lscpu.read),
    Format("/proc/cpuinfo", "text", cpuinfo.looks, cpuinfo.read),
    Format("KVM debugfs idregs", "text", idregs.looks, idregs.read),
)


def recognise(data: bytes, path: str = "") -> Format | None:
    """Return the format of a file, or of the first document in it; None if no importer knows it.

    Raises:
        BadDocument: JSON that is broken, or an object with a key twice.

    """
    return next(
        (found for content in contents(data, path)[:1] if (found := _format(content)) is not None), None
    )


def read_foreign(data: bytes, path: str, name: str = "") -> Host:
    """Read another tool's file as a host, called ``name``; what it offers is predicted.

    Raises:
        NotRecognised: no importer knows it.
        BadDocument: one does, but it has faults, all of which are listed; or it only changes what a host has; or
            several hosts are in it.

    """
    hosts = read_foreign_hosts(data, path, name)
    if len(hosts) > 1:
        raise BadDocument(
            path,
            (f"{len(hosts)} hosts are described in it, and one is needed here",),
            hint="armlevel show names them; give the one that is meant a file of its own",
        )
    return hosts[0]


def read_foreign_hosts(data: bytes, path: str, name: str = "") -> tuple[Host, ...]:
    """Read every host that another tool's file describes; raises as :func:`read_foreign` does."""
    hosts = []
    documents = _known(data, path)
    for number, (found, content) in enumerate(documents, 1):
        where = path if len(documents) == 1 else f"{path}, document {number}"
        made = found.read(content, where, name, load())
        if not isinstance(made, Host):
            raise OtherDocument(
                where,
                (f"is a {found.name}: it asks for the CPU of the host it is used on, and describes no host",),
                hint="armlevel import FILE --host HOST gives the guest that it makes there",
            )
        own = plain.record_name(content) if found.kind == "json" and len(documents) > 1 else ""
        if len(documents) > 1:
            made = replace(made, name=own or (f"{name}-{number}" if name else ""))
        hosts.append(made)
    return tuple(hosts)


def read_request(data: bytes, path: str) -> CpuRequest | None:
    """Read a file that changes what a host has; None if it is another kind of file that we import.

    Raises:
        NotRecognised: no importer knows it.
        BadDocument: one does, but it has faults, all of which are listed; or several requests are in it.

    """
    made = [found.read(content, path, "", load()) for found, content in _known(data, path)]
    requests = [one for one in made if isinstance(one, CpuRequest)]
    if len(requests) > 1:
        raise BadDocument(
            path,
            (f"{len(requests)} guests are described in it, and one is imported at a time",),
            hint="give the one that is meant a file of its own",
        )
    return requests[0] if requests else None


def _known(data: bytes, path: str) -> list[tuple[Format, Any]]:
    documents = contents(data, path)
    known = [(found, content[1]) for content in documents if (found := _format(content)) is not None]
    if known and len(known) == len(documents):
        return known
    names = f"known: {', '.join(one.name for one in FORMATS)}"
    if known:
        number = next(number for number, one in enumerate(documents, 1) if _format(one) is None)
        raise NotRecognised(
            path, f"document {number} of {len(documents)} in it is of no tool we know", hint=names
        )
    if (strange := stranger(data)) is not None:
        raise NotRecognised(path, strange[0], hint=strange[1])
    raise NotRecognised(path, "neither a profile nor a file of a tool we know", hint=names)


def _format(content: Content) -> Format | None:
    kind, given = content
    if kind == "json" and not isinstance(given, dict):
        return None
    return next((one for one in FORMATS if one.kind == kind and one.looks(given)), None)
