"""`armlevel probe` and `armlevel verify` as they are typed, on machines with and without KVM for Arm guests."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext

import pytest

from armlevel.documents import guest_object, pretty, read_host
from armlevel.engine import passthrough
from armlevel.probe import Machine
from armlevel.profile import Cpu, Implementation
from tests.probe.fake import CATALOGUE, CCSIDR0, MIDR, PFR0, FakeKvm, like_7_3

MACHINE = Machine(
    cpus=(Cpu(Implementation(0x410FD493, 0, 0), 4),),
    where=((0, 1, 2, 3),),
    kernel="7.3.4",
    page_size=4096,
    name="rock",
)


@pytest.fixture
def arm(monkeypatch):
    """This machine is an Arm one with a made-up KVM."""
    kvm = FakeKvm(like_7_3, mrs=[100_000_000, 4] * 4)
    kvm.values |= {CATALOGUE.registers[name].kvm_id: 0 for name in ("REVIDR_EL1", "AIDR_EL1")}
    for place in ("onefile.collector", "operations.verify"):
        monkeypatch.setattr(f"armlevel.{place}.Kvm", lambda *_: nullcontext(kvm))
        monkeypatch.setattr(f"armlevel.{place}.read_machine", lambda: MACHINE)
    return kvm


@pytest.fixture
def not_arm(monkeypatch):
    other = os.uname_result([*os.uname()[:4], "x86_64"])
    monkeypatch.setattr("os.uname", lambda: other)


def test_a_machine_is_probed_into_a_file_under_its_own_name(arm, armlevel, tmp_path):
    done = armlevel("probe", "-o", tmp_path / "h.json")
    assert (done.code, done.out) == (0, "")
    host = read_host((tmp_path / "h.json").read_bytes(), "h.json")
    assert (host.name, len(host.shapes)) == ("rock", 4)
    assert armlevel("show", tmp_path / "h.json").code == 0


def test_without_a_file_the_profile_is_printed(arm, armlevel):
    done = armlevel("probe", "--name", "mine", "--json")
    assert json.loads(done.out)["name"] == "mine"


def test_a_guest_that_this_machine_can_be_is_verified(arm, armlevel, tmp_path):
    arm.mrs = [100_000_000, 4]
    host = read_host(armlevel("probe", "--json").out.encode(), "h.json")
    guest = passthrough(host, CATALOGUE)
    (tmp_path / "g.json").write_text(pretty(guest_object(guest)), encoding="ascii")
    # What the guest's instructions will read, in the order in which they are asked.
    shown = {**guest.registers, "MIDR_EL1": arm.values[MIDR], "REVIDR_EL1": 0, "AIDR_EL1": 0}
    arm.mrs = [shown[name] for name in sorted(shown, key=lambda name: (name != "CTR_EL0", name))]
    arm.mrs = [value for value in arm.mrs if value != arm.values[CCSIDR0]] + [100_000_000, 4]
    done = armlevel("verify", tmp_path / "g.json", "--json")
    assert (done.code, json.loads(done.out)["findings"]) == (0, [])
    assert json.loads(done.out)["gic"] == "vgic-v3"
    assert arm.open == 0


def test_a_guest_that_this_machine_cannot_be_is_refused(arm, armlevel, tmp_path):
    host = read_host(armlevel("probe", "--json").out.encode(), "h.json")
    guest = passthrough(host, CATALOGUE)
    (tmp_path / "g.json").write_text(pretty(guest_object(guest)), encoding="ascii")
    arm.values[PFR0] = 0
    arm.mrs = [0] * 100
    done = armlevel("verify", tmp_path / "g.json")
    assert done.code == 1
    assert "refused" in done.out


@pytest.mark.parametrize("arguments", [("probe",), ("verify", "G")])
def test_a_machine_that_is_no_arm_one_is_shown_the_lab(not_arm, arm_guest, armlevel, arguments):
    done = armlevel(*(arm_guest if word == "G" else word for word in arguments))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("armlevel: this machine is x86_64, not a 64-bit Arm one")
    assert "armlevel lab probe neoverse-n2@7.x" in done.err


@pytest.fixture
def arm_guest(monkeypatch, tmp_path, armlevel):
    with monkeypatch.context() as patch:
        kvm = FakeKvm(like_7_3)
        patch.setattr("armlevel.onefile.collector.Kvm", lambda *_: nullcontext(kvm))
        patch.setattr("armlevel.onefile.collector.read_machine", lambda: MACHINE)
        host = read_host(armlevel("probe", "--json").out.encode(), "h.json")
    (tmp_path / "g.json").write_text(pretty(guest_object(passthrough(host, CATALOGUE))), encoding="ascii")
    return tmp_path / "g.json"
