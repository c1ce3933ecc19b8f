"""What `armlevel lab verify` runs inside an emulated host: apply a guest profile there, and say what is different.

Standard library only; `armlevel verify` is the same on a machine that has armlevel installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from armlevel.documents.plain import plain_guest
from armlevel.kvm.device import Kvm
from armlevel.probe.apply import apply_guest
from armlevel.probe.machine import read_machine

__all__ = ["main"]


def main() -> int:
    """Apply the profile in the file that is named first; write what was found to the one named second."""
    from armlevel.probe.compiled import PLAN  # type: ignore[import-not-found,unused-ignore]  # only where it is sent

    profile, target = map(Path, sys.argv[1:3])
    guest = plain_guest(profile.read_bytes(), str(profile))
    with Kvm() as kvm:
        applied = apply_guest(kvm, guest, PLAN, pmu=read_machine().pmu)
    found = {
        "differences": [list(one) for one in applied.differences],
        "notes": [list(one) for one in applied.notes],
        "read": dict(applied.read),
        "gic": applied.gic,
    }
    target.write_text(json.dumps(found), encoding="ascii")
    return 0
