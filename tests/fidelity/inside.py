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

from armlevel.errors import KvmError
from armlevel.kvm.device import Kvm
from armlevel.onefile.verifier import catalogue_of
from armlevel.probe.apply import apply_guest
from armlevel.probe.machine import read_machine
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Facts, Guest, Implementation, Shape, ShownImplementation

__all__ = ["main"]


def shape_of(given: Any) -> Shape:
    """Return the shape a task names."""
    return Shape(frozenset(given["features"]), imp_id_writable=given["imp_id_writable"])


def restore(kvm: Kvm, shape: Shape, values: list[list[int]], pmu: int | None) -> list[Any]:
    """Write all registers in order to one scratch vCPU; give back for each what is there, or why it was refused."""
    with vcpu_of(kvm, shape, pmu=pmu) as (_vm, vcpu):
        if "sve" in shape.features:
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


def guest_of(given: Any) -> Guest:
    """Return the guest profile of a task."""
    paint = given["implementation"]
    return Guest(
        given["name"],
        shape_of(given["shape"]),
        given["registers"],
        firmware=given["firmware"],
        sve_vls=None if given["sve_vls"] is None else tuple(given["sve_vls"]),
        facts=Facts(**given["facts"]),
        implementation=None if paint is None else ShownImplementation(Implementation(*paint)),
    )


def apply(kvm: Kvm, guest: Guest, catalogue: Any, pmu: int | None) -> Any:
    """Apply a guest profile; give back what differs, and what only leaks: (subject, wanted, found, seen by)."""
    try:
        applied = apply_guest(kvm, guest, catalogue, pmu=pmu)
    except KvmError as exc:
        return [["shape", guest.shape.label, str(exc), "kvm"]], []
    return [list(one) for one in applied.differences], [list(one) for one in applied.notes]


def masks(kvm: Kvm, shape: Shape, pmu: int | None) -> Any:
    """Return what KVM says is writable in this shape; None where it does not say."""
    with vcpu_of(kvm, shape, pmu=pmu) as (vm, _vcpu):
        return vm.writable_masks()


def main() -> None:
    """Do what ``tasks`` says; leave ``found`` in the directory that ``OUT`` names."""
    from armlevel.probe.compiled import PLAN  # type: ignore[import-not-found,unused-ignore]  # made when it is sent

    with gzip.open("tasks", "rt", encoding="ascii") as source:
        tasks = json.load(source)
    pmu, catalogue = read_machine().pmu, catalogue_of(PLAN)
    begun = time.perf_counter()
    with Kvm() as kvm:
        restored = [restore(kvm, shape_of(shape), values, pmu) for shape, values in tasks["restore"]]
        middle = time.perf_counter()
        applied = [apply(kvm, guest_of(one), catalogue, pmu) for one in tasks["apply"]]
        said = [masks(kvm, shape_of(shape), pmu) for shape in tasks["masks"]]
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
