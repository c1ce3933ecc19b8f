"""Other tools' files in, profiles out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from armlevel import __version__
from armlevel.arch import load
from armlevel.cli.inputs import hosts_named, load_all
from armlevel.cli.options import OneFile, Output
from armlevel.cli.output import say_json, tell
from armlevel.documents import guest_object, host_object, pretty, read_file, replace_file
from armlevel.engine import passthrough
from armlevel.errors import BadDocument, UsageError
from armlevel.formats import read_request
from armlevel.profile import Guest, Host, Made

__all__ = ["run"]


def run(
    file: OneFile,
    output: Output = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The profile's name; else FILE's.")
    ] = "",
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="HOST", help="For a file that changes a host's CPU: the host. Gives a guest."
        ),
    ] = "",
) -> int:
    """Turn another tool's file into a profile: of a host, or with --host of a guest.

    Hosts: Firecracker fingerprints and cpu-config dumps, libvirt capabilities and domcapabilities, QEMU's answer to
    query-cpu-model-expansion (a file, or a QMP socket to ask), KVM's debugfs idregs, /proc/cpuinfo with sysfs, a JSON
    map of registers. Guests, with --host: Firecracker CPU templates, libvirt domains, QEMU's -cpu. Which it is, is told
    by what is in it. What such a host offers is predicted; what the file does not record stays unknown.
    """
    made = Made(tool=f"armlevel {__version__}", catalogue=load().version)
    if host:
        guest = _guest(file, host, name, made)
        document, called = guest_object(guest), guest.name
    else:
        found = _host(file)
        made = replace(
            found.made, tool=found.made.tool or made.tool, catalogue=found.made.catalogue or made.catalogue
        )
        called = name or found.name
        document = host_object(replace(found, name=called, made=made))
    if output:
        replace_file(output, pretty(document))
        tell(f"{called} written to {output}")
    else:
        say_json(document)
    return 0


def _guest(file: str, where: str, name: str, made: Made) -> Guest:
    request = read_request(read_file(file), file)
    if request is None:
        raise UsageError(f"{file}: this is a host's file and needs no --host", hint="import it without")
    hosts, _ = hosts_named([where])
    if len(hosts) > 1:
        raise UsageError(f"--host {where}: {len(hosts)} hosts, and one is needed here")
    host, catalogue = hosts[0], load()
    guest = request.onto(passthrough(host, catalogue, shape=request.shape_on(host)))
    called = name or f"{file} on {host.name}"
    return replace(guest, name=called, made=replace(made, source=f"{request.tool} on {host.name}"))


def _host(file: str) -> Host:
    from armlevel.cli.qmp import ask, is_socket

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
