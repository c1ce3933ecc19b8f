"""Failing well, with something else in the emulator's place."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from armlevel.errors import LabError
from armlevel.lab import Job, parse_host
from armlevel.lab.machine import EmulatedMachine

HOST = parse_host("neoverse-v1,sve=off@6.12")


def machine(tmp_path, script: str) -> EmulatedMachine:
    (tmp_path / "kernel").touch()
    return EmulatedMachine(("sh", "-c", script, "emulator"), tmp_path / "kernel", (), tmp_path / "runs")


def test_the_last_words_of_a_refusing_emulator_are_told(tmp_path):
    with pytest.raises(LabError, match="ended without a result; its last words: no such CPU"):
        machine(tmp_path, "echo no such CPU >&2; exit 1").run(HOST, Job("true"))


def test_a_host_that_hangs_is_stopped_and_its_console_kept(tmp_path, monkeypatch):
    said = tmp_path / "said"
    os.mkfifo(said)
    script = f"""
    for word; do case $word in file:*console) echo Kernel panic > "${{word#file:}}";; esac; done
    echo > {said}
    exec sleep infinity
    """
    ended = []

    class Hanging(subprocess.Popen[bytes]):
        """Its time is over once it has said its last words, however long that takes."""

        def wait(self, timeout: float | None = None) -> int:
            if timeout is None:
                ended.append(super().wait())
                return ended[-1]
            said.read_text()
            raise subprocess.TimeoutExpired(self.args, timeout)

    monkeypatch.setattr(subprocess, "Popen", Hanging)
    with pytest.raises(
        LabError, match=r"did not finish within 1 s; its last words: Kernel panic; its console is in"
    ):
        machine(tmp_path, script).run(HOST, Job("true"), timeout=1)
    assert ended == [-signal.SIGKILL]
    (kept,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in kept.iterdir()) == ["console", "emulator"]
