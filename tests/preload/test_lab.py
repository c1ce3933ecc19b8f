"""Stock QEMU 10 and 11 under real KVM: with the library a guest has the profile's CPU; else there is no guest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.engine.moves.settings import settings_of
from armlevel.engine.passthrough import guest_of_offer
from armlevel.formats.qemu_write import options_of
from armlevel.kvm import id_of
from armlevel.lab import Job, Laboratory, parse_host
from armlevel.preload import config_of, library, read_dump
from armlevel.profile import Guest
from tests.emulated import fetched
from tests.fidelity.hosts import read
from tests.preload.guests import levelled
from tests.preload.once import once
from tests.preload.ways import FILES as WAY_FILES
from tests.preload.ways import PROVED, SAMPLE, WAYS, commands

N2, V1 = "neoverse-n2@7.x", "neoverse-v1@7.x"
PACKED = (
    "__init__.py",
    "errors.py",
    "preload/barrier.py",
    "preload/launch.py",
    "preload/library.py",
    "preload/proof.py",
    "preload/start.py",
)
# How a guest that must not be is tried: environment variables, and another -cpu; the library ends ANY program.
ANY = "-"
FAILURES = {
    "missing": ({"LD_PRELOAD": "/nowhere/libarmlevel.so"}, ""),
    "no-config": ({"ARMLEVEL_CONFIG": "/nowhere"}, ANY),
    "damaged": ({"ARMLEVEL_CONFIG": "/job/damaged"}, ANY),
    "cut": ({"ARMLEVEL_CONFIG": "/job/cut"}, ANY),
    "digest": ({"ARMLEVEL_PROFILE": "sha256:another"}, ANY),
    "no-proof": ({"ARMLEVEL_PROOF": "5"}, ANY),
    "other-host": ({"ARMLEVEL_CONFIG": "/job/other-host"}, ""),
    "other-clock": ({"ARMLEVEL_CONFIG": "/job/other-clock"}, ANY),
    "other-shape": ({}, "host,sve=off,pauth=off"),
    "other-vectors": ({}, "host,pauth=off"),
}
NO_DEVICE = "Could not access KVM kernel module: No such file or directory"
SAID = {
    "missing": NO_DEVICE,
    "no-config": "cannot be read: /nowhere",
    "damaged": "its SHA-256 is not the one in its last line",
    "cut": "is cut off",
    "digest": "and ARMLEVEL_PROFILE asks for sha256:another",
    "no-proof": "the proof that the guest is levelled cannot be sent: 5",
    "other-host": "this host's KVM refuses ",
    "other-clock": "CNTFRQ_EL0 is 62500000 here, and the guest needs 1000000000",
    "other-shape": "QEMU asks for vCPU features pmu_v3, and the profile of guest baseline has pmu_v3+sve",
    "other-vectors": "they are 0x3, not 0x1",
    "entry-missing": "QEMU is not started: /nowhere/libarmlevel.so is missing; build it with make preload",
    "entry-other-machine": "is no library for 64-bit Arm",
    "entry-truncated": "is cut off",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the tasks in one host."""

    files: Mapping[str, bytes]

    @property
    def found(self) -> Any:
        return json.loads(self.files["found.json"])

    def text(self, name: str) -> str:
        return self.files[name].decode()


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory) -> Laboratory:
    if not library().exists():
        pytest.skip("make preload builds the library")
    with fetched():
        for name in (N2, V1):
            laboratory.prepare(parse_host(name))
            laboratory.vmm_images(parse_host(name), "10", "11")
    return laboratory


@pytest.fixture(scope="module")
def guest() -> Guest:
    return levelled(N2, V1)


