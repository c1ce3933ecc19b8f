"""The guard as one file: built alike twice, speaking on a bare Python, and quick where an answer is known."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import make_guard
from armlevel.lab import pack_guard
from armlevel.onefile.answers import Answers, Kept, key_of, state_of
from armlevel.onefile.bytecode import FOLDER
from armlevel.onefile.found import Found
from armlevel.onefile.metadata import GuestMark, guest_element
from armlevel.operations.guard_files import START, archive_of
from tests.onefile.test_program import unpacked

ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from armlevel.onefile.trying import tried
said = tried("1:known", cache=sys.argv[2], owner=int(sys.argv[3]))
print(said.answer, said.cached, *sorted(name for name in sys.modules if name.startswith("armlevel.")))
"""
#: What libvirt's hook starts, and then which modules are loaded; and those that it may load.
HOOK = f"""
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules)))
{START}
"""
MAY_BE_LOADED = """
import __future__, atexit, sys, os, stat, types, collections, _socket, xml.parsers.expat
print(*sys.modules)
"""
LOADED_FROM = """
atexit.register(lambda: print(*{m.__file__.partition("/armlevel/")[0] for n, m in sys.modules.items()
    if n.startswith("armlevel.")}))
"""
RELEASE = "from armlevel.onefile.release import RELEASE; print(RELEASE)"


def run(*words: object, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", *map(str, words)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=more or None)


def test_the_guard_is_built_alike_twice_and_speaks_on_a_bare_python(tmp_path):
    one, two = tmp_path / "one.pyz", tmp_path / "two.pyz"
    tags = make_guard.build_guard(one)
    make_guard.build_guard(two)
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
    place, cache = unpacked(pack_guard(), tmp_path / "guard"), tmp_path / "kept" / "tried"
    cache.parent.mkdir(mode=0o755)
    code = f"import sys; sys.path.insert(0, {str(place)!r}); {RELEASE}"
    state, release = state_of(), run("-c", code).stdout.strip()
    assert state is not None
    assert len(release) == 64
    kept = Answers(cache, state, release, owner=os.geteuid())
    assert kept.keep(key_of("1:known", ""), Kept("sha256:1"))
    answer, cached, *modules = run("-c", ASK, place, cache, os.geteuid()).stdout.split()
    assert (answer, cached) == ("runs", "True")
    names = ("named", "onefile", "onefile.answers", "onefile.found", "onefile.release", "onefile.trying")
    assert modules == [f"armlevel.{name}" for name in (*names, "probe", "probe.boot")]
    Path(cache).write_bytes(Path(cache).read_bytes()[:-1])
    answer, cached, *_ = run("-c", ASK, place, cache, os.geteuid()).stdout.split()
    assert (answer, cached) == ("unknown", "False")


@pytest.mark.parametrize("found", [(), (Found("changed", "stops", "PSCI_VERSION", "1.3", "1.1"),)], ids=len)
def test_the_hook_loads_next_to_nothing_where_the_answer_is_kept(tmp_path, found):
    files, digest = pack_guard(), "sha256:" + "5a" * 32
    kept, journal = tmp_path / "kept", tmp_path / "journal"
    for module, was, now in (
        ("guard", b'CACHE = f"{STATE}/tried"', f"CACHE = {str(kept / 'tried')!r}"),
        ("guard", b"cache=CACHE,", f"cache=CACHE, owner={os.geteuid()},"),
        ("journal", b'_JOURNAL = "/run/systemd/journal/socket"', f"_JOURNAL = {str(journal)!r}"),
    ):
        name = f"armlevel/onefile/{module}.py"
        assert files[name].count(was) == 1
        files[name] = files[name].replace(was, now.encode())
    place, state = unpacked(files, tmp_path / "guard"), state_of()
    assert state is not None
    kept.mkdir(mode=0o755)
    release = run("-c", f"import sys; sys.path.insert(0, {str(place)!r}); {RELEASE}").stdout.strip()
    answers = Answers(kept / "tried", state, release, owner=os.geteuid())
    assert answers.keep(key_of("1:known", ""), Kept(digest, found))
    mark = guest_element(GuestMark(packed="1:known", digest=digest, known="stamp"))
    xml = f"<domain><name>web-1</name><metadata>{mark}</metadata></domain>"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(journal))
        done = run("-B", "-c", HOOK, place, "hook", "migrate", "web-1", text=xml)
        told = listener.recv(65536).decode()
    assert f"ARMLEVEL_EVENT={'refused' if found else 'let'}\n" in told
    assert (done.returncode, bool(done.stderr)) == (1, True) if found else (0, False)
    loaded = {name for name in done.stdout.split() if not name.startswith("armlevel")}
    assert loaded <= set(run("-B", "-c", MAY_BE_LOADED).stdout.split())
    own = {name.removeprefix("armlevel.") for name in done.stdout.split() if name.startswith("armlevel.")}
    onefile = ("answers", "entry", "found", "guard", "journal", "metadata", "release", "trying")
    assert own == {
        "errors",
        "named",
        "onefile",
        *(f"onefile.{one}" for one in onefile),
        "probe",
        "probe.boot",
        "words",
        "words.guard",
    }


def test_a_python_that_the_archive_has_no_bytecode_for_gets_its_own(tmp_path):
    files, installed = pack_guard(), tmp_path / "installed"
    installed.mkdir()
    for name, data in files.items():
        files[name] = data.replace(FOLDER.encode(), str(installed).encode())
    archive = installed / "guard.pyz"
    archive.write_bytes(archive_of(files, ["/bin/false"]))

    def hook(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return run("-B", "-c", f"import atexit\n{LOADED_FROM}\n{START}", archive, *words, text=text)

    assert hook("bytecode", "--check").returncode == 3
    assert str(archive) in hook("try", text="1:x").stdout
    written = hook("bytecode")
    (made,) = installed.glob("guard-*.zip")
    assert (written.returncode, written.stdout.split(": ")[0]) == (0, str(made))
    assert (made.stat().st_mode & 0o777, sys.implementation.cache_tag in made.name) == (0o644, True)
    content = made.read_bytes()
    assert hook("bytecode", "--check").returncode == hook("bytecode").returncode == 0
    said = hook("try", text="1:x").stdout
    assert str(made) in said
    assert str(archive) not in said
    for damage in (content[:-100], b"", b"PK\x03\x04"):
        made.write_bytes(damage)
        assert str(archive) in hook("try", text="1:x").stdout
    assert hook("bytecode").returncode == 0
    assert made.read_bytes() == content
    made.rename(made.with_name(made.name.replace("-", "-x")))
    assert hook("bytecode", "--check").returncode == 3  # of another archive
    assert hook("bytecode", "more").returncode == 2
    installed.chmod(0o555)
    if os.geteuid():
        failed = hook("bytecode")
        assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
