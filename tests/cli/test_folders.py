"""A directory is read for what is wanted of it."""

from __future__ import annotations

import gzip
import json
import os
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from armlevel.documents import load_guest, load_many, write_output
from armlevel.documents.inputs import LeftAside, Renamed, begin_reading, remarks
from armlevel.errors import InputError
from armlevel.operations.named import hosts_named
from armlevel.profile import Guest, Host
from tests.cli.hosts import Command, host, write

PHOTO = bytes.fromhex("89504e470d0a1a0a") + bytes(100)
OTHERS = {
    "README": b"what these are\n", "README.md": b"# Hosts\n", "notes.txt": b"n1 is slow\n", "empty": b"",
    "a.json.gz": gzip.compress(b"{}"), "package.json": b'{"name": "x"}', "pod.json": b'{"kind": "Pod"}',
    "list.json": b"[1]", "p.png": PHOTO,
    "template.json": b'{"kvm_capabilities": [], "reg_modifiers": [{"addr": "0x603000000013c020", "bitmap": "0bx1"}]}',
    "matrix.json": b'{"kind": "matrix/1", "hosts": []}', "p.xml": b"<p/>", "sub/README": b"x", "p.yaml": b"a: 1\n",
}  # fmt: skip
CUT = {
    "h.json": b'{"kind": "host-profile/1", "name": "h"', "empty.json": b"", "half.json": b"[1,", "h.xml": b"<host><cpu",
    "h2.json": b'{"kind": "host-profile/2"}', "h3.json": b'{"kind": "host-profile/1", "offers": []}',
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with two hosts, and a third one further down."""
    place = tmp_path / "hosts"
    (place / "sub").mkdir(parents=True)
    write(place, host("a"), host("b"))
    write(place / "sub", host("c"))
    return place


def read(folder: Path, wanted: Any = Host) -> tuple[list[str], dict[str, str]]:
    """Return the names of what a directory gives, and what was left aside of it."""

    def inside() -> tuple[list[str], dict[str, str]]:
        begin_reading()
        documents = [one.document for one in load_many([str(folder)], wanted=wanted)]
        found = [one.name for one in documents if isinstance(one, Host | Guest)]
        return found, {
            os.path.relpath(one.path, folder): one.reason for one in remarks() if isinstance(one, LeftAside)
        }

    return copy_context().run(inside)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_data_is_left_aside_and_said(armlevel: Command, folder: Path, name: str):
    (folder / name).write_bytes(OTHERS[name])
    assert read(folder) == (["a", "b", "c"], {name: "not a document"})
    said = armlevel("matrix", folder)
    assert said.code == 0
    assert "left aside, neither a profile nor a file of a tool we know" in said.err
    assert str(folder / name) in said.err


@pytest.mark.parametrize("name", [".host.json", ".git/config", ".x.swp"])
def test_what_is_hidden_is_left_aside_and_said(armlevel: Command, folder: Path, name: str):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"{")
    assert read(folder) == (["a", "b", "c"], {name.split("/", maxsplit=1)[0]: "hidden"})
    assert "left aside, hidden files" in armlevel("plan", folder).err


def test_a_guest_among_hosts_is_left_aside_and_said(armlevel: Command, folder: Path):
    guest = folder / "guest.json"
    assert armlevel("baseline", folder, "-o", guest).code == 0
    assert load_guest(str(guest)).name == "guest"
    assert read(folder) == (["a", "b", "c"], {"guest.json": "guest profile"})
    for verb in (["matrix"], ["plan"], ["baseline"], ["check", guest], ["drift", "--guest", guest]):
        said = armlevel(*verb, folder)
        assert said.code == 0, said
        assert "left aside, a guest, and a host is wanted" in said.err, said
    assert "guest" in read(folder, None)[0]
    said = armlevel("matrix", guest, folder)
    assert (said.code, "a host is needed here" in said.err) == (2, True), "a file that is named is meant"


@pytest.mark.parametrize("name", CUT)
def test_a_profile_with_faults_is_never_left_out_unseen(armlevel: Command, folder: Path, name: str):
    (folder / name).write_bytes(CUT[name])
    for verb in ("matrix", "plan", "baseline"):
        said = armlevel(verb, folder)
        assert (said.code, said.out) == (2, "")
        assert str(folder / name) in said.err


def test_all_that_is_broken_is_named_at_once(armlevel: Command, folder: Path):
    for name, data in CUT.items():
        (folder / name).write_bytes(data)
    (folder / "dangling.json").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.json")
    said = armlevel("baseline", folder)
    assert (said.code, said.out) == (2, "")
    assert [name for name in [*CUT, "dangling.json", "pipe.json"] if name not in said.err] == []
    assert "mend them, or move them away" in " ".join(said.err.split())


def test_a_directory_without_what_is_wanted_is_refused(tmp_path: Path):
    (tmp_path / "README").write_text("x")
    with pytest.raises(InputError, match="README: neither a profile nor a file of a tool we know"):
        read(tmp_path)
    (tmp_path / "README").unlink()
    with pytest.raises(InputError, match="a directory without profiles"):
        read(tmp_path)


def test_two_of_one_name_are_told_apart_and_said(armlevel: Command, folder: Path):
    write(folder / "sub", host("a", kernel="7.3.1"))

    def inside() -> list[Any]:
        begin_reading()
        hosts_named([str(folder)])
        return list(remarks())

    found = copy_context().run(inside)
    assert [type(one) for one in found] == [Renamed]
    assert (found[0].name, found[0].called) == ("a", "a#2")
    said = armlevel("matrix", folder)
    assert "another is called a too, this one is a#2 here" in said.err
    assert "another is called" not in armlevel("matrix", folder / "0-a.json", folder / "1-b.json").err


def test_what_one_question_read_is_no_input_of_the_next(armlevel: Command, folder: Path, tmp_path: Path):
    path = folder / "0-a.json"
    assert armlevel("show", path).code == 0
    said = armlevel("import", "@graviton2-6.1", "-o", path)
    assert said.code == 0
    write_output(str(path), json.dumps({"kind": "host-profile/1"}))
