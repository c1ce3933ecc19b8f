"""The guests that run on a host: what each was born with, how that is known, and where it may go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from armlevel.arch import Catalogue, load
from armlevel.documents.packed import unpack
from armlevel.documents.write import digest, guest_object
from armlevel.engine import Policy
from armlevel.engine.births import Arrival, Traces, arrival, birth_of
from armlevel.errors import ArmlevelError, BadDocument, UsageError
from armlevel.formats.idregs import values_in
from armlevel.formats.qemu_start import QemuStart, is_qemu, read_start
from armlevel.onefile.metadata import GuestMark, read_domain
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.import_ import guest_of
from armlevel.probe.running import Running, RunningVm
from armlevel.profile import Birth, Guest, Host, Shape

__all__ = ["GuestsResult", "RunningGuest", "StampState", "guests", "held_profile"]

StampState = Literal["none", "read", "unreadable"]

_CAME = ("migrated", "restored", "from snapshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningGuest:
    """One guest that runs.

    ``vmm``     ``qemu``, or the name of the program;  ``shape``  of its vCPUs, None: not known
    ``stamp``   whether its domain's metadata say what it is;  ``traits``  those that its flavor requires
    ``mark``    what they say;  ``managed``  whether libvirt has a domain for it;  ``moves``  where it may go
    """

    name: str
    pid: int
    fd: int
    vmm: str
    birth: Birth
    uuid: str = ""
    shape: Shape | None = None
    stamp: StampState = "none"
    mark: GuestMark | None = None
    managed: bool = False
    traits: tuple[str, ...] = ()
    moves: tuple[Arrival, ...] = ()


@dataclass(frozen=True, slots=True)
class GuestsResult:
    """The guests of a host; ``unread`` counts processes that could not be looked into: there may be more."""

    kind: ClassVar[str] = "guests/1"

    host: str
    guests: tuple[RunningGuest, ...]
    unread: int = 0
    has_idregs: bool = False
    asked: int = 0

    @property
    def status(self) -> int:
        """The exit status: that of the worst move; without hosts 3 where something of a guest is not known."""
        if self.unread:
            worst = status_of(one.answer for guest in self.guests for one in guest.moves)
            return worst or 3
        if self.asked:
            return status_of(one.answer for guest in self.guests for one in guest.moves)
        return 3 if any(guest.birth.guest is None for guest in self.guests) else 0

    def document(self) -> dict[str, Any]:
        """Return the guests/1 object."""
        return {
            "kind": self.kind,
            "host": self.host,
            "unread": self.unread,
            "idregs": self.has_idregs,
            "guests": [_guest_object(guest) for guest in self.guests],
        }


def guests(
    running: Running, host: Host, targets: Sequence[Host] = (), policy: Policy | None = None
) -> GuestsResult:
    """Say of each VM that runs on ``host`` what it was born with, and on which of ``targets`` it may arrive.

    ``host`` is recorded as it is in this boot.
    """
    catalogue = load()
    found = [_guest(vm, running, host, catalogue) for vm in running.vms]
    moved = tuple(
        replace(
            one,
            moves=tuple(
                arrival(one.birth, one.shape, host, there, catalogue, policy)
                for there in targets
                if there.name != host.name
            ),
        )
        for one in found
    )
    return GuestsResult(host.name, moved, running.unread, running.has_idregs, len(targets))


def held_profile(host: Host, running: Running) -> Host:
    """Return a profile of the machine that was read, if it was made under the kernel that runs there.

    Raises:
        UsageError: it was not, or does not say so.

    """
    kernel = host.software.kernel
    if kernel is None or running.kernel is None or kernel != running.kernel:
        raise UsageError(
            f"{host.name}: made under kernel {kernel or 'not recorded'}, and this host runs "
            f"{running.kernel or 'one that could not be read'}",
            hint="probe this host again, or leave --profile out",
        )
    return host


def _guest(vm: RunningVm, running: Running, host: Host, catalogue: Catalogue) -> RunningGuest:
    remarks: list[str] = []
    program = vm.program or ""
    start = QemuStart(None, "not-qemu")
    if is_qemu(program) and vm.words:
        start = read_start(vm.words, catalogue, configured=running.qemu_configured)
    elif is_qemu(program):
        start = QemuStart(None, "words-not-read")
    mark, traits, came = _domain(vm, remarks)
    asked = _asked(vm, start, host, remarks)
    stamp, state = _stamp(mark, remarks)
    traces = Traces(
        asked=asked,
        comes=start.comes or came,
        levelled=vm.levelled,
        shown=_shown(vm, remarks, catalogue),
        stamp=stamp,
        boot_id=running.boot_id,
        remarks=(*remarks, *_told(vm, start, came)),
    )
    return RunningGuest(
        name=start.name or f"{vm.pid}-{vm.fd}",
        pid=vm.pid,
        fd=vm.fd,
        vmm="qemu" if is_qemu(program) else program.rpartition("/")[2] or "not known",
        birth=birth_of(traces, host, catalogue),
        uuid=start.uuid,
        shape=None if asked is None or vm.levelled is not False else asked.shape,
        stamp=state,
        mark=mark,
        managed=vm.domain is not None,
        traits=traits,
    )


def _told(vm: RunningVm, start: QemuStart, came: str) -> Iterable[str]:
    # How it is that not all is known, and what else a person should hear.
    if start.comes or came:
        yield f"came-by-{start.comes or came}"
    if vm.levelled:
        yield "levelled-by-library"
    elif vm.levelled is None:
        yield "memory-not-read"
    if vm.replaced:
        yield "program-replaced"
    if vm.apart:
        yield "apart"


def _asked(vm: RunningVm, start: QemuStart, host: Host, remarks: list[str]) -> Guest | None:
    # Of several VMs in one process nobody says which one the words are about.
    if vm.beside:
        remarks.append("several-vms")
        return None
    if start.request is None:
        remarks.append(start.fault)
        return None
    try:
        return guest_of(start.request, host, start.name or str(vm.pid), f"{start.name or vm.pid}").guest
    except ArmlevelError:
        remarks.append("not-of-this-host")
        return None


def _shown(vm: RunningVm, remarks: list[str], catalogue: Catalogue) -> dict[str, int] | None:
    if not vm.idregs:
        return None
    try:
        return values_in(vm.idregs, catalogue)
    except BadDocument:
        remarks.append("idregs-not-known")
        return None


def _domain(vm: RunningVm, remarks: list[str]) -> tuple[GuestMark | None, tuple[str, ...], str]:
    # libvirt's file of a running domain holds the domain itself, and why it runs.
    domain = vm.domain or ""
    begin, end = domain.find("<domain "), domain.rfind("</domain>")
    if begin < 0 or end < begin:
        return None, (), ""
    head = domain[:begin]
    came = next((reason for reason in _CAME if f"reason='{reason}'" in head), "")
    try:
        marks = read_domain(domain[begin : end + len("</domain>")].encode())
    except ArmlevelError:
        remarks.append("domain-not-read")
        return None, (), came and "incoming"
    how = "loadvm" if came == "from snapshot" else came and "incoming"
    return marks.guest, marks.traits, how


def _stamp(mark: GuestMark | None, remarks: list[str]) -> tuple[Guest | None, StampState]:
    if mark is None:
        return None, "none"
    try:
        guest = None if mark.packed is None else unpack(mark.packed)
    except ArmlevelError:
        guest = None
    if guest is None or mark.digest != digest(guest_object(guest)):
        remarks.append("stamp-not-read")
        return None, "unreadable"
    return guest, "read"


def _guest_object(guest: RunningGuest) -> dict[str, Any]:
    birth = guest.birth
    said = {
        "name": guest.name,
        "pid": guest.pid,
        "fd": guest.fd,
        "uuid": guest.uuid,
        "vmm": guest.vmm,
        "known": birth.known,
        "parts": dict(birth.parts),
        "not_known": list(birth.not_known),
        "remarks": list(birth.remarks),
        "shape": None if guest.shape is None else guest.shape.label,
        "boot_id": birth.boot_id,
        "stamp": guest.stamp,
        "traits": list(guest.traits),
        "moves": [_move_object(one) for one in guest.moves],
    }
    return said | ({} if birth.guest is None else {"guest": guest_object(birth.guest)})


def _move_object(move: Arrival) -> dict[str, Any]:
    return {
        "to": move.host,
        "answer": move.answer,
        "parts": dict(move.parts),
        "any_guest": list(move.any_guest),
        "not_judged": list(move.not_judged),
        "findings": findings_told(move.findings),
    }
