#!/usr/bin/env python3
"""Record what TCG guests of the lab's models read, under both QEMUs, for the atlas (tests/machines/tcg.json.xz).

    tools/record_tcg.py [DIRECTORY]

Boots one emulated host for each QEMU; with a directory, takes the profiles that `armlevel lab tcg -d` wrote there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from armlevel.documents import load_hosts  # noqa: E402
from armlevel.lab import Laboratory, LabSettings  # noqa: E402
from armlevel.lab.tcg import TCG_MODELS, tcg_hosts  # noqa: E402
from armlevel.lab.vmms import VMMS  # noqa: E402
from tests.machines.tcg import write  # noqa: E402


def main() -> int:
    """Record them; 0 if all were read."""
    if len(sys.argv) > 1:
        hosts = load_hosts(sys.argv[1:])
    else:
        lab = Laboratory(LabSettings.of(os.environ), lambda what: print(what, flush=True))
        hosts = [host for qemu in VMMS for host in tcg_hosts(lab, TCG_MODELS, qemu).values()]
    write(hosts)
    print(f"{len(hosts)} profiles recorded")
    return 0 if len(hosts) == len(VMMS) * len(TCG_MODELS) else 1


if __name__ == "__main__":
    sys.exit(main())
