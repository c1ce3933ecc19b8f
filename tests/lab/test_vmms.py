"""The parts that let a host run guests: real packages, and one boot with a guest in it."""

from __future__ import annotations

import os

import pytest

from armlevel.errors import LabError, UnknownName
from armlevel.lab import Job, Laboratory, LabSettings, parse_host

GUEST = """
network-up && ifconfig eth0 2>/dev/null; cat /proc/modules | wc -l
for qemu in 10 11; do /opt/qemu-$qemu/qemu-system-aarch64 --version | head -1; done
readlink /usr/bin/qemu-system-aarch64
timeout 30 qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu host -m 128M -nodefaults -display none \
    -serial file:/tmp/console -kernel /guest/vmlinuz -initrd /guest/initrd -append "console=ttyAMA0 quiet" &
for wait in $(seq 60); do grep -q '^tick 3' /tmp/console 2> /dev/null && break; sleep 0.5; done
kill $!
grep -c '^tick' /tmp/console
"""


@pytest.fixture(scope="module")
def lab():
    made = Laboratory(LabSettings.of(os.environ))
    try:
        made.vmm_images(parse_host("neoverse-n1@6.12"), "10", "11")
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no emulated hosts here: {exc} (ARMLEVEL_LAB=1 forces)")
    return made


def test_a_host_has_both_qemus_and_starts_a_guest(lab):
    host = parse_host("neoverse-n1@6.12,memory=1024")
    result = lab.run(host, Job(GUEST), extra=lab.vmm_images(host, "10", "11"))
    modules, ten, eleven, link, ticks = result.stdout.splitlines()
    assert int(modules) >= 1
    assert ten.startswith("QEMU emulator version 10.")
    assert eleven.startswith("QEMU emulator version 11.")
    assert link == "/opt/qemu-10/qemu-system-aarch64"
    assert int(ticks) >= 3


def test_a_qemu_that_the_lab_does_not_know_is_refused_by_name(lab):
    with pytest.raises(UnknownName, match="'12'"):
        lab.vmm_images(parse_host("neoverse-n1@6.12"), "12")
