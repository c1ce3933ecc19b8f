"""The guard as one file: built alike twice, speaking on a bare Python, and quick where an answer is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import make_guard
import make_probe
from armlevel.lab import pack_guard
from armlevel.onefile.answers import Answers, key_of, state_of
from tests.onefile.test_program import unpacked

ASK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from armlevel.onefile.trying import tried
said = tried("1:known", cache=Path(sys.argv[2]), owner=int(sys.argv[3]))
print(said.answer, said.cached, *sorted(name for name in sys.modules if name.startswith("armlevel.")))
"""
RELEASE = "from armlevel.onefile.release import RELEASE; print(RELEASE)"


def run(*words: object, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", *map(str, words)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=more or None)


def test_the_guard_is_built_alike_twice_and_speaks_on_a_bare_python(tmp_path):
    one, two = tmp_path / "one.pyz", tmp_path / "two.pyz"
    texts = make_probe.sources(pack_guard)
    tags = make_probe.build(one, texts, make_guard.START)
    make_probe.build(two, make_probe.sources(pack_guard), make_guard.START)
    assert one.read_bytes() == two.read_bytes()
    assert sys.implementation.cache_tag in tags
    helped = run(one, "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("usage: armlevel-guard try")
    assert run(one).returncode == run(one, "begin").returncode == run(one, "try", "--bad").returncode == 2
    said = run(one, "try", text="9:a guest of next year")
    assert (said.returncode, json.loads(said.stdout)["findings"][0]["code"]) == (3, "unknown-packing")
    assert run(one, "try", "file", text="1:x").stderr.startswith("armlevel-guard try: file: ")
    without = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&- >&-', "sh", sys.executable, "-I", "-S", one, "try"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (without.returncode, without.stderr) == (3, "")
    with Path("/dev/full").open("w", encoding="ascii") as full:
        command = [sys.executable, "-I", "-S", one, "try"]
        told = subprocess.run(
            command, input="1:x", stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert told.returncode == 2
    assert told.stderr == "armlevel-guard try: the answer cannot be said: No space left on device\n"


def test_an_answer_that_is_known_imports_next_to_nothing(tmp_path):
    place, cache = unpacked(pack_guard(), tmp_path / "guard"), tmp_path / "kept" / "tried.json"
    cache.parent.mkdir(mode=0o755)
    code = f"import sys; sys.path.insert(0, {str(place)!r}); {RELEASE}"
    state, release = state_of(), run("-c", code).stdout.strip()
    assert state is not None
    assert len(release) == 64
    kept = Answers(cache, state, release, owner=os.geteuid())
    assert kept.keep(key_of("1:known", ""), {"answer": "runs", "digest": "sha256:1", "findings": []})
    answer, cached, *modules = run("-c", ASK, place, cache, os.geteuid()).stdout.split()
    assert (answer, cached) == ("runs", "True")
    names = ("onefile", "onefile.answers", "onefile.found", "onefile.release", "onefile.trying")
    assert modules == [f"armlevel.{name}" for name in names]
    Path(cache).write_bytes(Path(cache).read_bytes()[:-1])
    answer, cached, *_ = run("-c", ASK, place, cache, os.geteuid()).stdout.split()
    assert (answer, cached) == ("unknown", "False")
