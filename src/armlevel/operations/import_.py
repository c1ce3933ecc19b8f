"""Other tools' files in, profiles out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel import __version__
from armlevel.arch import load
from armlevel.documents import guest_object, host_object, read_file
from armlevel.documents.held import held
from armlevel.documents.names import named, visible
from armlevel.documents.write import GUEST_KIND, HOST_KIND
from armlevel.engine import passthrough
from armlevel.engine.not_recorded import knows_nothing, not_recorded
from armlevel.errors import BadDocument, NotRecorded, UsageError
from armlevel.formats import read_request
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.qemu_read import gic_bits
from armlevel.operations.given import given_kernel, with_release
from armlevel.operations.named import load_all
from armlevel.profile import Guest, Host, Made

__all__ = ["ImportedGuest", "ImportedHost", "guest_of", "import_guest", "import_host"]

# QEMU's words for features of a shape, where they are not KVM's.
_QEMU_NAMES = {"pmu_v3": "pmu", "ptrauth": "pauth"}


@dataclass(frozen=True, slots=True)
class ImportedHost:
    """A host that another tool's file describes."""

    kind: ClassVar[str] = HOST_KIND

    host: Host

    @property
    def name(self) -> str:
        """What the host is called."""
        return self.host.name

    @property
    def status(self) -> int:
        """The exit status: 0."""
        return 0

    def document(self) -> dict[str, Any]:
        """Return the host-profile/1 document."""
        return host_object(self.host)


@dataclass(frozen=True, slots=True)
class ImportedGuest:
    """A guest that another tool's file makes of a host; ``lacking`` is what the host does not record of it."""

    kind: ClassVar[str] = GUEST_KIND

    guest: Guest
    lacking: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the guest is called."""
        return self.guest.name

    @property
    def status(self) -> int:
        """The exit status: 3 if something of the guest is not recorded."""
        return 3 if self.lacking else 0

    def document(self) -> dict[str, Any]:
        """Return the guest-profile/1 document."""
        return guest_object(self.guest)


def import_host(file: str, name: str = "", kernel: str = "") -> ImportedHost:
    """Read a host out of another tool's file, or ask a running QEMU on its socket; ``kernel`` where the file has none.

    Raises:
        ArmlevelError: the file is of no tool that is known, several files are named, it is a document of ours, another
            kernel is recorded in it, or what it says can stand in no profile.

    """
    named("--name", name)
    found, own = _host(file), _made()
    if kernel:
        found = with_release(found, given_kernel("--kernel", kernel), "--kernel")
    made = replace(
        found.made, tool=found.made.tool or own.tool, catalogue=found.made.catalogue or own.catalogue
    )
    return ImportedHost(held(replace(found, name=name or found.name, made=made), file))


def import_guest(file: str, host: Host, name: str = "") -> ImportedGuest:
    """Read what another tool's file asks for, and return the guest that it makes of ``host``.

    Raises:
        ArmlevelError: the file changes no CPU.
        UsageError: nothing is recorded of the host's registers.
        NotRecorded: whether the guest gets a feature hangs on a shape of the host that was not recorded.

    """
    request = read_request(read_file(file), file)
    if request is None:
        raise UsageError(f"{file}: this is a host's file and needs no --host", hint="import it without")
    return guest_of(request, host, file, name)


def guest_of(request: CpuRequest, host: Host, file: str, name: str = "") -> ImportedGuest:
    """Return the guest that a request makes of a host; ``file`` is what it is called.

    Raises:
        UsageError: nothing is recorded of the host's registers, or it offers no shape that the request can have.
        NotRecorded: whether the guest gets a feature hangs on a shape of the host that was not recorded.

    """
    if unsure := request.left_open(host):
        off = ",".join(f"{_QEMU_NAMES.get(name, name)}=off" for name in unsure)
        raise NotRecorded(
            f"{file}: {request.tool} gives a guest {' and '.join(unsure)} where the host has it, and {host.name} was "
            "recorded in no such shape: what the guest would be is not known",
            hint=f"probe that host again, or have the file say {off}",
        )
    own = passthrough(host, load(), shape=request.shape_on(host), machine=request.machine)
    if own.machine is not None and own.machine.gic is not None:
        # Whatever was asked for, it is this version that the guest's registers speak of.
        request = replace(request, bits=(*request.bits, *gic_bits(str(own.machine.gic))))
    guest = request.onto(own)
    if knows_nothing(guest):
        raise UsageError(
            f"{host.name}: not one ID register is recorded, so nothing is known of a guest on it",
            hint="probe that host, or name another one",
        )
    lacking = tuple(one.key for one in not_recorded(guest, load()))
    made = replace(_made(), source=f"{request.tool} on {host.name}")
    called = named("--name", name) or visible(f"{file} on {host.name}")[:4096]
    return ImportedGuest(held(replace(guest, name=called, made=made), file), lacking)


def _made() -> Made:
    return Made(tool=f"armlevel {__version__}", catalogue=load().version)


def _host(file: str) -> Host:
    from armlevel.operations.qmp import ask, is_socket

    if is_socket(file):
        from armlevel.formats.expansion import read

        return read(ask(file)["query-cpu-model-expansion"], file, file, load())
    found = load_all([file])
    if len(found) > 1:
        raise UsageError(f"{file}: {len(found)} files, and one is imported at a time", hint="name one file")
    host = found[0].document
    if not isinstance(host, Host):
        raise BadDocument(
            found[0].path, ("this is a document of ours and no host; nothing is to be imported",)
        )
    return host
