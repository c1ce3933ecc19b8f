"""virsh is started in one place; who needs its answer is told what failed, who has many guests goes on to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from armlevel.errors import UsageError
from armlevel.operations import stamps, virsh
from armlevel.operations.virsh import Virsh


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "virsh"


def _is(program: Path, does: str) -> None:
    program.write_text(f"#!/bin/sh\n{does}\n", encoding="ascii")
    program.chmod(0o755)


def test_what_virsh_prints_and_says_reaches_both(program):
    _is(program, "echo out; echo $LC_ALL $3 >&2")
    assert Virsh().run("list") == (0, "out\n", "C\n")
    assert Virsh().ask("list") == "out\n"
    assert stamps.virsh(["list"]) == (0, "C qemu:///system")


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo 'error: no domain' >&2; exit 1", "no domain"),
        ("exit 3", "ended with 3"),
        ("exec sleep 60", "did not answer"),
    ],
)
def test_a_failure_is_an_error_for_one_and_a_status_for_the_other(program, monkeypatch, does, said):
    monkeypatch.setattr(virsh, "_PATIENCE", 0.5 if "sleep" in does else 60)
    _is(program, does)
    with pytest.raises(UsageError, match=rf"^virsh list: .*{said}"):
        Virsh().ask("list")
    status, words = stamps.virsh(["list"])
    assert status
    assert said in words or not words


@pytest.mark.parametrize("there", [False, True])
def test_a_virsh_that_is_not_there_or_cannot_be_started_is_one_sentence(program, monkeypatch, there):
    monkeypatch.setenv("PATH", str(program.parent))
    if there:
        program.write_bytes(b"\x7fELF")
        program.chmod(0o755)
    for asked in (lambda: Virsh().ask("list"), lambda: stamps.virsh(["list"])):
        with pytest.raises(UsageError) as caught:
            asked()
        assert "\n" not in str(caught.value)
