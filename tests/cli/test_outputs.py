"""Every verb that writes a file: never over an input, never over what is to be kept."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from armlevel.cli.app import VERBS, _app
from armlevel.documents import host_object, pretty
from armlevel.fleet.database import make_store
from tests.cli.hosts import Command, host

#: Verbs that need a machine or a store of their own, and read no file but a guest's profile at most: they are written
#: with in `tests/cli/test_probe.py`, `test_collect.py`, `test_fleet_watch.py` and `tests/lab`. What they call to write
#: is what all others call.
ON_A_MACHINE = {"fleet watch", "probe", "collect", "lab probe", "lab hosts", "lab run", "lab tcg"}
#: Options that name what is written, by the words of their help.
WRITES = ("write", "append")


@dataclass(frozen=True)
class Writer:
    """A verb with an option that names a file to write."""

    verb: str
    option: str
    metavar: str
    command: Any


def _verbs(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from _verbs(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _writers() -> list[Writer]:
    return [
        Writer(verb, max(parameter.opts, key=len), parameter.metavar, command)
        for verb, command in _verbs(get_command(_app))
        for parameter in command.params
        if getattr(parameter, "help", None)
        and (parameter.metavar or "") in ("FILE", "DIR")
        and parameter.help.lower().startswith(WRITES)
    ]


WRITERS = copy_context().run(_writers)
OF_MANY = [one for one in WRITERS if "HOST..." in {given.metavar for given in one.command.params}]
HERE = [one for one in WRITERS if one.verb not in ON_A_MACHINE and one.metavar == "FILE"]
OF_MANY = [one for one in OF_MANY if one in HERE]
INTO = [one for one in WRITERS if one.verb not in ON_A_MACHINE and one.metavar == "DIR"]


@pytest.fixture
def inputs(tmp_path: Path, armlevel: Command) -> dict[str, Any]:
    """What each kind of argument may be, by its metavar: files that verbs read."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text(pretty(host_object(host(name))), encoding="utf-8")
    a, b = str(folder / "a.json"), str(folder / "b.json")
    guest, fingerprint = str(folder / "guest"), str(folder / "fingerprint")
    assert armlevel("baseline", a, b, "-o", guest).code == 0
    armlevel("export", "@graviton2-6.1", "--to", "firecracker", "--form", "fingerprint", "-o", fingerprint)
    key = folder / "key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    return {
        "STORE": lambda: make_store(str(folder / "fleet.db"))[0].place,
        "HOST...": [a, b], "GUEST": [guest], "GUEST...": [guest], "FILE": [fingerprint], "FILE...": [a, b],
        "HOST": [a], "A": [a], "B": [b], "PEM": [str(key)], "NAME": ["web"], "V": ["1"], "TOOL": ["openstack"],
        "-- QEMU...": ["--", "qemu-system-aarch64", "-M", "virt-10.0", "-accel", "kvm", "-cpu", "host"],
    }  # fmt: skip


def _question(writer: Writer, inputs: dict[str, Any]) -> tuple[list[str], list[str]]:
    # The verb with all it needs, and every file that it then reads.
    needed: list[str] = []
    for parameter in writer.command.params:
        option = parameter.param_type_name == "option"
        if option and (parameter.required or parameter.name in ("guest", "host", "parent")):
            if parameter.name == "parent" or (writer.verb, parameter.name) == ("import", "host"):
                continue
            needed = [max(parameter.opts, key=len), *inputs[parameter.metavar], *needed]
        elif not option and parameter.required:
            needed += inputs[parameter.metavar]
    if writer.verb.startswith("fleet "):
        needed += ["--fleet", inputs["STORE"]()]
    return needed, [word for word in needed if os.path.sep in word]


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_are_verbs_that_write_and_each_is_known():
    verbs = {one.verb for one in WRITERS}
    assert verbs >= {"baseline", "export", "import", "freeze", "matrix", "run"} | ON_A_MACHINE
    assert {one.split()[0] for one in verbs} <= set(VERBS)


@pytest.mark.parametrize("writer", HERE, ids=lambda one: f"{one.verb} {one.option}")
@pytest.mark.parametrize("by", ["name", "other spelling", "symbolic link", "hard link"])
def test_no_verb_writes_over_what_it_reads(armlevel: Command, tmp_path: Path, inputs, writer, by):
    needed, read = _question(writer, inputs)
    assert read, "a verb that reads nothing has nothing to lose"
    show = ["--show"] if writer.verb == "run" else []
    before = _content(tmp_path / "in")
    for number, victim in enumerate(read):
        target = str(tmp_path / f"{number}-{by}")
        if by == "name":
            target = victim
        elif by == "other spelling":
            target = f"{tmp_path}/./in/../in/{Path(victim).name}"
        elif by == "symbolic link":
            Path(target).symlink_to(victim)
        else:
            Path(target).hardlink_to(victim)
        said = armlevel(*writer.verb.split(), writer.option, target, *show, *needed)
        assert said.code == 2, said
        assert "was read for this answer" in said.err, said.err
        assert _content(tmp_path / "in") == before


