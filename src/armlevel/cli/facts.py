"""Search the catalogue."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from armlevel.arch import load
from armlevel.cli.options import Json
from armlevel.cli.output import say, say_json, tell
from armlevel.cli.rows import Found, find, found_json, found_lines, near_matches

__all__ = ["run"]


def run(
    terms: Annotated[
        list[str],
        typer.Argument(metavar="TERM", help="FEAT_SVE, ID_AA64PFR0_EL1.SVE, 0xd0c, 'Neoverse N1', sha3 ..."),
    ],
    as_json: Json = False,
) -> int:
    """Search the facts: a feature, a field or register, a core's number or name, a MIDR, a hwcap.

    Shows what announces a feature, the rules that speak of it, a field's order and values, and on which kernels KVM
    lets it be written; each with its source. Exit 1 if nothing is called so.
    """
    catalogue = load()
    found: dict[str, list[Found]] = {term: find(term, catalogue) for term in terms}
    nothing = [term for term, some in found.items() if not some]
    if as_json:
        rows: list[dict[str, Any]] = [found_json(one, catalogue) for some in found.values() for one in some]
        say_json({"found": rows, "nothing": nothing})
    else:
        lines: list[str] = []
        for one in dict.fromkeys(one for some in found.values() for one in some):
            lines += [*([""] if lines else []), *found_lines(one, catalogue)]
        say(lines)
    for term in nothing:
        near = near_matches(term, catalogue)
        tell(f"nothing is called {term!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    return 1 if nothing else 0
