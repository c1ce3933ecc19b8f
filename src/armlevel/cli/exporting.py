"""A guest profile as the files that other tools take."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from armlevel.arch import Catalogue, load
from armlevel.cli.gaps import left_lines, lefts_json
from armlevel.cli.inputs import guest_of, hosts_named, load_all
from armlevel.cli.options import Facts, GuestFile, Json
from armlevel.cli.output import escaped, say_json
from armlevel.documents import digest, guest_object, read_file, replace_file
from armlevel.engine import Answer, check, worst
from armlevel.errors import UnknownName, UsageError
from armlevel.formats.export_result import ExportResult, unrecorded
from armlevel.profile import Guest, Host

__all__ = ["TARGETS", "run"]

#: target -> the forms it has, the first if none is named; those that are about one host need --host
TARGETS: dict[str, tuple[str, ...]] = {
    "qemu": ("command", "qmp"),
    "libvirt": ("cpu", "commandline", "wrapper", "wrapper-script"),
    "firecracker": ("template", "fingerprint"),
    "kvm": ("json", "header"),
    "kubernetes": ("affinity", "features"),
    "openstack": ("flavor", "provider"),
}
_OF_A_HOST = {("firecracker", "template"), ("kvm", "json"), ("kvm", "header"),
              ("kubernetes", "features"), ("openstack", "provider")}  # fmt: skip
_PASSTHROUGH = {"qemu": "qemu", "libvirt": "qemu", "firecracker": "firecracker"}
_EXIT: dict[Answer, int] = {"runs": 0, "refused": 1, "unknown": 3}


def run(
    guest: GuestFile,
    to: Annotated[str, typer.Option("--to", metavar="TOOL", help="One of: " + ", ".join(TARGETS) + ".")],
    form: Annotated[
        str,
        typer.Option(
            "--form", metavar="FORM", help="Which of the tool's files; the first of its forms if not given."
        ),
    ] = "",
    host: Annotated[
        str,
        typer.Option("--host", metavar="HOST", help="The host it is for: what differs there is then known."),
    ] = "",
    machine: Annotated[
        str, typer.Option("--machine", metavar="TYPE", help="QEMU's machine type, pinned.")
    ] = "",
    expansion: Annotated[
        str,
        typer.Option(
            "--expansion",
            metavar="FILE",
            help="What the target QEMU answers to query-cpu-model-expansion (or its QMP socket).",
        ),
    ] = "",
    fact: Facts = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE.")] = "",
    as_json: Json = False,
) -> int:
    """Write a guest profile as a file of another tool.

    Forms: qemu command, qmp; libvirt cpu, commandline, wrapper, wrapper-script; firecracker template, fingerprint;
    kvm json, header; kubernetes affinity, features; openstack flavor, provider. What the file cannot bring about is
    said on stderr. Exit 0 if it does all, 1 if something is left to other means, 3 if that depends on the host.
    """
    chosen = _form(to, form)
    catalogue = load()
    there = _host(host, fact or (), needed=(to, chosen) in _OF_A_HOST, what=f"{to} {chosen}")
    if chosen == "fingerprint":
        name, found, answer = _fingerprint(guest)
    else:
        wanted = guest_of(guest, catalogue, vmm=_PASSTHROUGH.get(to, "kvm"))
        name = wanted.name
        names = _properties(expansion)
        found, answer = _export(wanted, to, chosen, there, catalogue, machine, names)
        if left := unrecorded(wanted):  # no file brings about what nobody recorded
            found, answer = replace(found, left=(*found.left, *left)), worst([answer, "unknown"])
    _write(found, name, to, chosen, answer, output, as_json=as_json)
    return _EXIT[answer]


def _form(to: str, form: str) -> str:
    if to not in TARGETS:
        raise UnknownName("tool we write for", to, tuple(TARGETS))
    if form and form not in TARGETS[to]:
        raise UnknownName(f"form of {to}", form, TARGETS[to])
    return form or TARGETS[to][0]


def _host(name: str, facts: Any, *, needed: bool, what: str) -> Host | None:
    if not name:
        if needed:
            raise UsageError(f"{what} is about one host", hint="name it with --host")
        return None
    hosts, _ = hosts_named([name], facts)
    if len(hosts) > 1:
        raise UsageError(f"--host {name}: {len(hosts)} hosts, and one is needed here")
    return hosts[0]


def _properties(expansion: str) -> tuple[str, ...]:
    if not expansion:
        return ()
    from armlevel.cli.qmp import ask, is_socket
    from armlevel.formats.expansion import properties
    from armlevel.formats.text import json_object

    document = ask(expansion) if is_socket(expansion) else json_object(read_file(expansion), expansion)
    if document is None:
        raise UsageError(
            f"--expansion {expansion}: not JSON", hint="save QEMU's answer to query-cpu-model-expansion"
        )
    return properties(document, expansion)


def _fingerprint(name: str) -> tuple[str, ExportResult, Answer]:
    from armlevel.formats.firecracker_write import export_fingerprint

    found = load_all([name])
    if len(found) != 1 or not isinstance(found[0].document, Host):
        raise UsageError(f"{name}: a fingerprint is of one host", hint="name one host profile")
    written = export_fingerprint(found[0].document)
    return found[0].document.name, written, "refused" if written.left else "runs"


def _export(
    guest: Guest,
    to: str,
    form: str,
    host: Host | None,
    catalogue: Catalogue,
    machine: str,
    names: tuple[str, ...],
) -> tuple[ExportResult, Answer]:
    if to in ("qemu", "libvirt"):
        from armlevel.formats import libvirt_write, qemu_write

        options = qemu_write.options_of(
            guest, catalogue, machine=machine or qemu_write.MACHINE, properties=names
        )
        write = qemu_write.export if to == "qemu" else libvirt_write.export
        found = write(guest, options, catalogue, form=form, host=host)
        return found, _answer(found)
    if to in ("kubernetes", "openstack"):
        return _for_a_scheduler(guest, to, host, catalogue)
    assert host is not None
    return _for_a_host(guest, to, form, host, catalogue)


def _for_a_host(
    guest: Guest, to: str, form: str, host: Host, catalogue: Catalogue
) -> tuple[ExportResult, Answer]:
    if to == "firecracker":
        from armlevel.formats.firecracker_write import export_template

        found = export_template(guest, host, catalogue)
        return found, _answer(found)
    from armlevel.engine.moves.settings import settings_of
    from armlevel.formats.kvm_calls_write import export

    return export(settings_of(guest, host, catalogue), form), check(guest, host, catalogue).start


def _for_a_scheduler(
    guest: Guest, to: str, host: Host | None, catalogue: Catalogue
) -> tuple[ExportResult, Answer]:
    from armlevel.formats import kubernetes_write, openstack_write

    mark = digest(guest_object(guest))
    if host is None:
        found = (
            kubernetes_write.export(mark, guest.name)
            if to == "kubernetes"
            else openstack_write.flavor(guest, mark)
        )
        return found, "runs"
    verdict = check(guest, host, catalogue)
    start, arrive = verdict.start == "runs", verdict.arrive == "runs"
    write = kubernetes_write.feature_file if to == "kubernetes" else openstack_write.provider
    return write(mark, guest.name, host.name, start=start, arrive=arrive), verdict.arrive


def _answer(found: ExportResult) -> Answer:
    if any(one.certain for one in found.left):
        return "refused"
    return "unknown" if found.left else "runs"


def _write(
    found: ExportResult, name: str, to: str, form: str, answer: Answer, output: str, *, as_json: bool
) -> None:
    if output:
        replace_file(output, found.text)
    if as_json:
        document = {"guest": name, "to": to, "form": form, "answer": answer, "left": lefts_json(found.left)}
        say_json(document | ({"output": output} if output else {"text": found.text}))
        return
    if not output:
        print(found.text, end="")
    import sys

    lines = [f"armlevel: {name} written to {output}"] if output else []
    for line in [*lines, *left_lines(found.left)]:
        print(escaped(line), file=sys.stderr)
