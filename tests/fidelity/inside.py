"""What runs inside an emulated host: restore other hosts' registers, and apply guest profiles, in scratch VMs.

It is sent along with the probe's own rooms, so it is this very armlevel that is tried. Standard library only.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path
from typing import Any

from armlevel.documents.maps import Faults
from armlevel.documents.plain import plain_guest
from armlevel.documents.values import shape_of
from armlevel.errors import KvmError
from armlevel.kvm.device import Kvm
from armlevel.probe.apply import Known, apply_guest
from armlevel.probe.machine import read_machine
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Guest, Shape

__all__ = ["main"]


def restore(kvm: Kvm, of: Shape, values: list[list[int]], pmu: int | None) -> list[Any]:
    """Write all registers in order to one scratch vCPU; give back for each what is there, or why it was refused."""
    with vcpu_of(kvm, of, pmu=pmu) as (_vm, vcpu):
        if "sve" in of.features:
            vcpu.finalize_sve()
        found: list[Any] = []
        for register, value in values:
            try:
                vcpu.set(register, value)
                found.append(None)
            except KvmError as exc:
                found.append([exc.code])
        for place, (register, _value) in enumerate(values):
            if found[place] is None:
                found[place] = vcpu.get(register)
        return found


def shape_named(given: Any) -> Shape:
    """Return the shape a task names."""
    return shape_of(given, "shape", Faults())


def apply(kvm: Kvm, guest: Guest, known: Known, pmu: int | None) -> Any:
    """Apply a guest profile; give back what differs, and what only leaks: as `Difference` has them."""
    try:
        applied = apply_guest(kvm, guest, known, pmu=pmu)
    except KvmError as exc:
        return [[f"shape {guest.shape.label}", "refused", "kvm", None, None, exc.code]], []
    return [list(one) for one in applied.differences], [list(one) for one in applied.notes]


def masks(kvm: Kvm, of: Shape, pmu: int | None) -> Any:
    """Return what KVM says is writable in this shape; None where it does not say."""
    with vcpu_of(kvm, of, pmu=pmu) as (vm, _vcpu):
        return vm.writable_masks()


def main() -> None:
    """Do what ``tasks`` says; leave ``found`` in the directory that ``OUT`` names."""
    from armlevel.probe.compiled import PLAN  # type: ignore[import-not-found,unused-ignore]  # made when it is sent

    with gzip.open("tasks", "rt", encoding="ascii") as source:
        tasks = json.load(source)
    pmu = read_machine().pmu
    begun = time.perf_counter()
    with Kvm() as kvm:
        restored = [restore(kvm, shape_named(given), values, pmu) for given, values in tasks["restore"]]
        middle = time.perf_counter()
        applied = [apply(kvm, plain_guest(text.encode(), "task"), PLAN, pmu) for text in tasks["apply"]]
        said = [masks(kvm, shape_named(given), pmu) for given in tasks["masks"]]
    ended = time.perf_counter()
    found = {
        "restore": restored,
        "apply": applied,
        "masks": said,
        "seconds": [middle - begun, ended - middle],
    }
    with gzip.open(Path(os.environ["OUT"], "found"), "wt", encoding="ascii") as target:
        json.dump(found, target)


if __name__ == "__main__":
    main()
