"""What guests read from their ID registers under TCG, where the model's name is all that QEMU was asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.files import is_file
from armlevel.cli.options import Force
from armlevel.cli.output import tell
from armlevel.documents.outputs import write_output
from armlevel.documents.write import host_object, pretty
from armlevel.errors import UnknownName, UsageError
from armlevel.lab import Laboratory, LabSettings
from armlevel.lab.tcg import TCG_MODELS, tcg_hosts
from armlevel.lab.vmms import VMMS

__all__ = ["run"]


def run(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="CPU models of the lab, as cortex-a76.")
    ],
    qemu: Annotated[str, typer.Option("--qemu", metavar="VERSION", help="10 or 11.")] = "11",
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the profile to FILE; - is standard output."
        ),
    ] = "",
    directory: Annotated[
        str, typer.Option("-d", "--directory", metavar="DIR", help="Write a profile for each model there.")
    ] = "",
    force: Force = False,
    mirror: Annotated[
        str, typer.Option("--mirror", metavar="URI", help="Debian's archive, if apt here knows none.")
    ] = "",
    keyring: Annotated[
        str, typer.Option("--keyring", metavar="FILE", help="The keys it is signed with.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the profile (as without -o).")] = False,
) -> int:
    """Say what a guest reads under TCG with -cpu MODEL, as a profile that show, facts and diff take.

    The same name shows another CPU on a host with KVM. No guest of a host runs there, so nothing else takes it.
    """
    if unknown := [model for model in models if model not in TCG_MODELS]:
        raise UnknownName("CPU model of the lab", unknown[0], TCG_MODELS)
    if qemu not in VMMS:
        raise UnknownName("QEMU of the lab", qemu, tuple(VMMS))
    if len(models) > 1 and not directory:
        raise UsageError(f"{len(models)} models, and one profile is printed", hint="name a directory with -d")
    if directory and (output or as_json):
        raise UsageError(
            "a profile goes to a directory or to one file", hint="leave -d away, or -o and --json"
        )
    lab = Laboratory(LabSettings.of(os.environ, mirror=mirror, keyring=keyring), tell, watch=progress.watch)
    progress.begin(f"TCG of QEMU {qemu}: {' '.join(models)}")
    found = tcg_hosts(lab, models, qemu)
    progress.end()
    if directory:
        Path(directory).mkdir(parents=True, exist_ok=True)
    for host in found.values():
        text = pretty(host_object(host))
        if directory:
            write_output(str(Path(directory, f"{host.name}.json")), text, force=force)
            tell(f"{host.name}: {len(host.offers[0].limits)} registers read")
        elif is_file(output):
            write_output(output, text, force=force)
        if not directory and (as_json or not is_file(output)):
            sys.stdout.write(text)
    return 0
