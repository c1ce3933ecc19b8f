"""Other tools' files in, profiles out."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.files import is_file
from armlevel.cli.options import Force, Kernel, OneFile, Output
from armlevel.cli.output import say_json, tell
from armlevel.documents import pretty, write_output
from armlevel.errors import UsageError
from armlevel.operations.import_ import ImportedGuest, import_guest, import_host
from armlevel.operations.named import host_named
from armlevel.words.subjects import keys_text

__all__ = ["run"]


def run(
    file: OneFile,
    output: Output = "",
    force: Force = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The profile's name; else FILE's.")
    ] = "",
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="HOST", help="For a file that changes a host's CPU: the host. Gives a guest."
        ),
    ] = "",
    kernel: Kernel = "",
) -> int:
    """Turn another tool's file into a profile: of a host, or with --host of a guest.

    Hosts: Firecracker fingerprints and cpu-config dumps, libvirt capabilities and domcapabilities, QEMU's answer to
    query-cpu-model-expansion (a file, a QMP session, or a QMP socket to ask), KVM's debugfs idregs and other dumps of
    registers, /proc/cpuinfo and sysfs, lscpu. Guests, with --host: Firecracker CPU templates, libvirt domains, QEMU's
    command lines. Which it is, is told by what is in it. What such a host offers is predicted; what the file does not
    record stays unknown. Exit 3 if HOST does not record what the guest would be, 2 if it records nothing of it.
    """
    if host and kernel:
        raise UsageError("--kernel is of the host that FILE describes", hint=f"give --host {host} its kernel")
    progress.begin("reading a file")
    found = import_guest(file, host_named("--host", host), name) if host else import_host(file, name, kernel)
    if is_file(output):
        write_output(output, pretty(found.document()), force=force)
        tell(f"{found.name} written to {output}")
    else:
        say_json(found.document())
    if isinstance(found, ImportedGuest) and found.lacking:
        tell(f"what {found.name} is, is not known whole: not recorded are {keys_text(found.lacking)}")
    return found.status
