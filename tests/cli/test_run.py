"""`armlevel run`: what can be known before QEMU starts is said before."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from armlevel.cli.app import run
from armlevel.documents import guest_object, host_object, pretty
from armlevel.preload import library
from tests.fidelity.hosts import read
from tests.preload.guests import levelled

QEMU = ["--", "qemu-system-aarch64", "-M", "virt-10.0", "-accel", "kvm", "-m", "1G"]
NEEDS_LIBRARY = pytest.mark.skipif(not library().exists(), reason="make preload builds the library")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {host.name.split("@")[0]: pretty(host_object(host)) for host in read(_HOSTS)}
    texts["guest"] = pretty(guest_object(levelled("neoverse-n2@7.x", "neoverse-v1@7.x")))
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    return {name: str(tmp_path / f"{name}.json") for name in texts}


_HOSTS = ("neoverse-n2@7.x", "neoverse-v1@7.x", "neoverse-n1@7.x")


@NEEDS_LIBRARY
def test_it_shows_the_whole_command_with_what_was_added(files, capsys):
    assert run(["run", "--guest", files["guest"], "--host", files["neoverse-v1"], "--show", *QEMU]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"LD_PRELOAD={library()}")
    assert "-cpu host,pmu=on,sve=on,sve128=on,pauth=off,kvm-steal-time=on" in line
    assert "-M virt-10.0,gic-version=3" in line
    assert "-accel kvm,device=/dev/kvm-armlevel" in line


@NEEDS_LIBRARY
def test_json_has_the_command_and_what_the_library_is_told(files, capsys):
    assert run(["run", "--guest", files["guest"], "--host", files["neoverse-v1"], "--json", *QEMU]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["command"][0] == "qemu-system-aarch64"
    assert found["config"].startswith("armlevel-preload 1\nguest baseline\nhost neoverse-v1@7.x\n")
    assert f"profile {json.loads(Path(files['guest']).read_text())['digest']}\n" in found["config"]


def test_a_host_that_may_not_start_it_is_refused_with_the_findings(files, capsys):
    assert run(["run", "--guest", files["guest"], "--host", files["neoverse-n1"], "--show", *QEMU]) == 1
    said = capsys.readouterr().out
    assert "may not start on neoverse-n1@7.x" in said
    assert "shape sve" in said


def test_with_incoming_the_question_is_whether_it_may_arrive(files, capsys):
    command = ["run", "--guest", files["guest"], "--host", files["neoverse-n1"], "--show", *QEMU]
    assert run([*command, "-incoming", "defer"]) == 1
    assert "may not arrive on neoverse-n1@7.x" in capsys.readouterr().out


def test_an_option_that_contradicts_is_named(files, capsys):
    assert run(["run", "--guest", files["guest"], *QEMU, "-cpu", "host,sve=off"]) == 2
    assert "sve=off contradicts the profile: it needs sve=on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        *(
            "-accel tcg",
            "-accel kvm -accel tcg",
            "-perfmap -accel tcg",
            "-readconfig e.cfg",
            "-cpu max",
            "-nosuch",
        ),
        *(
            "-M none,accel=tcg -cpu max",
            "-icount 1",
            "-set machine.a.b=c",
            "-accel kvm,device=/dev/kvm",
            "-qtest a",
        ),
    ],
)
def test_a_guest_that_would_not_be_kvms_is_not_started(words, files, capsys):
    assert run(["run", "--guest", files["guest"], "--show", *QEMU[:4], *words.split()]) == 2
    assert "QEMU is not started: " in capsys.readouterr().err


def test_another_digest_is_refused(files, capsys):
    assert run(["run", "--guest", files["guest"], "--digest", "sha256:00", *QEMU]) == 2
    assert "not sha256:00" in capsys.readouterr().err


def test_the_profile_of_another_machine_is_refused_by_what_differs(files, capsys):
    assert run(["run", "--guest", files["guest"], "--host", files["neoverse-n2"], *QEMU]) == 2
    assert "neoverse-n2@7.x is not this machine: its CPUs are 0x410fd493" in capsys.readouterr().err


@pytest.mark.skipif(platform.machine() == "aarch64", reason="this machine could")
def test_a_machine_that_is_no_arm_is_said_to_be_none(files, capsys):
    assert run(["run", "--guest", files["guest"], *QEMU]) == 2
    assert "a guest profile runs on 64-bit Arm" in capsys.readouterr().err


def test_where_qemu_is_only_asked_it_is_started_as_it_is(files, capsys):
    ask = ["--", "qemu-system-aarch64", "-machine", "none,accel=kvm:tcg", "-qmp", "stdio"]
    assert run(["run", "--guest", files["guest"], "--show", *ask]) == 0
    said = capsys.readouterr()
    assert said.out.split() == ask[1:]
    assert said.err == "armlevel: note: -machine none has no CPU: there is no guest\n"


@pytest.mark.parametrize("options", [[], ["--observe", "--guest", "g.json"]])
def test_a_guest_or_observe_and_not_both(options, capsys):
    assert run(["run", *options, *QEMU]) == 2
    assert "--guest, or --observe" in capsys.readouterr().err


@NEEDS_LIBRARY
def test_observe_leaves_the_command_as_it_is(capsys):
    assert run(["run", "--observe", "--json", "--dump", "/tmp/registers", *QEMU]) == 0
    said = capsys.readouterr()
    assert said.err == "armlevel: note: nothing is levelled: the guest has the CPU of this host\n"
    found = json.loads(said.out)
    assert found["command"] == QEMU[1:]
    assert found["environment"]["ARMLEVEL_DUMP"] == "/tmp/registers"
    assert "\nobserve\n" in found["config"]
