"""What runs inside an emulated host: QEMU asked and started with exported options, KVM's calls made, templates applied.

Standard library only, and none of armlevel: a judge does not borrow from the judged.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

CREATE_VM, CREATE_VCPU, ENABLE_CAP = 0xAE01, 0xAE41, 0x4068AEA3
GET_ONE_REG, SET_ONE_REG = 0x4010AEAB, 0x4010AEAC
VCPU_INIT, PREFERRED_TARGET, FINALIZE = 0x4020AEAE, 0x8020AEAF, 0x4004AEC2
CREATE_DEVICE, SET_DEVICE_ATTR = 0xC00CAEE0, 0x4018AEE1
VGIC_V3, SVE = 7, 4


class Qmp:
    """One QEMU, started with options, asked over QMP."""

    def __init__(self, program, machine, cpu):
        line = [
            program,
            "-machine",
            machine,
            "-cpu",
            cpu,
            "-m",
            "128M",
            "-S",
            "-nodefaults",
            "-display",
            "none",
        ]
        # QEMU is handed a socket that is connected already; it closes it when it ends.
        self.socket, theirs = socket.socketpair()
        monitor = ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]
        with theirs:
            self.process = subprocess.Popen(
                [*line, *monitor], stderr=subprocess.PIPE, text=True, pass_fds=(theirs.fileno(),)
            )
        self.lines = self.socket.makefile("r")
        self.runs = bool(self._line())
        if self.runs:
            self.ask("qmp_capabilities")

    def _line(self):
        try:
            return self.lines.readline()
        except ConnectionResetError:
            return ""

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self._line())
            if "event" not in answer:
                return answer.get("return", answer.get("error"))

    def close(self):
        self.process.kill()
        _, said = self.process.communicate()
        self.lines.close()
        self.socket.close()
        return said


def ask_qemu(program, task):
    qemu = Qmp(program, *task["first"])
    if not qemu.runs:
        return {"failed": qemu.close()}
    found = {
        "expansion": qemu.ask("query-cpu-model-expansion", type="full", model={"name": "host"}),
        "properties": qemu.ask("qom-list-properties", typename="host-arm-cpu"),
        "expanded": [
            qemu.ask("query-cpu-model-expansion", type="full", model={"name": "host", "props": props})
            for props in task["props"]
        ],
    }
    qemu.close()
    found["started"] = []
    for machine, cpu, names in task["starts"]:
        qemu = Qmp(program, machine, cpu)
        if not qemu.runs:
            found["started"].append({"failed": qemu.close()})
            continue
        (one, *_) = qemu.ask("query-cpus-fast")
        got = {name: qemu.ask("qom-get", path=one["qom-path"], property=name) for name in names}
        found["started"].append(got)
        qemu.close()
    return found


def ioctl(fd, number, argument=0):
    return fcntl.ioctl(fd, number, argument)


def register(fd, identifier, value=None):
    size = 1 << (identifier >> 52 & 0xF)
    buffer = bytearray(size) if value is None else bytearray(value.to_bytes(size, "little"))
    import ctypes

    address = ctypes.addressof((ctypes.c_char * size).from_buffer(buffer))
    number = GET_ONE_REG if value is None else SET_ONE_REG
    ioctl(fd, number, struct.pack("QQ", identifier, address))
    return int.from_bytes(buffer, "little")


@contextlib.contextmanager
def vcpu(features, caps=(), sve_words=None, gic=True):
    with contextlib.ExitStack() as stack:

        def keep(fd):
            stack.callback(os.close, fd)
            return fd

        kvm = keep(os.open("/dev/kvm", os.O_RDWR))
        vm = keep(ioctl(kvm, CREATE_VM))
        for cap in caps:
            ioctl(vm, ENABLE_CAP, struct.pack("II4Q64x", cap, 0, 0, 0, 0, 0))
        fd = keep(ioctl(vm, CREATE_VCPU))
        target, *_ = struct.unpack("8I", ioctl(vm, PREFERRED_TARGET, bytes(32)))
        ioctl(fd, VCPU_INIT, struct.pack("8I", target, features, *[0] * 6))
        if sve_words is not None:
            register(fd, 0x606000000015FFFF, sum(word << 64 * n for n, word in enumerate(sve_words)))
        if features >> SVE & 1:
            ioctl(fd, FINALIZE, struct.pack("i", SVE))
        if gic:
            device = struct.unpack("III", ioctl(vm, CREATE_DEVICE, struct.pack("III", VGIC_V3, 0, 0)))[1]
            keep(device)
        yield fd


def replay(document):
    """Make the calls of `--to kvm`; return what is different in the end."""
    calls = document["calls"]
    caps = [one["cap"] for one in calls if one["call"] == "KVM_ENABLE_CAP"]
    features = next(int(one["features"], 16) for one in calls if one["call"] == "KVM_ARM_VCPU_INIT")
    words = next(([int(word, 16) for word in one["words"]] for one in calls if "words" in one), None)
    wrong = []
    with vcpu(features, caps, words) as fd:
        for one in calls:
            if one["stage"] not in {"run", "after"}:
                continue
            value = int(one["value"], 16)
            try:
                got = register(fd, int(one["id"], 16), value if one["stage"] == "run" else None)
            except OSError as exc:
                wrong.append([one["stage"], one["name"], one["value"], exc.strerror])
                continue
            if got != value:
                wrong.append([one["stage"], one["name"], one["value"], hex(got)])
    return wrong


def template(document):
    """Do what Firecracker does with a custom CPU template; return what the registers are then."""
    features = 1 << 2
    for one in document["vcpu_features"]:
        features |= int(one["bitmap"].removeprefix("0b").replace("x", "0"), 2)
    after = {}
    with vcpu(features) as fd:
        for one in document["reg_modifiers"]:
            digits, identifier = one["bitmap"].removeprefix("0b"), int(one["addr"], 16)
            keep = int(digits.replace("0", "0").replace("1", "0").replace("x", "1"), 2)
            value = register(fd, identifier) & keep | int(digits.replace("x", "0"), 2)
            try:
                register(fd, identifier, value)
            except OSError as exc:
                after[one["addr"]] = exc.strerror
                continue
            after[one["addr"]] = (
                f"{register(fd, identifier):#x}" if register(fd, identifier) == value else "changed"
            )
    return after


def main():
    tasks = json.loads(Path("tasks.json").read_text())
    found = {
        "qemu": {version: ask_qemu(f"/opt/qemu-{version}/qemu-system-aarch64", task)
                 for version, task in tasks["qemu"].items()},
        "calls": [replay(one) for one in tasks["calls"]],
        "templates": [template(one) for one in tasks["templates"]],
    }  # fmt: skip
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
