"""The parts that let a host run guests: real packages, and one boot with a guest in it."""

from __future__ import annotations

import pytest

from armlevel.errors import UnknownName
from armlevel.lab import Job, parse_host
from tests.emulated import fetched

GUEST = """
network-up && ifconfig eth0 2>/dev/null; cat /proc/modules | wc -l
for qemu in 10 11; do /opt/qemu-$qemu/qemu-system-aarch64 --version | head -1; done
readlink /usr/bin/qemu-system-aarch64
mkfifo /tmp/console
qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu host -m 128M -nodefaults -display none -serial stdio \
    -kernel /guest/vmlinuz -initrd /guest/initrd -append "console=ttyAMA0 quiet" < /dev/null > /tmp/console &
grep -m 3 -c '^tick' /tmp/console  # until the third tick, or the end of QEMU
kill $!
"""


@pytest.fixture(scope="module")
def lab(laboratory):
    with fetched():
        laboratory.vmm_images(parse_host("neoverse-n1@6.12"), "10", "11")
    return laboratory


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