@pytest.mark.parametrize("writer", OF_MANY, ids=lambda one: f"{one.verb} {one.option}")
def test_no_verb_writes_over_a_file_of_a_directory_that_it_reads(
    armlevel: Command, tmp_path: Path, inputs, writer
):
    folder = tmp_path / "hosts"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.json").write_bytes((tmp_path / "in" / f"{name}.json").read_bytes())
    needed, _ = _question(writer, inputs | {"HOST...": [str(folder)]})
    before = _content(tmp_path)
    said = armlevel(*writer.verb.split(), writer.option, folder / "b.json", *needed)
    assert (said.code, "was read for this answer" in said.err) == (2, True), said
    assert _content(tmp_path) == before


KEPT = {
    "notes.md": "# what we know\n",
    "key.pem": "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
    "web-1.json": '{"digest":"sha256:0","guest":{},"kind":"frozen-profile/1","name":"web"}\n',
    "signed.json": '{"payload":"eyJ9","payloadType":"x","signatures":[]}\n',
    "script.sh": "#!/bin/sh\n",
}


@pytest.mark.parametrize("writer", HERE, ids=lambda one: f"{one.verb} {one.option}")
@pytest.mark.parametrize("name", KEPT)
def test_what_is_no_earlier_answer_is_kept(armlevel: Command, tmp_path: Path, inputs, writer, name):
    needed, _ = _question(writer, inputs)
    target = tmp_path / name
    target.write_text(KEPT[name], encoding="utf-8")
    show = ["--show"] if writer.verb == "run" else []
    said = armlevel(*writer.verb.split(), writer.option, target, *show, *needed)
    if (writer.option, name) == ("--log", "notes.md"):  # lines are added, nothing is lost
        return
    assert (said.code, "not written" in said.err) == (2, True), said
    assert target.read_text(encoding="utf-8") == KEPT[name]
    if "--force" in said.err:
        said = armlevel(*writer.verb.split(), writer.option, target, "--force", *needed)
        assert said.code in (0, 1, 3), said
        assert target.read_text(encoding="utf-8") != KEPT[name]
        assert name in ("notes.md", "script.sh")


@pytest.mark.parametrize("verb", ["baseline", "export", "import", "matrix", "freeze"])
def test_minus_is_standard_output(armlevel: Command, inputs, tmp_path: Path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    writer = next(one for one in HERE if one.verb == verb)
    needed, _ = _question(writer, inputs)
    said = armlevel(
        verb, writer.option, "-", *needed, *(["--json"] if verb in ("baseline", "matrix") else [])
    )
    assert said.out[:1] in ("{", "<", "#"), said.out[:80]
    assert not (tmp_path / "-").exists()
    assert "written to" not in said.err


def test_minus_is_standard_input(tmp_path: Path, inputs):
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    (tmp_path / "x").write_bytes(Path(inputs["HOST..."][0]).read_bytes())
    line = (
        f"armlevel baseline - -o {shlex.quote(str(tmp_path / 'g.json'))} < {shlex.quote(str(tmp_path / 'x'))}"
    )
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=here)
    assert done.returncode == 0, done.stderr
    line = f"armlevel show - -  < {shlex.quote(str(tmp_path / 'x'))}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=here)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


@pytest.mark.parametrize("writer", INTO, ids=lambda one: f"{one.verb} {one.option}")
def test_no_verb_writes_over_a_file_of_the_directory_that_it_writes_into(
    armlevel: Command, tmp_path: Path, inputs, writer
):
    needed, read = _question(writer, inputs)
    names = []
    place = tmp_path / "into"
    assert armlevel(*writer.verb.split(), writer.option, place, *needed).code in (0, 1, 3)
    names = sorted(one.name for one in place.iterdir())
    assert names
    for name in names:
        (place / name).write_bytes(Path(read[0]).read_bytes())
    before = _content(tmp_path)
    again = [str(place / names[0]) if word == read[0] else word for word in needed]
    for words in (needed, again):
        said = armlevel(*writer.verb.split(), writer.option, place, *words)
        assert (said.code, said.out) == (2, ""), said
        assert _content(tmp_path) == before
    said = armlevel(*writer.verb.split(), writer.option, read[0], *needed)
    assert (said.code, _content(tmp_path)) == (2, before)
