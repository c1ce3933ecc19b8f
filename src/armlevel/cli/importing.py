"""Other tools' files in, host profiles out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from armlevel import __version__
from armlevel.arch import load
from armlevel.cli.inputs import load_all
from armlevel.cli.options import OneFile, Output
from armlevel.cli.output import say_json, tell
from armlevel.documents import host_object, pretty, replace_file
from armlevel.errors import BadDocument, UsageError
from armlevel.profile import Host

__all__ = ["run"]


def run(
    file: OneFile,
    output: Output = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The host's name; else FILE's.")] = "",
) -> int:
    """Turn another tool's file into a host profile.

    Known: Firecracker fingerprints and cpu-config dumps, KVM's debugfs idregs, /proc/cpuinfo with the identification
    registers of sysfs, and a JSON map of registers. Which it is, is told by what is in it. What such a host
    offers is predicted; what the file does not record stays unknown.
    """
    found = load_all([file])
    if len(found) > 1:
        raise UsageError(f"{file}: {len(found)} files, and one is imported at a time", hint="name one file")
    host = found[0].document
    if not isinstance(host, Host):
        raise BadDocument(
            found[0].path, ("this is a document of ours and no host; nothing is to be imported",)
        )
    made = replace(
        host.made,
        tool=host.made.tool or f"armlevel {__version__}",
        catalogue=host.made.catalogue or load().version,
    )
    document = host_object(replace(host, name=name or host.name, made=made))
    if output:
        replace_file(output, pretty(document))
        tell(f"{name or host.name} written to {output}")
    else:
        say_json(document)
    return 0
