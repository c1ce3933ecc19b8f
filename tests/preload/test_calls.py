"""What a VMM gets from KVM under the library, call by call, on real KVM."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from armlevel.arch import load
from armlevel.engine.moves.settings import settings_of
from armlevel.kvm import numbers
from armlevel.lab import Job, Laboratory, pack_collector, parse_host
from armlevel.preload import config_of, library, observing
from armlevel.profile import Guest
from tests.emulated import fetched
from tests.fidelity.hosts import read
from tests.preload.guests import levelled
from tests.preload.once import once
from tests.repository.frame import ROOT

# Workaround 3 is "not required" on the stronger host, "available" on the weaker one (KVM's levels 2 and 1).
STRONGER, WEAKER = "max,cntfrq=62500000@7.x", "neoverse-n2@7.x"
WORKAROUND_3 = "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3"
# scene -> the configuration it runs with
SCENES = {
    "listed": "config",
    "levels": "config",
    "missing": "above",
    "accepted": "accepted",
    "scratch": "config",
    "private": "config",
    "changed": "config",
    "threads": "config",
    "refused": "observe",
    "forgets": "config",
    "again": "config",
    "many": "config",
    "others": "config",
}
SCRIPT = """
export ARMLEVEL_LOG ARMLEVEL_CONFIG
for pair in {pairs}; do
    scene=${{pair%:*}} ARMLEVEL_CONFIG=/job/${{pair#*:}} ARMLEVEL_LOG=$OUT/$scene.log
    LD_PRELOAD=/job/libarmlevel.so python3 -I calls.py ${{pair%:*}} > $OUT/${{pair%:*}}.out 2> $OUT/${{pair%:*}}.err
    echo $? > $OUT/${{pair%:*}}.status
done
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a scene printed, last line first as JSON; what was said; how it ended; and the library's log."""

    lines: list[str]
    said: str
    status: int
    log: str

    @property
    def answer(self):
        return json.loads(self.lines[-1])


@pytest.fixture(scope="module")
def guest() -> Guest:
    return levelled(STRONGER, WEAKER)


def play(lab: Laboratory, guest: Guest) -> dict[str, bytes]:
    (host,) = read([STRONGER])
    bits = [2, *(numbers.FEATURE_BITS[name.upper()] for name in guest.shape.features)]
    tasks = {"bits": bits, "vectors": sum(1 << (length // 128 - 1) for length in guest.sve_vls or ())}
    settings = settings_of(guest, host, load())
    # A level that no host has: what a guest from a stronger host was told.
    above = replace(guest, firmware={**guest.firmware, WORKAROUND_3: 3})
    files = {f"inside/{path}": data for path, data in pack_collector().items()} | {
        "calls.py": (ROOT / "tests/preload/calls.py").read_bytes(),
        "config": config_of(settings, guest, born_here=False),
        "above": config_of(settings_of(above, host, load()), above),
        "accepted": config_of(settings_of(above, host, load()), above, weaker=True),
        "observe": observing(),
        "tasks.json": json.dumps(tasks).encode(),
        "libarmlevel.so": library().read_bytes(),
    }
    pairs = " ".join(f"{scene}:{config}" for scene, config in SCENES.items())
    return dict(lab.run(parse_host(f"{STRONGER},smp=2"), Job(SCRIPT.format(pairs=pairs), files)).files)


@pytest.fixture(scope="module")
def scenes(
    laboratory: Laboratory, guest: Guest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> dict[str, Scene]:
    if not library().exists():
        pytest.skip("make preload builds the library")
    with fetched():
        laboratory.prepare(parse_host(STRONGER))
    base = tmp_path_factory.getbasetemp()
    files = once(base, worker_id, "preload-calls", lambda: play(laboratory, guest))
    found = {}
    for scene in SCENES:
        out, said, status = (files[f"{scene}.{kind}"].decode() for kind in ("out", "err", "status"))
        found[scene] = Scene(out.splitlines(), said, int(status), files.get(f"{scene}.log", b"").decode())
    return found


def test_the_register_list_is_what_the_profile_carries(scenes: dict[str, Scene], guest: Guest):
    found = scenes["listed"].answer
    carried = [f"{one:x}" for one in guest.register_list or ()]
    assert found["code"] == "E2BIG"
    assert found["counted"] == len(carried)
    assert sorted(found["list"]) == sorted(carried)


def test_a_workaround_level_is_what_the_guest_was_told_until_it_is_reset_here(scenes: dict[str, Scene]):
    assert scenes["levels"].answer == [1, 1, 1, 2]
    assert "was reset on a host where its profile may not start" in scenes["levels"].said


def test_a_level_above_the_hosts_ends_the_guest_unless_that_was_accepted(scenes: dict[str, Scene]):
    missing, accepted = scenes["missing"], scenes["accepted"]
    assert (missing.lines, missing.status) == (["EINVAL"], 1)
    assert "the guest would go without a mitigation it needs here" in missing.said
    assert (accepted.lines, accepted.status) == (["taken", "3"], 0)
    assert "accepted, the guest goes without a mitigation it needs here" in accepted.said


def test_a_refusal_in_a_scratch_vm_is_told_and_ends_the_vm_that_gets_memory(scenes: dict[str, Scene]):
    scene = scenes["scratch"]
    assert scene.lines == ["scratch stands"]
    assert scene.status == 1
    assert "armlevel: QEMU asks for vCPU features none" in scene.said
    assert "scratch VM 1: QEMU asks for vCPU features none" in scene.log


def test_the_vm_of_the_private_device_is_the_real_one_from_the_start(scenes: dict[str, Scene]):
    scene = scenes["private"]
    assert (scene.lines, scene.status) == ([], 1)
    assert "QEMU asks for vCPU features none" in scene.said


def test_a_register_that_was_changed_afterwards_is_found_before_the_guest_runs(scenes: dict[str, Scene]):
    scene = scenes["changed"]
    assert (scene.lines, scene.status) == (["written"], 1)
    assert "the vCPU is not what the profile of guest baseline says: ID_AA64ISAR0_EL1" in scene.said


def test_vcpus_that_start_at_once_are_each_read_back(scenes: dict[str, Scene]):
    scene = scenes["threads"]
    assert (scene.answer, scene.status) == (1, 0)
    assert [scene.log.count(f"vCPU {index} runs: ") for index in range(8)] == [1] * 8


def test_observing_tells_what_could_not_be_set_and_changes_nothing(scenes: dict[str, Scene]):
    scene = scenes["refused"]
    assert scene.answer == "EINVAL"
    assert (
        "QEMU could not set (0x603000000013c030 op0:3 op1:0 crn:0 crm:6 op2:0) want 0xffffffffffffffff"
        in scene.log
    )
    assert scene.log.rstrip().endswith("EINVAL")
    assert "written" not in scene.log


def test_files_and_calls_that_are_not_kvms_go_on_as_before(scenes: dict[str, Scene]):
    assert scenes["others"].answer == ["ENOTTY", "words", False, "0o600"]
    assert scenes["others"].status == 0


def test_a_register_that_kvm_forgets_with_the_vcpu_is_found_before_the_guest_runs(scenes: dict[str, Scene]):
    scene = scenes["forgets"]
    assert (scene.lines, scene.status) == (["written"], 1)
    assert "armlevel: this host's KVM forgets CLIDR_EL1" in scene.said
    assert "when a vCPU is powered on (Linux 6.3 to 6.9 do)" in scene.said


def test_it_is_read_again_when_the_vcpu_has_run(scenes: dict[str, Scene]):
    scene = scenes["again"]
    assert (scene.lines, scene.status) == (["EINTR"], 1)
    assert " vCPU 0 runs: " in scene.log
    assert "the vCPU is not what the profile of guest baseline says: CLIDR_EL1" in scene.said


def test_only_descriptors_of_kvm_are_counted_and_only_as_long_as_they_are_open(scenes: dict[str, Scene]):
    assert (scenes["many"].answer, scenes["many"].said) == (65536, "")
