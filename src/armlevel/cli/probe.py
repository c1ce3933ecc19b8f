"""This machine's /dev/kvm as a host profile."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.files import is_file
from armlevel.cli.options import Force, Output
from armlevel.cli.output import tell
from armlevel.documents.names import named
from armlevel.documents.outputs import write_output
from armlevel.documents.write import pretty
from armlevel.operations.probe import probe

__all__ = ["run"]


def run(
    output: Output = "",
    force: Force = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What to call the host; else its host name.")
    ] = "",
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Ask every shape every question, also those another one answered."),
    ] = False,
    no_vmms: Annotated[
        bool,
        typer.Option(
            "--no-vmms", help="Do not run QEMU and other VMMs with --version, to note which there are."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the profile (as without -o).")] = False,
) -> int:
    """Read this machine and what its KVM takes and refuses, in scratch VMs that are gone when it ends.

    The host profile is written to FILE, or printed.
    """
    progress.begin("probing this machine")
    probed = probe(named("--name", name), thorough=thorough, vmms=not no_vmms)
    progress.end()
    text = pretty(probed.document())
    if is_file(output):
        write_output(output, text, force=force)
    if as_json or not is_file(output):
        sys.stdout.write(text)
    for remark in probed.remarks:
        tell(remark)
    return probed.status
