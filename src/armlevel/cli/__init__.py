"""Speaking: one file a verb; each parses, calls the rooms below, and prints. Imported by nobody.

Nothing is imported before it is used: what a command line costs is mostly what it imports.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process, and leave with its exit status."""
    if sys.argv[1:] in (["--version"], ["-V"]) and _tell_version():
        sys.exit(0)
    import gc

    # What is imported now lives until the end: looking for garbage among it would take a tenth of the time.
    gc.set_threshold(100_000, 20, 100)
    try:
        from armlevel.cli.app import leave

        leave()
    except KeyboardInterrupt:  # before or after the command line itself, which has its own answer
        sys.exit(130)


def _tell_version() -> bool:
    # Before anything is imported; what cannot be written is for the command line to say.
    from armlevel import __version__

    try:
        print(f"armlevel {__version__}", flush=True)
    except (OSError, ValueError):
        return False
    return sys.stdout is not None
