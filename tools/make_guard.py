"""Build the one-file guard, dist/armlevel-guard.pyz: `try` and `hook`, what they ask of the rows, and bytecode.

As the one-file probe (tools/make_probe.py), which also says for which Pythons there is bytecode.

    python tools/make_guard.py [-o dist/armlevel-guard.pyz]
"""

from __future__ import annotations

import sys
from pathlib import Path

from armlevel.lab import pack_guard
from make_probe import MAIN, build, chore, sources

DEFAULT = Path(__file__).parent.parent / "dist" / "armlevel-guard.pyz"


#: `python3 ARCHIVE`, and what libvirt's hook imports.
DOORS = ("__main__.py", "armlevel_guard.py")


def build_guard(target: Path) -> list[str]:
    """Write the archive whole or not at all; return the bytecodes it has."""
    packed = pack_guard()
    choose = MAIN.replace("armlevel-probe", "armlevel-guard").partition("from armlevel.")[0]
    return build(target, sources(lambda: packed), choose + packed[DOORS[1]].decode(), DOORS)


def main() -> int:
    """Build it and say what it holds."""
    return chore(__doc__, DEFAULT, build_guard)


if __name__ == "__main__":
    sys.exit(main())
