"""A guest profile as the files that other tools take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.cli.files import is_file
from armlevel.cli.gaps import left_lines
from armlevel.cli.options import Facts, Force, Json, Key
from armlevel.cli.output import say_json, tell, tell_page
from armlevel.cli.terminal import width_of
from armlevel.documents import read_file, write_output
from armlevel.errors import UsageError
from armlevel.operations.export import (
    OF_MANY,
    PASSTHROUGH_VMM,
    TARGETS,
    Exported,
    export,
    export_fingerprint,
    form_of,
    needs_host,
    properties_of,
)
from armlevel.operations.named import guest_named, guests_named, host_named, hosts_named, load_all
from armlevel.operations.nova_filter import UNKNOWN, export_filter, instances_of, nova_filter
from armlevel.profile import Guest, Host
from armlevel.words.answers import left_out_text

__all__ = ["run"]


def run(
    guest: Annotated[
        list[str],
        typer.Argument(metavar="GUEST...", help="A guest profile; a host stands for its passthrough guest."),
    ],
    to: Annotated[str, typer.Option("--to", metavar="TOOL", help="One of: " + ", ".join(TARGETS) + ".")],
    form: Annotated[
        str,
        typer.Option(
            "--form", metavar="FORM", help="Which of the tool's files; the first of its forms if not given."
        ),
    ] = "",
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST", help="The host it is for: what differs there is then known."),
    ] = None,
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
    instances: Annotated[
        str,
        typer.Option(
            "--instances",
            metavar="FILE",
            help="Which guest CPU each instance has, for --form filter: lines UUID GUEST [level].",
        ),
    ] = "",
    unknown: Annotated[
        str,
        typer.Option(
            "--unknown",
            metavar="WORD",
            help="What the filter does where nobody can say, one of: " + ", ".join(UNKNOWN) + ".",
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

    Forms: qemu command, qmp; libvirt cpu, commandline, wrapper, wrapper-script, apparmor, selinux; firecracker
    template, fingerprint; kvm json, header; kubernetes affinity, features; openstack flavor, provider, filter. The last
    takes any number of guests and of --host, and says to a Nova scheduler filter who may go where. What a file cannot
    bring about is said on stderr. For every tool: exit 0 if the file does all (on HOST, where one is named), 1 if
    something is left to other means, 3 if that depends on the host or on what is not recorded; 2, and no file, if
    nothing is recorded.
    """
    chosen = form_of(to, form)
    if (to, chosen) in OF_MANY:
        found = _of_many(guest, host or [], instances, unknown, key or (), fact or ())
    elif instances or unknown:
        raise UsageError(
            f"--instances and --unknown are not for {to} {chosen}", hint="--to openstack --form filter"
        )
    else:
        found = _of_one(guest, to, chosen, host or [], machine, expansion, key or (), fact or ())
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


def _of_one(
    guest: list[str],
    to: str,
    form: str,
    hosts: list[str],
    machine: str,
    expansion: str,
    keys: Sequence[str],
    facts: Sequence[str],
) -> Exported:
    if len(guest) > 1 or len(hosts) > 1:
        raise UsageError(
            f"{to} {form} is about one guest, and at most one host", hint="write a file for each of them"
        )
    if not hosts and needs_host(to, form):
        raise UsageError(f"{to} {form} is about one host", hint="name it with --host")
    there = host_named("--host", hosts[0], facts) if hosts else None
    if form == "fingerprint":
        return export_fingerprint(_of_a_host(guest[0]))
    wanted = guest_named(guest[0], vmm=PASSTHROUGH_VMM.get(to, "kvm"), keys=keys)
    names = properties_of(expansion) if expansion else ()
    return export(wanted, to, form, host=there, machine=machine, properties=names)


def _of_many(
    names: list[str],
    hosts: list[str],
    instances: str,
    unknown: str,
    keys: Sequence[str],
    facts: Sequence[str],
) -> Exported:
    if not hosts:
        raise UsageError("the filter is told about hosts", hint="name them with --host, also a directory")
    guests: list[Guest] = guests_named(names, vmm="qemu", keys=keys)
    there, _ = hosts_named(hosts, facts)
    lines = read_file(instances).decode("utf-8", "replace") if instances else ""
    known = instances_of(lines, instances, guests)
    return export_filter(nova_filter(guests, there, known, unknown=unknown or UNKNOWN[0]))


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
