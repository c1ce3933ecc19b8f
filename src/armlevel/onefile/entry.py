"""The one file of the guard: `armlevel-guard.pyz try`, `hook` and `bytecode`, each in its own module."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_HELP = """\
usage: armlevel-guard try [--cache FILE] [--emulator PROGRAM] < PACKED
       armlevel-guard hook OPERATION DOMAIN < domain.xml
       armlevel-guard bytecode [--check]
"""
_BAD_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the first word says."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["try"]:
        from armlevel.onefile.trying import main as try_it

        return try_it(words[1:])
    if words[:1] == ["hook"]:
        from armlevel.onefile.guard import main as hook

        return hook(words[1:])
    if words[:1] == ["bytecode"]:
        from armlevel.onefile.bytecode import main as compile_it

        return compile_it(words[1:])
    asked = words[:1] in (["-h"], ["--help"])
    print(_HELP, end="", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else _BAD_USAGE
