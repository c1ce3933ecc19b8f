"""Real boots: two kernels, fetched once into the user's cache."""

from __future__ import annotations

import os

import pytest

from armlevel.errors import LabError
from armlevel.lab import Job, Laboratory, LabSettings, parse_host

# KVM's API version, and whether it offers SVE and the masks of writable ID registers (Linux, include/uapi/linux/kvm.h).
ASK = """
uname -r
cat data/word
python3 -c 'import fcntl; kvm = open("/dev/kvm"); print(*(fcntl.ioctl(kvm, *a) for a in ((0xAE00, 0), (0xAE03, 170))))'
head -c 100000 /dev/zero > $OUT/zeros
exit 7
"""


@pytest.fixture(scope="module")
def lab():
    made = Laboratory(LabSettings.of(os.environ))
    try:
        for line in ("6.12", "7.x"):
            made.prepare(parse_host(f"neoverse-n2@{line}"))
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no emulated hosts here: {exc} (ARMLEVEL_LAB=1 forces)")
    return made


@pytest.mark.parametrize(
    ("host", "release", "kvm"),
    [("neoverse-n2@6.12,smp=2", "6.12.", "12 1"), ("cortex-a53@7.x,smp=2", "7.", "12 0")],
)
def test_a_stock_kernel_boots_with_real_kvm(lab, host, release, kvm):
    result = lab.run(parse_host(host), Job(ASK, {"data/word": b"word\n"}))
    uname, word, answer = result.stdout.splitlines()
    assert uname.startswith(release)
    assert (word, answer, result.status, result.stderr) == ("word", kvm, 7, "")
    assert result.files == {"zeros": bytes(100000)}
    # Other tests boot hosts at the same time; none of them has two CPUs.
    assert not list((lab.settings.cache / "runs").glob(f"{parse_host(host)}-*"))
