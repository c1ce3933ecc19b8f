"""The program that reads which VMs run on a host: prints running-guests/1, for `armlevel guests --running FILE`.

Standard library only. It opens files for reading and does nothing else: no VM is stopped, asked or changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from armlevel.documents.running import running_object
from armlevel.documents.write import pretty
from armlevel.probe.running import read_running

__all__ = ["main"]

BAD_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what runs here; 0, or 2 for words that it does not take."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words:
        print("usage: armlevel-guests > running.json", file=sys.stderr)
        return 0 if words[0] in ("-h", "--help") else BAD_USAGE
    sys.stdout.write(pretty(running_object(read_running())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
