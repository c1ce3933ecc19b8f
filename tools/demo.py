"""Recorded AWS Graviton2, 3 and 4 hosts on three kernels, levelled: the real commands on the machines that ship.

Who can go where, a common CPU where there is one, and what stands in the way where there is none: ``make demo``.
"""

from __future__ import annotations

import sys

from armlevel.cli.app import run
from armlevel.cli.output import CLOSED, silence

#: What the commands below answer: the matrix ran; a baseline; none, for registers; none, for facts.
STEPS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("matrix", "@graviton*")),
    (0, ("baseline", "@graviton2-6.1", "@graviton2-6.18")),
    (1, ("baseline", "@graviton2-6.18", "@graviton3-6.18")),
    (1, ("baseline", "@graviton3-6.18", "@graviton4-6.18")),
)


def main() -> int:
    """Run every step; 1 if one of them answered something else than it should."""
    wrong = 0
    for index, (expected, arguments) in enumerate(STEPS):
        quoted = " ".join(f"'{text}'" if "*" in text else text for text in arguments)
        print(f"{chr(10) if index else ''}$ armlevel {quoted}", flush=True)
        wrong |= run(arguments) != expected
        sys.stdout.flush()
    return wrong


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        silence()
        sys.exit(CLOSED)
