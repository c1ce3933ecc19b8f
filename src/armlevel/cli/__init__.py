"""Speaking: one file a verb; each parses, calls the rooms below, and prints. Imported by nobody.

Words live here (``words``, ``subjects``); causes come from the engine's findings. Nothing is imported before it is
used: the one-file probe (``collector``) runs where there is nothing but the standard library.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process, and leave with its exit status."""
    import gc
    import sys

    # What is imported now lives until the end: looking for garbage among it would take a tenth of the time.
    gc.set_threshold(100_000, 20, 100)
    try:
        from armlevel.cli.app import leave

        leave()
    except KeyboardInterrupt:  # before or after the command line itself, which has its own answer
        sys.exit(130)
