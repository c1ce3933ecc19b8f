"""What every verb prints with --json has a kind, and is what the schema of that kind says."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import write_schemas
from armlevel.cli import lab as lab_verbs
from armlevel.cli import lab_migrate
from armlevel.cli.app import VERBS
from armlevel.documents import guest_object, pretty, read_host
from armlevel.engine import passthrough
from armlevel.lab.migration import Migrated
from armlevel.preload import library
from armlevel.profile import Accepts
from tests.cli.hosts import ISAR0, V1, Command, host, write
from tests.cli.test_lab import FakeLab
from tests.cli.test_probe import MACHINE
from tests.probe.fake import CATALOGUE, FakeKvm, like_7_3

SCHEMAS = write_schemas.every_schema()
RNDR = 60  # the lowest bit of ID_AA64ISAR0_EL1.RNDR
WITHOUT_JSON = {"completion", "lab"}  # the verbs of lab have tests of their own


def judged(document: Any, kind: str) -> Any:
    """Return a document that is as the schema of its kind says."""
    assert document["kind"] == kind
    judge = jsonschema.Draft202012Validator(SCHEMAS[kind])
    faults = [f"{error.json_path}: {error.message[:200]}" for error in judge.iter_errors(document)]
    assert faults == []
    return document


@pytest.fixture
def files(tmp_path: Path, armlevel: Command) -> SimpleNamespace:
    """Two hosts that level, one that does not with them, their guest, and that guest frozen and signed."""
    vms = [{"pid": 4, "fd": 9, "beside": 0}]
    looked = {"unread": 0, "has_idregs": False, "qemu_configured": False}
    running = {"kind": "running-guests/1", "kernel": "6.18.1", "vms": vms, **looked}
    (tmp_path / "out.json-running").write_text(json.dumps(running), encoding="ascii")
    one, two, other = write(
        tmp_path,
        host("one"),
        host("two", limits={"ID_AA64ISAR0_EL1": ISAR0 | 1 << RNDR},
             accepts={"ID_AA64ISAR0_EL1.RNDR": Accepts(frozenset({0, 1}))}),
        host("other", cpu=V1, limits={"ID_AA64ISAR0_EL1": ISAR0 | 1 << RNDR}, kernel="7.3.4"),
    )  # fmt: skip
    guest, frozen = str(tmp_path / "guest.json"), str(tmp_path / "frozen.json")
    assert armlevel("baseline", one, two, "-o", guest).code == 0
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    said = armlevel(
        "freeze", guest, "--name", "web", "--version", "1", "--key", tmp_path / "key.pem", "-o", frozen
    )
    assert said.code == 0
    fleet = tmp_path / "fleet.db"
    assert armlevel("fleet", "init", "--fleet", fleet).code == 0
    assert armlevel("fleet", "add", one, two, "--label", "rack=r1", "--fleet", fleet).code == 0
    assert armlevel("fleet", "pool", "create", "web", "--label", "rack=r1", "--fleet", fleet).code == 0
    assert (
        armlevel("fleet", "accept", "web", "--reason", "first", "--fleet", fleet, "--actor", "ann").code == 0
    )
    backup = f"{fleet}.backup"
    assert armlevel("fleet", "backup", backup, "--fleet", fleet).code == 0
    agents, agent_key = tmp_path / "agents", tmp_path / "agent.pub"
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    for name in ("web-1", "web-2"):
        mine = Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))
        agent_key.write_bytes(mine.public_key().public_bytes(*form))
        if name == "web-1":
            enrol = ("agent", "enrol", agents, "--key", agent_key, "--name", name)
            assert armlevel(*enrol).code == 0
    return SimpleNamespace(
        fleet=str(fleet), backup=backup,
        agents=str(agents), agent_key=str(agent_key),
        one=one, two=two, other=other, guest=guest, frozen=frozen, public=str(tmp_path / "public.pem"),
        out=str(tmp_path / "out.json"), folder=str(tmp_path),
    )  # fmt: skip


FACT = ("--fact", "one:gmid=4")
VMM = ("--vmm", "qemu-10.0")
CASES: list[tuple[str, int, Callable[[SimpleNamespace], tuple[str, ...]]]] = [
    ("show/1", 0, lambda f: ("show", f.one)),
    ("show/1", 0, lambda f: ("show", f.one, f.guest, f.frozen)),
    ("diff/1", 0, lambda f: ("diff", f.one, f.one)),
    ("diff/1", 1, lambda f: ("diff", f.one, f.other)),
    ("baseline/1", 0, lambda f: ("baseline", f.one, f.two, *FACT)),
    ("baseline/1", 1, lambda f: ("baseline", f.one, f.other)),
    ("check/1", 0, lambda f: ("check", f.guest, f.one, f.two, *FACT)),
    ("check/1", 1, lambda f: ("check", f.guest, f.other)),
    ("moves/1", 0, lambda f: ("migrate", f.one, f.two, "--guest", f.guest)),
    ("moves/1", 1, lambda f: ("migrate", f.one, f.other, *VMM)),
    ("matrix/1", 0, lambda f: ("matrix", f.one, f.two, f.other, *FACT)),
    ("plan/1", 0, lambda f: ("plan", f.one, f.two, f.other)),
    ("plan/1", 0, lambda f: ("plan", f.one, f.two, "--add", f.other, "--remove", "one", "--pools", "1")),
    ("freeze/1", 0, lambda f: ("freeze", f.guest, "--name", "a", "--version", "2", "--host", f.one, "-o", f.out)),
    ("freeze/1", 1, lambda f: ("freeze", f.guest, "--name", "a", "--version", "2", "--host", f.other)),
    ("signature/1", 0, lambda f: ("verify-signature", f.frozen, "--key", f.public)),
    ("signature/1", 1, lambda f: ("verify-signature", f.guest, "--key", f.public)),
    ("drift/1", 0, lambda f: ("drift", f.one, "--guest", f.guest)),
    ("drift/1", 1, lambda f: ("drift", f.other, "--since", f.one)),
    ("export/1", 1, lambda f: ("export", f.guest, "--to", "qemu", "--host", f.two)),
    ("export/1", 3, lambda f: ("export", f.guest, "--to", "openstack", "-o", f.out)),
    ("facts/1", 0, lambda f: ("facts", "sve", "CTR_EL0", "0xd0c", "0x413fd0c1", "asimd")),
    ("facts/1", 1, lambda f: ("facts", "FEAT_SVVE")),
    ("explanation/1", 0, lambda f: ("explain", "Could not set register op0:3 op1:0 crn:0 crm:6 op2:0 to 1 (is 2)")),
    ("explanation/1", 0, lambda f: ("explain", "MIDR_EL1", "--from", f.one, "--to", f.other)),
    ("guests/1", 3, lambda f: ("guests", "--running", f"{f.out}-running", "--profile", f.one, f.two)),
    ("doctor/1", 1, lambda f: ("doctor", "--profile", f.one)),
    ("guard/1", 1, lambda _: ("guard", "status", "--root", "/nowhere")),
    ("guard/1", 0, lambda _: ("guard", "remove", "--root", "/nowhere")),
    ("machines/1", 0, lambda _: ("machines",)),
    ("machines/1", 1, lambda _: ("machines", "no-such-machine")),
    ("explanation/1", 3, lambda f: ("explain", "all is well")),
    ("new-token/1", 0, lambda f: ("agent", "token", f.agents, "--name", "web-*")),
    ("enrolled/1", 0, lambda f: ("agent", "enrol", f.agents, "--key", f.agent_key, "--name", "web-2")),
    ("agents/1", 0, lambda f: ("agent", "list", f.agents)),
    ("fleet-store/1", 0, lambda f: ("fleet", "init", "--fleet", f.fleet)),
    ("fleet-add/1", 0, lambda f: ("fleet", "add", f.other, f.guest, "--fleet", f.fleet)),
    ("fleet-list/1", 0, lambda f: ("fleet", "list", "--fleet", f.fleet)),
    ("fleet-host/1", 0, lambda f: ("fleet", "show", "one", "--fleet", f.fleet)),
    ("fleet-log/1", 0, lambda f: ("fleet", "log", "--fleet", f.fleet)),
    ("fleet-audit/1", 0, lambda f: ("fleet", "audit", "--fleet", f.fleet)),
    ("fleet-pools/1", 0, lambda f: ("fleet", "pool", "create", "db", "--host", "o*", "--fleet", f.fleet)),
    ("fleet-pools/1", 0, lambda f: ("fleet", "pool", "list", "--fleet", f.fleet)),
    ("fleet-level/1", 0, lambda f: ("fleet", "level", "web", "--fleet", f.fleet)),
    ("fleet-accept/1", 0, lambda f: ("fleet", "accept", "web", "--reason", "x", "--fleet", f.fleet)),
    ("fleet-check/1", 1, lambda f: ("fleet", "check", "web", "--add", f.other, "--fleet", f.fleet)),
    ("fleet-check/1", 0, lambda f: ("fleet", "check", "web", "--raise", "--fleet", f.fleet)),
    ("fleet-host/1", 0, lambda f: ("fleet", "host", "label", "one", "a=b", "--remove", "rack", "--fleet", f.fleet)),
    ("fleet-host/1", 0, lambda f: ("fleet", "host", "rename", "one", "uno", "--fleet", f.fleet)),
    ("fleet-retire/1", 0, lambda f: ("fleet", "host", "retire", "one", "--reason", "x", "--fleet", f.fleet)),
    ("fleet-backup/1", 0, lambda f: ("fleet", "backup", f"{f.fleet}.copy", "--fleet", f.fleet)),
    ("fleet-restore/1", 0, lambda f: ("fleet", "restore", f.backup, "--fleet", f"{f.fleet}.new")),
    ("fleet-forget/1", 0, lambda f: ("fleet", "forget", "--name", "ann", "--reason", "x", "--fleet", f.fleet)),
    ("fleet-why/1", 0, lambda f: ("fleet", "why", "web", "--fleet", f.fleet)),
]  # fmt: skip


NAMES = SimpleNamespace(
    **{
        name: name
        for name in (
            "one",
            "two",
            "other",
            "guest",
            "frozen",
            "public",
            "out",
            "fleet",
            "backup",
            "agents",
            "agent_key",
        )
    }
)
WORDS = [arguments(NAMES) for _, _, arguments in CASES]


@pytest.mark.parametrize(("kind", "code", "arguments"), CASES, ids=[" ".join(words[:4]) for words in WORDS])
def test_an_answer_is_what_the_schema_of_its_kind_says(armlevel: Command, files, kind, code, arguments):
    said = armlevel(*arguments(files), "--json")
    assert said.code == code, said
    judged(said.json, kind)


def test_a_signature_of_no_key_of_ours_has_its_fault(armlevel: Command, files, tmp_path: Path):
    other = Ed25519PrivateKey.generate().public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "other.pem").write_bytes(other.public_bytes(serialization.Encoding.PEM, form))
    said = armlevel("verify-signature", files.frozen, "--key", tmp_path / "other.pem", "--json")
    assert judged(said.json, "signature/1")["fault"] == "other key"


def test_what_is_imported_is_a_profile(armlevel: Command, tmp_path: Path):
    plain = tmp_path / "box.json"
    plain.write_text(json.dumps({"ID_AA64PFR0_EL1": "0x1100000011111112"}), encoding="utf-8")
    judged(armlevel("import", plain).json, "host-profile/1")


@pytest.fixture
def arm(monkeypatch):
    """This machine is an Arm one with a made-up KVM."""
    kvm = FakeKvm(like_7_3, mrs=[100_000_000, 4] * 4)
    kvm.values |= {CATALOGUE.registers[name].kvm_id: 0 for name in ("REVIDR_EL1", "AIDR_EL1")}
    for place in ("onefile.collector", "operations.verify"):
        monkeypatch.setattr(f"armlevel.{place}.Kvm", lambda *_: nullcontext(kvm))
        monkeypatch.setattr(f"armlevel.{place}.read_machine", lambda: MACHINE)
    return kvm


def test_what_is_probed_is_a_profile_and_what_is_verified_a_result(arm, armlevel: Command, tmp_path: Path):
    probed = armlevel("probe", "--json")
    judged(probed.json, "host-profile/1")
    guest = passthrough(read_host(probed.out.encode(), "h.json"), CATALOGUE)
    (tmp_path / "g.json").write_text(pretty(guest_object(guest)), encoding="ascii")
    arm.mrs = [0] * 100
    said = armlevel("verify", tmp_path / "g.json", "--json")
    assert said.code == 1
    assert judged(said.json, "verify/1")["findings"]


def test_a_start_of_qemu_is_a_result_yes_or_no(armlevel: Command, files, monkeypatch):
    monkeypatch.setattr(import_module("armlevel.preload.launch"), "library_fault", lambda _: "")
    command = ("--", "qemu-system-aarch64", "-M", "virt-10.0")
    for there, answer, code in ((files.one, "runs", 0), (files.other, "refused", 1)):
        said = armlevel("run", "--guest", files.guest, "--host", there, "--json", *command)
        assert said.code == code, said
        found = judged(said.json, "run/1")
        assert (found["answer"], found["command"] is None) == (answer, code == 1)
    seen = judged(armlevel("run", "--observe", "--json", *command).json, "run/1")
    assert seen["environment"]["LD_PRELOAD"].endswith(library().name)


class Hosts(FakeLab):
    """Two hosts that move a guest, and one that is given its CPU."""

    def verify(self, *_: object) -> str:
        return json.dumps(
            {
                "differences": [["CTR_EL0", "differs", "kvm", 1, 2, None]],
                "notes": [],
                "read": {},
                "gic": "none",
            }
        )

    def pair(self, *_: object) -> Any:
        return nullcontext((SimpleNamespace(), SimpleNamespace()))


@pytest.fixture
def lab(monkeypatch):
    made = Hosts()
    monkeypatch.setattr(lab_verbs, "_laboratory", lambda *_, **__: made)
    monkeypatch.setattr(lab_migrate, "Laboratory", lambda *_, **__: made)
    return made


def test_what_the_lab_has_is_a_result(lab, armlevel: Command):
    judged(armlevel("lab", "list", "--json").json, "lab-list/1")


def test_what_the_lab_probes_is_a_profile_and_what_it_verifies_a_result(lab, armlevel: Command, files):
    judged(json.loads(armlevel("lab", "probe", "max@7.x", "--json").out), "host-profile/1")
    said = armlevel("lab", "verify", "max@7.x", files.guest, "--json")
    assert (said.code, judged(said.json, "verify/1")["host"]) == (1, "max@7.x")


@pytest.mark.parametrize(
    ("moved", "code"),
    [
        (Migrated(problem="the guest does not start"), 1),
        (Migrated(arrived=True, alive=True, rate=1.0, before=("cpu 0",), after=("cpu 0",), downtime=0.2,
                  sent={CATALOGUE.registers["CTR_EL0"].kvm_id: 1},
                  found={CATALOGUE.registers["CTR_EL0"].kvm_id: None}), 0),
    ],
)  # fmt: skip
def test_a_measured_move_is_a_result(lab, armlevel: Command, monkeypatch, moved, code):
    monkeypatch.setattr(lab_migrate, "_moved", lambda *_, **__: moved)
    said = armlevel("lab", "migrate", "max@7.x", "neoverse-n1@6.1", "--json")
    assert said.code == code
    changed = judged(said.json, "lab-move/1")["changed"]
    assert changed == ([] if code else [{"register": "CTR_EL0", "was": "0x1", "is": None}])


def test_no_verb_is_left_out():
    tested = {words[0] for words in WORDS}
    assert tested | WITHOUT_JSON | {"override", "import", "probe", "collect", "verify", "run"} == set(VERBS)
