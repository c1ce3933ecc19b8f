"""A guest profile as the files that other tools take, and what such a file leaves undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.documents import digest, guest_object, read_file
from armlevel.engine import Answer, Part, Verdict, check
from armlevel.engine.findings import Side
from armlevel.engine.not_recorded import knows_nothing, not_recorded
from armlevel.errors import UnknownName, UsageError
from armlevel.formats.export_result import ExportResult, Gap
from armlevel.operations.answers import status_of
from armlevel.profile import Guest, Host

__all__ = [
    "OF_MANY",
    "PASSTHROUGH_VMM",
    "TARGETS",
    "Exported",
    "export",
    "export_fingerprint",
    "form_of",
    "needs_host",
    "properties_of",
]

#: Target -> the forms it has, the first if none is named.
TARGETS: dict[str, tuple[str, ...]] = {
    "qemu": ("command", "qmp"),
    "libvirt": ("cpu", "commandline", "wrapper", "wrapper-script", "apparmor", "selinux"),
    "firecracker": ("template", "fingerprint"),
    "kvm": ("json", "header"),
    "kubernetes": ("affinity", "features"),
    "openstack": ("flavor", "provider", "filter"),
}
#: Target -> the VMM whose passthrough guest a host stands for; that of KVM for all others.
PASSTHROUGH_VMM = {"qemu": "qemu", "libvirt": "qemu", "firecracker": "firecracker"}

_OF_A_HOST = {("firecracker", "template"), ("kvm", "json"), ("kvm", "header"),
              ("kubernetes", "features"), ("openstack", "provider")}  # fmt: skip
#: Files about any number of guests and hosts: operations.nova_filter makes it.
OF_MANY = {("openstack", "filter")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file for another tool: its text, what it leaves undone, and whether the whole guest is had with it.

    ``guest``  what the guest (of a fingerprint: the host) is called
    ``answer`` ``runs`` if the file does all, on the host that it is for; ``refused`` if something is left to other
               means; ``unknown`` if that depends on the host, or on what is not recorded
    ``not_judged``  the parts of the question that were not asked about on the host that it is for
    """

    kind: ClassVar[str] = "export/1"

    guest: str
    to: str
    form: str
    text: str
    answer: Answer
    left: tuple[Gap, ...] = ()
    not_judged: tuple[Part, ...] = ()

    @property
    def status(self) -> int:
        """The exit status."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the export/1 object."""
        return {
            "kind": self.kind,
            "guest": self.guest,
            "to": self.to,
            "form": self.form,
            "answer": self.answer,
            "not_judged": list(self.not_judged),
            "left": [_gap_object(one) for one in self.left],
            "text": self.text,
        }


def form_of(to: str, form: str = "") -> str:
    """Return the form of a target's file: ``form``, or the first that the target has.

    Raises:
        UnknownName: there is no such target, or it has no such form.

    """
    if to not in TARGETS:
        raise UnknownName("tool we write for", to, tuple(TARGETS))
    if form and form not in TARGETS[to]:
        raise UnknownName(f"form of {to}", form, TARGETS[to])
    return form or TARGETS[to][0]


def needs_host(to: str, form: str) -> bool:
    """Whether a file is about one host, which has to be named."""
    return (to, form) in _OF_A_HOST


def properties_of(expansion: str) -> tuple[str, ...]:
    """Read which properties of ``-cpu`` a QEMU has, out of its answer in a file or asked on its socket.

    Raises:
        UsageError: the file is no such answer.

    """
    from armlevel.formats.expansion import properties
    from armlevel.formats.text import json_object
    from armlevel.operations.qmp import ask, is_socket

    document = ask(expansion) if is_socket(expansion) else json_object(read_file(expansion), expansion)
    if document is None:
        raise UsageError(
            f"--expansion {expansion}: not JSON", hint="save QEMU's answer to query-cpu-model-expansion"
        )
    return properties(document, expansion)


