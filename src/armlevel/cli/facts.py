"""Search the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli.many import counted
from armlevel.cli.options import Json
from armlevel.cli.output import columns, say, say_json, tell
from armlevel.cli.rows import found_lines
from armlevel.operations.facts import InProfile, facts
from armlevel.operations.named import load_all

__all__ = ["run"]


def run(
    terms: Annotated[
        list[str],
        typer.Argument(metavar="TERM", help="FEAT_SVE, ID_AA64PFR0_EL1.SVE, 0xd0c, 'Neoverse N1', sha3 ..."),
    ],
    profiles: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="PROFILE", help="Say what this host or guest has of it. Repeatable."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Search the facts: a feature, a field or register, a core's number or name, a MIDR, a hwcap.

    Shows what announces a feature, the rules that speak of it, a field's order and values, and on which kernels KVM
    lets it be written; each with its source. Exit 1 if nothing is called so.
    """
    found = facts(terms, [loaded.document for loaded in load_all(profiles)] if profiles else ())
    if as_json:
        say_json(found.document())
    else:
        known = len(terms) - len(found.near)
        lines = [f"{counted(known, len(terms))} terms known"] if len(terms) > 1 else []
        lines += columns(
            [(f"{one.name}", _value(one), f"in {one.profile}, shape {one.shape}") for one in found.shown]
        )
        for one in found.rows:
            lines += [*([""] if lines else []), *found_lines(one, load())]
        say(lines)
    for term, near in found.near:
        tell(f"nothing is called {term!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    return found.status


def _value(one: InProfile) -> str:
    if one.value is None:
        return "not recorded"
    if isinstance(one.value, bool):
        return "yes" if one.value else "no"
    return str(one.value) if "." in one.name else f"{one.value:#x}"
