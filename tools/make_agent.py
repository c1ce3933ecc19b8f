"""Build the one-file agent, dist/armlevel-agent.pyz: the probe, and what signs and spools what it found.

python tools/make_agent.py [-o dist/armlevel-agent.pyz]
"""

from __future__ import annotations

import sys
from pathlib import Path

from armlevel.lab.collector import pack_agent
from make_probe import MAIN, build, chore, sources

__all__ = ["build_agent", "main"]

DEFAULT = Path(__file__).parent.parent / "dist" / "armlevel-agent.pyz"


def build_agent(target: Path) -> list[str]:
    """Write the archive whole or not at all; return the bytecodes it has."""
    main = MAIN.replace("armlevel-probe", "armlevel-agent").replace("onefile.collector", "onefile.agent")
    return build(target, sources(pack_agent), main)


def main() -> int:
    """Build it and say what it holds."""
    return chore(__doc__, DEFAULT, build_agent, others="the others")


if __name__ == "__main__":
    sys.exit(main())