def files_for(guest: Guest, name: str, ways: Iterable[str]) -> dict[str, bytes]:
    (host,) = read([name])
    settings = settings_of(guest, host, load())
    config = config_of(settings, guest, digest="sha256:profile")
    (other,) = read([N2 if name == V1 else V1])
    offer = other.offer(guest.shape)
    assert offer is not None
    theirs = replace(guest_of_offer(other, offer, load()), sve_vls=guest.sve_vls)
    strange = config_of(settings_of(theirs, other, load()), theirs)
    clock = replace(guest, facts=replace(guest.facts, cntfrq_hz=1_000_000_000))
    whole = library().read_bytes()
    options = options_of(guest, load())
    tasks = {
        "board": ",".join(f"{key}={value}" for key, value in options.board.items()),
        "cpu": ",".join(["host", *(f"{key}={value}" for key, value in options.cpu.items())]),
        "failures": FAILURES,
        "ways": commands(ways, options.board, options.cpu),
        "libraries": {
            "missing": "/nowhere/libarmlevel.so",
            "other-machine": "/job/other/libarmlevel.so",
            "truncated": "/job/short/libarmlevel.so",
        },
    }
    here = Path(__file__).parent
    package = resources.files("armlevel")
    packed = {f"armlevel/{part}": package.joinpath(part).read_bytes() for part in PACKED}
    return {
        **packed,
        **WAY_FILES,
        "armlevel/preload/__init__.py": b"",
        "inside.py": (here / "inside.py").read_bytes(),
        "entry.py": (here / "entry.py").read_bytes(),
        "tasks.json": json.dumps(tasks).encode(),
        "config": config,
        "damaged": config.replace(b"write", b"wrote", 1),
        "cut": config[: len(config) // 2].rpartition(b"\n")[0],
        "other-host": strange,
        "other-clock": config_of(settings, clock),
        "libarmlevel.so": whole,
        # Another machine's library: the same with the number of another architecture (EM_X86_64) in its header.
        "other/libarmlevel.so": whole[:18] + b"\x3e\x00" + whole[20:],
        "short/libarmlevel.so": whole[:3000],
    }


def run(
    lab: Laboratory, guest: Guest, name: str, *tasks: str, ways: Iterable[str] = SAMPLE
) -> dict[str, bytes]:
    host = parse_host(f"{name},memory=1024")
    job = Job(f"python3 -I inside.py {' '.join(tasks)}", files_for(guest, name, ways))
    result = lab.run(host, job, extra=lab.vmm_images(host, "10", "11"))
    assert result.status == 0, result.stderr[-2000:]
    return dict(result.files)


@pytest.fixture(scope="module")
def on_n2(lab: Laboratory, guest: Guest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Ran:
    base = tmp_path_factory.getbasetemp()
    return Ran(once(base, worker_id, "preload-n2", lambda: run(lab, guest, N2, "show:11", "live:10")))


@pytest.fixture(scope="module")
def on_v1(lab: Laboratory, guest: Guest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Ran:
    base = tmp_path_factory.getbasetemp()
    return Ran(
        once(
            base,
            worker_id,
            "preload-v1",
            lambda: run(lab, guest, V1, "show:11", "failures:10", "ways"),
        )
    )


@pytest.fixture(scope="module")
def others(lab: Laboratory, guest: Guest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Ran:
    base, rest = tmp_path_factory.getbasetemp(), [name for name in WAYS if name not in SAMPLE]
    return Ran(once(base, worker_id, "preload-ways", lambda: run(lab, guest, V1, "ways", ways=rest)))


def test_two_vcpus_in_the_sandbox_survive_a_reset_and_a_migration(on_n2: Ran):
    found = on_n2.found["live:10"]
    assert found["born"] >= 2
    assert found["reset"] >= 2
    assert (found["migration"], found["status"], found["ended"]) == ("completed", "running", [0, 0])
    assert found["arrived"] >= 3
    for name in ("source", "target"):
        (said,) = re.findall("^armlevel: .*", on_n2.text(f"{name}.said"), re.MULTILINE)
        assert said.startswith(PROVED)


def test_every_vcpu_is_written_at_each_reset_and_read_back_before_it_runs(on_n2: Ran):
    log = on_n2.text("source.log")
    for cpu in (0, 1):
        # QEMU makes it, resets it before the start, and once more.
        assert log.count(f"vCPU {cpu}: 52 registers written, 0 refused\n") >= 3
        assert log.count(f"vCPU {cpu} runs: ") == 2
    assert "scratch VM" in log
    assert "refused" in log


def test_the_registers_that_arrived_are_those_of_the_profile(on_n2: Ran, guest: Guest):
    for name in ("source", "target"):
        seen = read_dump(on_n2.text(f"{name}.dump"))
        wanted = {register: value for register, value in guest.registers.items() if id_of(register) in seen}
        assert len(wanted) > 60
        assert {register: seen[id_of(register)] for register in wanted} == wanted


def test_two_hosts_look_the_same_under_one_profile(on_n2: Ran, on_v1: Ran):
    assert on_n2.found["show:11"]["expansion"] == on_v1.found["show:11"]["expansion"]
    assert on_n2.files["tree-11"] == on_v1.files["tree-11"]
    assert len(on_n2.files["tree-11"]) > 1000
    assert {ran.found["show:11"]["ended"] for ran in (on_n2, on_v1)} == {"guest-shutdown"}


def test_two_hosts_have_the_same_id_registers_under_one_profile(on_n2: Ran, on_v1: Ran, guest: Guest):
    dumps = [read_dump(ran.text("show-11.dump")) for ran in (on_n2, on_v1)]
    ids = [id_of(name) for name in guest.registers]
    shared = [one for one in ids if all(one in dump for dump in dumps)]
    assert len(shared) > 60
    assert [dumps[0][one] for one in shared] == [dumps[1][one] for one in shared]


@pytest.mark.parametrize("name", SAID)
def test_without_the_profile_there_is_no_guest_and_a_sentence_says_why(on_v1: Ran, name: str):
    found = on_v1.found["failures:10"][name]
    assert SAID[name] in found["said"]
    assert found["status"] != 0
    assert found["console"] == ""


@pytest.mark.parametrize("name", SAMPLE)
def test_however_qemu_is_started_the_guest_is_proved_or_there_is_none(on_v1: Ran, name: str):
    proved_or_none(on_v1, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WAYS if name not in SAMPLE])
def test_however_else_qemu_is_started_the_guest_is_proved_or_there_is_none(others: Ran, name: str):
    proved_or_none(others, name)


def proved_or_none(ran: Ran, name: str) -> None:
    way, found = WAYS[name], ran.found["ways"][name]
    log = ran.files.get(f"way-{name}.log", b"").decode()
    assert way.says in found["said"]
    assert (found["status"] == 0) is (way.proved or name == "waiting")
    assert (PROVED in found["said"]) is way.proved
    assert (" vCPU 0 runs: " in log) is way.proved


def test_a_vm_that_is_made_past_the_library_is_never_made(on_v1: Ran):
    assert "made" not in on_v1.found["ways"]["calls-kernel"]["said"]


@pytest.mark.slow
def test_a_vm_that_is_made_without_the_environment_is_never_made(others: Ran):
    assert "made" not in others.found["ways"]["empties"]["said"]


def test_children_of_qemu_have_neither_the_library_nor_its_words(on_v1: Ran):
    told = on_v1.found["ways"]["child"]["said"]
    assert "OUT=" in told
    assert "ARMLEVEL_" not in told
    assert "libarmlevel" not in told
    assert "memfd:armlevel" not in told
    assert "socket:" not in told
