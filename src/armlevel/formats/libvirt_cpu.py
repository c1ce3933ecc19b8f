"""A ``<cpu>`` element by itself: a host's, as ``virsh capabilities`` has it, or a domain's."""

from __future__ import annotations

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.libvirt_read import given_options, host_of_cpu
from armlevel.formats.libvirt_xml import parsed, root_of
from armlevel.formats.qemu_read import recipe_of
from armlevel.profile import Host

__all__ = ["is_guest_cpu", "is_host_cpu", "read_guest_cpu", "read_host_cpu"]


def is_host_cpu(text: str) -> bool:
    """Whether this is the ``<cpu>`` of a host: it says of which architecture."""
    return root_of(text) == "cpu" and "<arch>" in text


def is_guest_cpu(text: str) -> bool:
    """Whether this is the ``<cpu>`` of a domain."""
    return root_of(text) == "cpu"


def read_host_cpu(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read a host's page size, and the name and features that libvirt found.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    host = host_of_cpu(parsed(text, path, "a <cpu> of libvirt"), "cpu", name, faults)
    if faults:
        raise BadDocument(path, tuple(faults), hint="the <cpu> of an aarch64 host was expected")
    return host


def read_guest_cpu(text: str, path: str, _name: str, catalogue: Catalogue) -> CpuRequest:
    """Read what a domain's ``<cpu>`` asks of the host it starts on.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    given = given_options(None, parsed(text, path, "a <cpu> of libvirt"), faults)
    request = recipe_of(",".join(["host", *given]), catalogue, faults)
    if faults:
        raise BadDocument(path, tuple(faults), hint="the <cpu> of an aarch64 KVM domain was expected")
    return request