def export(  # noqa: PLR0913 (a question with options)
    guest: Guest,
    to: str,
    form: str = "",
    *,
    host: Host | None = None,
    machine: str = "",
    properties: Sequence[str] = (),
) -> Exported:
    """Write a guest profile as a file of another tool.

    ``host`` is the host that the file is for. For QEMU and libvirt, ``machine`` is the machine type and ``properties``
    those that the QEMU there has.

    Raises:
        ArmlevelError: there is no such file, or the guest cannot be written so.
        UsageError: the file is about one host, and none is named; or nothing is recorded of the guest's registers.

    """
    chosen = form_of(to, form)
    if (to, chosen) in OF_MANY:
        raise UsageError(f"{to} {chosen} is about many guests and hosts", hint="nova_filter makes it")
    if host is None and needs_host(to, chosen):
        raise UsageError(f"{to} {chosen} is about one host", hint="name it with --host")
    if knows_nothing(guest):
        raise UsageError(
            f"{guest.name}: not one ID register is recorded, and a file would promise what nobody knows",
            hint="probe the host, or name a guest whose registers are recorded",
        )
    if to in ("qemu", "libvirt"):
        found = _for_qemu(guest, to, chosen, host, machine, tuple(properties))
    elif to in ("kubernetes", "openstack"):
        found = _for_a_scheduler(guest, to, host)
    else:
        assert host is not None
        found = _for_a_host(guest, to, chosen, host)
    left = [*found.left, *_unrecorded(guest)]
    verdict = None if host is None else check(guest, host, load())
    if verdict is not None:
        left += _not_there(verdict, left, arrive=to in ("kubernetes", "openstack"))
    return Exported(
        guest=guest.name,
        to=to,
        form=chosen,
        text=found.text,
        answer=_answer(left),
        left=tuple(left),
        not_judged=() if verdict is None else verdict.not_judged,
    )


def _unrecorded(guest: Guest) -> list[Gap]:
    # No file brings about what nobody recorded.
    return [
        Gap(one.key, "not recorded", "", ("record",), certain=False) for one in not_recorded(guest, load())
    ]


def _not_there(verdict: Verdict, left: Sequence[Gap], *, arrive: bool) -> list[Gap]:
    # Whatever a file says: where KVM itself cannot start the guest, or nobody knows whether it can, no file makes it.
    # What a scheduler reads is about guests that arrive, too.
    sides: set[Side] = {"start", "arrive"} if arrive else {"start"}
    told = {part for one in left for part in (one.subject, one.subject.partition(".")[0])}
    return [
        Gap(one.subject.key, "as in the profile", "", ("check",), certain=one.severity != "unknown")
        for one in verdict.findings
        if sides & {*one.applies}
        and one.severity in ("stops", "breaks", "unknown")
        and not {one.subject.key, one.subject.register} & told
    ]


def export_fingerprint(host: Host) -> Exported:
    """Write a host as Firecracker's fingerprint."""
    from armlevel.formats.firecracker_write import export_fingerprint as written

    found = written(host)
    return Exported(
        guest=host.name,
        to="firecracker",
        form="fingerprint",
        text=found.text,
        answer=_answer(found.left),
        left=found.left,
    )


def _for_qemu(  # noqa: PLR0913, PLR0917
    guest: Guest, to: str, form: str, host: Host | None, machine: str, properties: tuple[str, ...]
) -> ExportResult:
    from armlevel.formats import libvirt_write, qemu_write

    own = guest.machine.machine if guest.machine is not None else None
    pinned = machine or own or qemu_write.MACHINE
    options = qemu_write.options_of(guest, load(), machine=pinned, properties=properties)
    write = qemu_write.export if to == "qemu" else libvirt_write.export
    return write(guest, options, load(), form=form, host=host)


def _for_a_host(guest: Guest, to: str, form: str, host: Host) -> ExportResult:
    if to == "firecracker":
        from armlevel.formats.firecracker_write import export_template

        return export_template(guest, host, load())
    from armlevel.engine.moves.settings import settings_of
    from armlevel.formats.kvm_calls_write import export as written

    return written(settings_of(guest, host, load()), form)


def _for_a_scheduler(guest: Guest, to: str, host: Host | None) -> ExportResult:
    from armlevel.formats import kubernetes_write, openstack_write

    mark = digest(guest_object(guest))
    if host is None:
        return (
            kubernetes_write.export(mark, guest.name)
            if to == "kubernetes"
            else openstack_write.flavor(guest, mark)
        )
    verdict = check(guest, host, load())
    write = kubernetes_write.feature_file if to == "kubernetes" else openstack_write.provider
    return write(mark, guest.name, host.name, start=verdict.start, arrive=verdict.arrive)


def _answer(left: Sequence[Gap]) -> Answer:
    if any(one.certain for one in left):
        return "refused"
    return "unknown" if left else "runs"


def _gap_object(one: Gap) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "needs": one.needs,
        "has": one.has or None,
        "ways": list(one.ways),
        "certain": one.certain,
    }
