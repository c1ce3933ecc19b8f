"""What KVM calls writable in each shape of a host that was just probed: sent along with the probe, in the same boot.

    python3 -I masks_inside.py HOST.json OUT.json

A table of words (KVM_ARM_GET_REG_WRITABLE_MASKS) for each offer of the profile, in its order; null where KVM has none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "inside"))

from armlevel.kvm.device import Kvm
from armlevel.probe import read_machine
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Shape


def masks(offers: list[dict[str, Any]]) -> list[tuple[int, ...] | None]:
    """Return the table of each offer's shape."""
    pmu = read_machine(vmms=False).pmu
    tables: list[tuple[int, ...] | None] = []
    with Kvm() as kvm:
        for offer in offers:
            shape = offer["shape"]
            of = Shape(frozenset(shape.get("features", ())), bool(shape.get("imp_id_writable")))
            with vcpu_of(kvm, of, pmu=pmu) as (vm, _vcpu):
                tables.append(vm.writable_masks())
    return tables


if __name__ == "__main__":
    profile = json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))
    Path(sys.argv[2]).write_text(json.dumps(masks(profile["offers"])), encoding="ascii")
