from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from armlevel import __version__
from armlevel.cli import app
from armlevel.cli.app import VERBS
from tests.cli.hosts import Command, host, write


def test_every_verb_has_help_that_opens_with_its_line(armlevel: Command):
    # A line a verb, and what stands around them on a screen.
    assert armlevel("--help").out.count("\n") <= len(VERBS) + 40
    for verb, (module, line) in VERBS.items():
        said = armlevel(verb, "--help")
        assert said.code == 0
        assert verb in armlevel("--help").out
        loaded = importlib.import_module(f"armlevel.cli.{module}")
        if hasattr(loaded, "run"):
            first = " ".join(loaded.run.__doc__.split("\n\n")[0].split())
            assert (
                first.split(":")[0]
                .split(",")[0]
                .rstrip(".")
                .startswith(line.split(":")[0].split(",")[0].rstrip("."))
            )


def test_the_version_is_told(armlevel: Command):
    assert armlevel("--version").out == f"armlevel {__version__}\n"


def test_the_package_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "armlevel", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"armlevel {__version__}\n"
    done = subprocess.run(
        [sys.executable, "-m", "armlevel", "check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2


def test_no_verb_is_bad_usage_and_shows_help(armlevel: Command):
    said = armlevel()
    assert (said.code, said.out) == (2, "")
    assert "matrix" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["frob"], "no such command 'frob'"),
        (["check", "--frob"], "no such option: --frob"),
        (["check"], "missing argument 'GUEST'"),
        (["baseline"], "missing argument 'HOST"),
        (["baseline", "@graviton2-6.1", "--tolerate", "el2"], "no tolerance is called 'el2'"),
        (["baseline", "nowhere.json"], "nowhere.json: no such file"),
        (["baseline", "@graviton9"], "no recorded machine is called '@graviton9'"),
        (["baseline", "@graviton2-6.1", "--without", "speed"], "no vCPU shape feature is called 'speed'"),
        (["baseline", "@graviton2-6.1", "--hide", "FEAT_SVEE"], "did you mean FEAT_SVE"),
        (["baseline", "@graviton2-6.1", "--require", "FEAT_NONE"], "no feature is called 'FEAT_NONE'"),
        (["baseline", "@graviton2-6.1", "--pin", "SVE=1"], "not of the form REG.FIELD=VALUE"),
        (["baseline", "@graviton2-6.1", "--pin", "ID_AA64PFR0_EL1.SVE=99"], "has 4 bits"),
        (["baseline", "@graviton2-6.1", "--pin", "ID_AA64PFR0_EL1.NONE=1"], "no field is called"),
        (
            ["baseline", "@graviton2-6.1", "--pin", "CTR_EL0.IDC=0", "--pin", "CTR_EL0.IDC=1"],
            "is pinned to 0 already",
        ),
        (["baseline", "@graviton2-6.1", "--fact", "cntfrq_hz=1"], "not of the form HOST:FACT=VALUE"),
        (["baseline", "@graviton2-6.1", "--fact", "*:speed=1"], "no fact is called 'speed'"),
        (["baseline", "@graviton2-6.1", "--fact", "other:dczid=1"], "no host here is called 'other'"),
        (["baseline", "@graviton2-6.1", "--fact", "*:cntfrq_hz=fast"], "the counter frequency in Hz"),
        (["baseline", "@graviton2-6.1", "--fact", "*:cntfrq_hz=5"], "has cntfrq_hz 121875000 already"),
        (["baseline", "@graviton2-6.1", "--hide", "FEAT_RASSA_GRP"], "no ID register field announces it"),
        (["matrix", "@graviton2-6.1"], "at least two hosts"),
        (["migrate", "@graviton2-6.1", "@graviton2*"], "4 hosts are named"),
        (
            ["migrate", "@graviton2-6.1", "@graviton2-6.18", "--vmm", "vbox"],
            "no VMM we know is called 'vbox'",
        ),
        (["check", "@graviton2*", "@graviton2-6.1"], "3 profiles, and one guest is needed"),
        (["diff", "@graviton2*", "@graviton2-6.1"], "two hosts or guests are compared"),
        (["import", "@graviton2*"], "one is imported at a time"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(
    armlevel: Command, arguments: list[str], sentence: str
):
    said = armlevel(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("armlevel: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["lab", "verify", "guest.json", "neoverse-n1@6.12"],
            "neoverse-n1@6.12 is the host, and comes first",
        ),
        (["lab", "run", "uname", "neoverse-n1@6.12"], "comes first; armlevel lab run HOST -- COMMAND"),
        (["lab", "run", "neoverse-n1@6.12", "uname", "-a"], "write -- before that: armlevel lab run HOST --"),
        (["run", "qemu-system-aarch64", "-M", "virt"], "write -- before that: armlevel run --guest GUEST --"),
        (["lab", "probe", "guest.json"], "guest.json: an emulated host is needed here; write CPU@LINE"),
        (["lab", "hosts", "@graviton2-6.1", "-d", "x"], "@graviton2-6.1: an emulated host is needed here"),
        (["lab", "migrate", "a.json", "neoverse-n1@6.12"], "a.json: an emulated host is needed here"),
        (["lab", "probe", "uname"], "for example neoverse-n1@6.12"),
    ],
)
def test_what_stands_in_the_wrong_place_is_told_where_it_goes(
    armlevel: Command, arguments: list[str], sentence: str
):
    said = armlevel(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert sentence in said.err


def test_every_fault_of_a_document_is_told(armlevel: Command, tmp_path: Path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"kind": "host-profile/1", "speed": 1, "offers": []}', encoding="utf-8")
    said = armlevel("show", bad)
    assert said.code == 2
    assert "bad.json: 2 faults:" in said.err
    assert "speed: unknown key" in said.err


def test_a_guest_is_no_host_and_a_verdict_no_guest(armlevel: Command, tmp_path: Path):
    (one,) = write(tmp_path, host("a"))
    guest = tmp_path / "guest.json"
    assert armlevel("baseline", one, "-o", guest).code == 0
    assert "a host is needed here, this is a guest profile" in armlevel("baseline", guest).err
    verdict = tmp_path / "verdict.json"
    verdict.write_text(
        json.dumps(armlevel("check", guest, one, "--json").json["verdicts"][0]), encoding="utf-8"
    )
    assert "a guest is needed here, this is a verdict" in armlevel("check", verdict, one).err
    assert armlevel("show", verdict).code == 0


def test_a_directory_means_every_profile_in_it(armlevel: Command, tmp_path: Path):
    write(tmp_path, host("a"), host("b"), host("b", facts=host("x").facts))
    assert armlevel("matrix", tmp_path, "--json").json["hosts"] == ["a", "b", "b#2"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "a directory without profiles" in armlevel("matrix", empty).err


def test_recorded_machines_are_named_with_an_at_sign(armlevel: Command):
    assert armlevel("matrix", "@graviton3*", "--json").json["hosts"] == [
        "graviton3@5.10",
        "graviton3@6.1",
        "graviton3@6.18",
    ]
    assert armlevel("show", "@graviton3@6.18").code == 0


@pytest.mark.parametrize("where", ["missing/g.json", "."])
def test_a_profile_that_cannot_be_written_is_said(armlevel: Command, tmp_path: Path, where: str):
    (one,) = write(tmp_path, host("a"))
    said = armlevel("baseline", one, "-o", tmp_path / where)
    assert said.code == 2
    assert "cannot be written" in said.err


def test_a_fault_of_ours_is_a_sentence_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("armlevel.cli.matrix.matrix", broken)
    assert app.run(["matrix", "@graviton2*"]) == 2
    said = capsys.readouterr().err
    assert "please report it" in said
    assert "ZeroDivisionError: by zero" in said
    assert said.count("\n") == 1
    monkeypatch.setenv("ARMLEVEL_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        app.run(["matrix", "@graviton2*"])


def test_ctrl_c_is_no_answer(monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("armlevel.cli.matrix.matrix", interrupted)
    assert app.run(["matrix", "@graviton2*"]) == 130


def _process(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    code = "from armlevel.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], text=True, **more)  # type: ignore[call-overload]


def test_a_reader_that_leaves_is_no_fault():
    for arguments in (["show", "@graviton2*"], ["--help"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = _process(*arguments, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_a_sentence():
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = _process("facts", "sve", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "armlevel: the output cannot be written: no space left on device\n"


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_the_door_imports_neither_engine_nor_documents(word: str):
    # What makes it quick; `make bench` measures how quick it is.
    code = (
        f"import sys; from armlevel.cli.app import run; run([{word!r}]); "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('pydantic', 'rich') or m.startswith('armlevel.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str(
        [
            "armlevel.cli",
            *(
                f"armlevel.cli.{name}"
                for name in ("app", "examples", "helping", "output", "progress", "terminal")
            ),
            "armlevel.errors",
        ]
    )


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "completion"])
@pytest.mark.parametrize("words", [("--key", ""), ("--digest", ""), ("-o", ""), ("--key=",), ("",)])
def test_an_empty_value_is_a_question_that_was_not_meant(
    armlevel: Command, verb: str, words: tuple[str, ...]
):
    said = armlevel(verb, *words)
    assert (said.code, "is empty; is a variable not set?" in said.err) == (2, True)


def test_what_is_behind_two_hyphens_may_be_empty(armlevel: Command):
    assert (
        "is empty"
        not in armlevel("run", "--observe", "--show", "--", "qemu-system-aarch64", "-append", "").err
    )
