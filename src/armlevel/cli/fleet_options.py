"""Options that the verbs of ``fleet`` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.fleet.audit import Audit
from armlevel.profile import Implementation
from armlevel.words.fleet import CHAIN_FAULTS, CONTENT_FAULTS
from armlevel.words.subjects import core_name

__all__ = ["Actor", "Fleet", "PoolName", "Reason", "cores_text", "faults_text", "kind_text"]

Fleet = Annotated[
    str,
    typer.Option(
        "--fleet",
        metavar="PATH",
        help="The store, a file or postgresql://...; else ARMLEVEL_FLEET, else in your state directory.",
    ),
]
Actor = Annotated[
    str,
    typer.Option("--actor", metavar="NAME", help="Who does it, for the history; else who is logged in."),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the history.")]
PoolName = Annotated[str, typer.Argument(metavar="POOL", help="A pool's name.")]


def cores_text(midrs: Sequence[str]) -> str:
    """Return the cores that MIDR_EL1 values are of."""
    names = [core_name(Implementation(int(midr, 16)), load()) for midr in midrs]
    return " and ".join(names) or "core not recorded"


def kind_text(midrs: Sequence[str], kernel: str | None) -> str:
    """Return a kind in words: its cores and its kernel."""
    return f"{cores_text(midrs)}, {f'Linux {kernel}' if kernel else 'kernel not recorded'}"


def faults_text(found: Audit) -> list[str]:
    """Return what is wrong with a history, each fault in words."""
    faults = [CHAIN_FAULTS[one.kind].format(seq=one.seq) for one in found.chain]
    return faults + [CONTENT_FAULTS[one.kind].format(table=one.table, row=one.row) for one in found.contents]
