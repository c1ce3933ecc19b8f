"""A guest profile as the files that other tools take."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from armlevel.cli.files import is_file
from armlevel.cli.gaps import left_lines
from armlevel.cli.options import Facts, Force, GuestFile, Json, Key
from armlevel.cli.output import say_json, tell, tell_page
from armlevel.cli.terminal import width_of
from armlevel.documents import write_output
from armlevel.errors import UsageError
from armlevel.operations.export import (
    PASSTHROUGH_VMM,
    TARGETS,
    Exported,
    export,
    export_fingerprint,
    form_of,
    needs_host,
    properties_of,
)
from armlevel.operations.named import guest_named, host_named, load_all
from armlevel.profile import Host
from armlevel.words.answers import left_out_text

__all__ = ["run"]


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
    key: Key = None,
    fact: Facts = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE; - is standard output.")
    ] = "",
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Write a guest profile as a file of another tool.

    Forms: qemu command, qmp; libvirt cpu, commandline, wrapper, wrapper-script; firecracker template, fingerprint;
    kvm json, header; kubernetes affinity, features; openstack flavor, provider. What the file cannot bring about is
    said on stderr. For every tool: exit 0 if the file does all (on HOST, where one is named), 1 if something is left
    to other means, 3 if that depends on the host or on what is not recorded; 2, and no file, if nothing is recorded.
    """
    chosen = form_of(to, form)
    if not host and needs_host(to, chosen):
        raise UsageError(f"{to} {chosen} is about one host", hint="name it with --host")
    there = host_named("--host", host, fact or ()) if host else None
    if chosen == "fingerprint":
        found = export_fingerprint(_of_a_host(guest))
    else:
        wanted = guest_named(guest, vmm=PASSTHROUGH_VMM.get(to, "kvm"), keys=key or ())
        names = properties_of(expansion) if expansion else ()
        found = export(wanted, to, chosen, host=there, machine=machine, properties=names)
    if output and not is_file(output):
        output = ""
    if output:
        write_output(output, found.text, force=force)
    if as_json:
        said = found.document()
        say_json({key: said[key] for key in said if key != "text"} | {"output": output} if output else said)
    else:
        _tell(found, output)
    return found.status


def _of_a_host(name: str) -> Host:
    found = load_all([name])
    if len(found) != 1 or not isinstance(found[0].document, Host):
        raise UsageError(f"{name}: a fingerprint is of one host", hint="name one host profile")
    return found[0].document


def _tell(found: Exported, output: str) -> None:
    if not output:
        print(found.text, end="")
    if output:
        tell(f"{found.guest} written to {output}")
    tell_page(left_lines(found.left, width_of(sys.stderr)))
    if found.not_judged:
        tell(left_out_text(found.not_judged))
