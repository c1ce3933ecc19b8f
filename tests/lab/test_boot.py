"""Real boots: two kernels, fetched once into the user's cache."""

from __future__ import annotations

import secrets

import pytest

from armlevel.lab import Job, parse_host
from tests.emulated import fetched

# KVM's API version, and whether it offers SVE and the masks of writable ID registers (Linux, include/uapi/linux/kvm.h).
ASK = """
uname -r
cat data/word
python3 -c 'import fcntl; kvm = open("/dev/kvm"); print(*(fcntl.ioctl(kvm, *a) for a in ((0xAE00, 0), (0xAE03, 170))))'
head -c 100000 /dev/zero > $OUT/zeros
exit 7
"""


@pytest.fixture(scope="module")
def lab(laboratory):
    with fetched():
        for line in ("6.12", "7.x"):
            laboratory.prepare(parse_host(f"neoverse-n2@{line}"))
    return laboratory


@pytest.mark.parametrize(
    ("host", "release", "kvm"),
    [("neoverse-n2@6.12,smp=2", "6.12.", "12 1"), ("cortex-a53@7.x,smp=2", "7.", "12 0")],
)
def test_a_stock_kernel_boots_with_real_kvm(lab, host, release, kvm):
    # A word that no other run has: whoever boots hosts at the same time, or left a failure behind, is not looked at.
    named = parse_host(f"{host},boot=armlevel.test={secrets.token_hex(8)}")
    result = lab.run(named, Job(ASK, {"data/word": b"word\n"}))
    uname, word, answer = result.stdout.splitlines()
    assert uname.startswith(release)
    assert (word, answer, result.status, result.stderr) == ("word", kvm, 7, "")
    assert result.files == {"zeros": bytes(100000)}
    assert not list((lab.settings.cache / "runs").glob(f"{named}-*"))
