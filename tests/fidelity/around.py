"""What stands around the vCPU of the host that this runs in: sent along with the probe, to add to a recording of it.

    python3 -I around.py OUT.json

Asks KVM what the probe asks of it for ``Host.machine`` and each CPU's counter, and leaves the long trying of ID
registers out.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "inside"))

from armlevel.documents.write import host_object, pretty
from armlevel.kvm.device import Kvm
from armlevel.probe import Machine, read_machine
from armlevel.probe.counters import frequencies, with_frequencies
from armlevel.probe.host_machine import machine_of
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.shapes import known_features, shapes_of, vcpu_of
from armlevel.profile import Facts, Host, Offer, Shape, Software


def listed(kvm: KvmLike, shape: Shape, pmu: int | None) -> tuple[int, ...]:
    """Return the register list of a shape."""
    with vcpu_of(kvm, shape, pmu=pmu) as (_vm, vcpu):
        if "sve" in shape.features:
            vcpu.finalize_sve()
        return tuple(sorted(vcpu.registers()))


def around(kvm: KvmLike, machine: Machine) -> Host:
    """Return a host profile that says no more than what stands around the vCPU."""
    shapes = shapes_of(kvm, known_features(kvm))
    offers = [Offer(shape, register_list=listed(kvm, shape, machine.pmu)) for shape in shapes]
    cpus = with_frequencies(machine.cpus, machine.where, frequencies(kvm, machine.usable))
    return Host(
        machine.name,
        (Offer(Shape()),),
        cpus,
        Facts(page_size=machine.page_size),
        Software(machine.kernel),
        machine=machine_of(kvm, offers, machine.mode),
    )


if __name__ == "__main__":
    with Kvm() as kvm:
        found = around(kvm, read_machine(vmms=False))
    Path(sys.argv[1]).write_text(pretty(host_object(found)), encoding="utf-8")
