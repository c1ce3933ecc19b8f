"""Ways of starting QEMU through `armlevel run`: what each is, and what has to come of it.

The guest of all of them is four instructions: it powers itself off, so that a QEMU whose guest ran ends by itself.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from armlevel.preload import fit

__all__ = ["FILES", "SAMPLE", "WAYS", "Way", "commands"]

QEMU = "/opt/qemu-10/qemu-system-aarch64"
PROVED = "armlevel: proved: VM "
LIBRARIES = "LD_LIBRARY_PATH=/usr/lib/aarch64-linux-gnu"
# mov w0, #0x84000008 (PSCI SYSTEM_OFF); hvc #0; b .
OFF = struct.pack("<4I", 0x52800100, 0x72B08000, 0xD4000002, 0x14000000)
SIGSYS = 31


@dataclass(frozen=True, slots=True)
class Way:
    """A command, its further options, and what has to come of it: the guest, or no guest with a sentence."""

    program: str
    options: str
    says: str
    proved: bool = False

    @property
    def command(self) -> list[str]:
        return [*self.program.split(), *self.options.split()]


def _proved(program: str, options: str = "") -> Way:
    return Way(program, options, PROVED, proved=True)


WAYS: Mapping[str, Way] = {
    # QEMU itself (as are the guests of the other tests), and a program that becomes it.
    "prefixed": _proved(f"env A=b {QEMU}", "-perfmap -add-fd fd=9,set=1 -name help -M none -M virt-10.0"),
    "detached": _proved(QEMU, "-daemonize"),
    "waiting": Way(QEMU, "-daemonize -S -pidfile /tmp/waiting.pid", "armlevel: the VM is made and waits"),
    # Programs that start it as they like.
    "execs": _proved("/job/execs", "-append help -serial null -cpu host,sve=off -cpu host"),
    "forks": _proved("/job/forks"),
    "swallows": Way("/job/swallows", "", "\narmlevel: no guest runs\n"),
    "config-tcg": Way(
        "/job/config-tcg", "", "QEMU was started with -readconfig, a file that is not looked into"
    ),
    "perfmap-tcg": Way("/job/perfmap-tcg", "", "QEMU was started with accelerator tcg"),
    "keeps-words": Way("/job/keeps-words", "", "QEMU was started without -accel kvm"),
    "empties": Way("/job/empties", "", "Bad system call"),
    "shuts": Way(
        "/job/shuts",
        "",
        "the configuration of the levelled guest was closed by a program that starts QEMU: fd:",
    ),
    "nothing": Way("/job/nothing", "", "armlevel: no guest was proved to be what the profile says"),
    "forges": Way("/job/forges", "", "what it said of its guest was not said by the library"),
    "child": Way("/job/child", "", "armlevel: no guest was proved"),
    "calls-kernel": Way("/job/calls-kernel", "", "armlevel: no guest was proved"),
    "static": Way("/job/qemu-system-aarch64", "", "is linked statically, and no loader gives it the library"),
}
#: Those that `make test` tries: what people do, and each way around the library once. `make slow` tries the others.
SAMPLE = ("prefixed", "execs", "forks", "swallows", "config-tcg", "perfmap-tcg", "child", "calls-kernel")
_SHELL = {
    "execs": f'exec {QEMU} "$@"',
    "forks": f'{QEMU} -accel kvm "$@"; exit $?',
    "swallows": f'{QEMU} -accel tcg "$@"; exit 0',
    "config-tcg": f'{QEMU} -readconfig /job/tcg.cfg "$@"; exit 0',
    # Under another name.
    "perfmap-tcg": f'cp {QEMU} /tmp/vm && /tmp/vm -perfmap -accel tcg "$@" -perfmap; exit 0',
    "keeps-words": f"exec {QEMU} -M virt-10.0 -cpu max -nodefaults -display none -kernel /job/off",
    "empties": f'env -i {LIBRARIES} {QEMU} -accel kvm "$@"',
    "nothing": "exit 0",
}
_PYTHON = {
    "shuts": f"import subprocess, sys; sys.exit(subprocess.call([{QEMU!r}, *sys.argv[1:]]))",
    "forges": (
        "import os, socket, time; place = int(os.environ['ARMLEVEL_PROOF'][3:]); "
        "socket.socket(fileno=place).send(b'armlevel-proof 1 runs sha256:profile 1 0 83 ' + b'0' * 64); "
        "time.sleep(600)"
    ),
    # What a child has of a process that opened KVM.
    "child": (
        "import os, subprocess; os.open('/dev/kvm-armlevel', os.O_RDWR); "
        "subprocess.run(['sh', '-c', 'env; ls -l /proc/self/fd'], close_fds=False)"
    ),
    # Past the library, as a statically linked QEMU would do it.
    "calls-kernel": (
        "import ctypes, os; kvm = os.open('/dev/kvm', os.O_RDWR); call = ctypes.CDLL(None).syscall; "
        "print('made', call(*[ctypes.c_long(word) for word in (29, kvm, 0xae01, 0, 0, 0, 0)]))"
    ),
}
FILES: Mapping[str, bytes] = {
    **{name: f"#!/bin/sh\n{text}\n".encode() for name, text in _SHELL.items()},
    **{name: f"#!/usr/bin/python3 -I\n{text}\n".encode() for name, text in _PYTHON.items()},
    "tcg.cfg": b'[accel]\n accel = "tcg"\n',
    "off": OFF,
}


def commands(
    names: Iterable[str], board: Mapping[str, str], cpu: Mapping[str, str]
) -> dict[str, tuple[list[str], str]]:
    """Return of each of these ways the words that `armlevel run` starts, and how they start QEMU."""
    found = {}
    for name in names:
        way = WAYS[name]
        guest = ["-nodefaults", "-display", "none", "-m", "64M", "-kernel", "/job/off"]
        machine = [] if "-M" in way.options else ["-M", "virt-10.0"]
        fitted = fit([*way.command, *machine, *guest], board, cpu)
        assert not fitted.faults, (name, fitted.faults)
        assert not fitted.guestless, name
        found[name] = ([*fitted.command], json.dumps(asdict(fitted.starts)))
    return found
