"""Runs inside an emulated host under the library, as a VMM of a few calls: what KVM answers then."""

from __future__ import annotations

import errno
import json
import os
import resource
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, "/job/inside")

from armlevel.errors import KvmError
from armlevel.kvm import numbers
from armlevel.kvm.calls import ask
from armlevel.kvm.device import Kvm
from armlevel.kvm.vcpu import Vcpu
from armlevel.kvm.vm import Vm

PRIVATE, SCRATCH = "/dev/kvm-armlevel", "/dev/kvm"
WORKAROUND_3, ISAR0, VLS = 0x6030_0000_0014_0003, 0x6030_0000_0013_C030, 0x6060_0000_0015_FFFF
CLIDR = 0x6030_0000_0013_C801


class Machine:
    """A VM with one vCPU, or more, initialised as QEMU does it."""

    def __init__(self, device: str, tasks: dict[str, Any], vcpus: int = 1) -> None:
        self.kvm = Kvm(device)
        self.vm: Vm = self.kvm.create_vm()
        self.bits, self.vectors = tasks["bits"], tasks["vectors"]
        self.vcpus = [self.vm.create_vcpu() for _ in range(vcpus)]
        for vcpu in self.vcpus:
            self.init(vcpu)
            if self.vectors:
                vcpu.set(VLS, self.vectors)
                vcpu.finalize_sve()
        self.vcpu: Vcpu = self.vcpus[0]

    def init(self, vcpu: Vcpu) -> None:
        vcpu.init(self.bits)

    def ready(self) -> None:
        self.vm.create_vgic("vgic-v3").initialise()
        for vcpu in self.vcpus:
            vcpu.enable_pmu(irq=True)

    def run(self, vcpu: Vcpu) -> None:
        """Let KVM_RUN come back at once: what is read back is read back before."""
        vcpu.finalize()


def listed(tasks: dict[str, Any]) -> Any:
    """The register list, asked as KVM's protocol has it."""
    vcpu = Machine(SCRATCH, tasks).vcpu
    room = bytearray(struct.pack("<QQ", 0, 0))
    try:
        ask(vcpu.fd, numbers.GET_REG_LIST, room)
        code = 0
    except KvmError as exc:
        code = exc.code
    return {
        "code": errno.errorcode.get(code),
        "counted": struct.unpack_from("<Q", room)[0],
        "list": [f"{one:x}" for one in vcpu.registers()],
    }


def levels(tasks: dict[str, Any]) -> Any:
    """A workaround level before the guest runs, while it runs, and after a reset."""
    machine = Machine(PRIVATE, tasks)
    machine.ready()
    found = [machine.vcpu.get(WORKAROUND_3)]
    machine.init(machine.vcpu)
    found.append(machine.vcpu.get(WORKAROUND_3))
    machine.run(machine.vcpu)
    found.append(machine.vcpu.get(WORKAROUND_3))
    machine.init(machine.vcpu)
    return [*found, machine.vcpu.get(WORKAROUND_3)]


def missing(tasks: dict[str, Any]) -> Any:
    """A guest that was told a level above this host's arrives, and runs if that was accepted."""
    machine = Machine(PRIVATE, tasks)
    machine.ready()
    try:
        machine.vcpu.set(WORKAROUND_3, 3)
        print("taken", flush=True)
    except KvmError as exc:
        print(errno.errorcode[exc.code], flush=True)
    machine.run(machine.vcpu)
    return machine.vcpu.get(WORKAROUND_3)


def scratch(tasks: dict[str, Any]) -> Any:
    """A vCPU of another shape: no harm in a scratch VM, the end of one with memory."""
    machine = Machine(SCRATCH, {"bits": [2], "vectors": 0})
    print("scratch stands", flush=True)
    machine.vm.add_memory(0, b"guest")
    return "memory given"


def private(tasks: dict[str, Any]) -> Any:
    """A vCPU of another shape in the VM that was opened by the private name."""
    Machine(PRIVATE, {"bits": [2], "vectors": 0})
    return "initialised"


def changed(tasks: dict[str, Any]) -> Any:
    """A VMM that writes something else afterwards."""
    machine = Machine(PRIVATE, tasks)
    machine.ready()
    machine.vcpu.set(ISAR0, machine.vcpu.get(ISAR0) & ~0xF0)  # AES
    print("written", flush=True)
    machine.run(machine.vcpu)
    return "ran"


def threads(tasks: dict[str, Any]) -> Any:
    """Eight vCPUs that start at once."""
    machine = Machine(PRIVATE, tasks, vcpus=8)
    machine.ready()
    workers = [threading.Thread(target=machine.run, args=[vcpu]) for vcpu in machine.vcpus]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len({vcpu.get(ISAR0) for vcpu in machine.vcpus})


def refused(tasks: dict[str, Any]) -> Any:
    """A register value that KVM refuses."""
    vcpu = Machine(SCRATCH, tasks).vcpu
    try:
        vcpu.set(ISAR0, 0xFFFF_FFFF_FFFF_FFFF)
    except KvmError as exc:
        return errno.errorcode[exc.code]
    return "taken"


def forgets(tasks: dict[str, Any]) -> Any:
    """A register of the vCPU that is another one when the vCPU is initialised again."""
    machine = Machine(PRIVATE, tasks)
    machine.ready()
    machine.vcpu.set(CLIDR, machine.vcpu.get(CLIDR) ^ 1 << 30)  # ICB
    print("written", flush=True)
    machine.init(machine.vcpu)
    return "initialised"


def again(tasks: dict[str, Any]) -> Any:
    """The same, found when the vCPU comes back from running; the first KVM_RUN comes back without having run."""
    machine = Machine(PRIVATE, tasks)
    machine.ready()
    try:
        ask(machine.vcpu.fd, numbers.RUN)
    except KvmError as exc:
        print(errno.errorcode[exc.code], flush=True)
    machine.vcpu.set(CLIDR, machine.vcpu.get(CLIDR) ^ 1 << 30)
    machine.run(machine.vcpu)
    return "came back"


def many(tasks: dict[str, Any]) -> Any:
    """More VMs than the library can follow at once, and a file with a larger number than it follows."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (70000, 70000))
    kvm = Kvm(SCRATCH)
    for _ in range(70):
        with kvm.create_vm():
            os.dup(0)  # so that the next one has another number
    while os.dup(0) < 65535:
        pass
    return os.open("/dev/null", os.O_RDONLY)


def others(tasks: dict[str, Any]) -> Any:
    """What is not KVM's goes on as before."""
    try:
        ask(0, numbers.RUN)
        code = 0
    except KvmError as exc:
        code = exc.code
    Path("/tmp/written").write_text("words", encoding="ascii")
    return [
        errno.errorcode.get(code),
        Path("/tmp/written").read_text(encoding="ascii"),
        Path("/nowhere").exists(),
        oct(Path(os.environ["ARMLEVEL_LOG"]).stat().st_mode & 0o777),
    ]


SCENES: dict[str, Callable[[dict[str, Any]], Any]] = {
    scene.__name__: scene
    for scene in (
        listed,
        levels,
        missing,
        scratch,
        private,
        changed,
        threads,
        refused,
        forgets,
        again,
        many,
        others,
    )
}
SCENES["accepted"] = missing
if __name__ == "__main__":
    print(json.dumps(SCENES[sys.argv[1]](json.loads(Path("/job/tasks.json").read_text(encoding="ascii")))))
