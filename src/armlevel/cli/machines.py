"""The recorded machines that ship."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli.options import Json
from armlevel.cli.output import columns, say, say_json, tell, wrapped
from armlevel.operations.machines import MachinesResult, machines

__all__ = ["run"]


def run(
    pattern: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATTERN", help="A name, part of one, a core, or a pattern: 'graviton3*'."),
    ] = None,
    as_json: Json = False,
) -> int:
    """List the recorded machines that ship.

    The first column is what every command takes for the machine. Exit 1 if there is no such machine.
    """
    found = machines(pattern or ())
    if as_json:
        say_json(found.document())
    elif found.machines:
        say(_page(found))
    if not found.machines:
        near = f"; did you mean {' or '.join(found.near)}?" if found.near else "; armlevel machines lists all"
        tell(f"no recorded machine is called {' or '.join(pattern or ())}{near}")
    return found.status


def _page(found: MachinesResult) -> list[str]:
    count = len(found.machines)
    lines = [f"{count} recorded machine{'s' * (count > 1)}", ""]
    rows = [("machine", "CPU", "kernel")]
    rows += [
        (one.typed, ", ".join(one.cpus) or "not recorded", one.host.software.kernel or "not recorded")
        for one in found.machines
    ]
    lines += columns(rows, "  ")
    if count <= 3:  # a few: what each was made out of
        for one in found.machines:
            shapes = ", ".join(dict.fromkeys(offer.shape.label for offer in one.host.offers))
            ways = ", ".join(sorted({offer.how for offer in one.host.offers}))
            lines += ["", one.typed, *wrapped(f"{shapes} ({ways})", "  shapes   ")]
            lines += wrapped(one.host.made.source or "not recorded", "  source   ")
    return lines
