"""Files that were made to make a reader wait, run out of memory, or stop short."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from armlevel.documents import load, load_many, read_file
from armlevel.errors import BadDocument, UnreadableFile
from armlevel.formats.cpuinfo import gather
from tests.documents.samples import encoded, host

HOST = encoded(host()).decode()


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_what_is_no_file_in_a_directory_is_named_and_never_opened(tmp_path, kind):
    (tmp_path / "a.json").write_text(HOST)
    if kind == "fifo":
        os.mkfifo(tmp_path / "x.json")
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(tmp_path / "x.json"))
    with pytest.raises(UnreadableFile, match=r"x\.json: is neither a file nor a directory"):
        load_many([str(tmp_path)])


def test_a_pipe_in_a_copied_tree_is_not_waited_for(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor : 0\n")
    registers = tmp_path / "cpu0/regs/identification"
    registers.mkdir(parents=True)
    os.mkfifo(registers / "midr_el1")
    with pytest.raises(OSError, match="midr_el1"):
        gather(str(tmp_path))


def test_directories_may_be_nested_deeper_than_python_recurses(tmp_path, monkeypatch):
    depth = sys.getrecursionlimit() + 200
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    Path("a.json").write_text(HOST)
    try:
        assert len(load_many([str(tmp_path)])) == 1
    finally:
        Path("a.json").unlink()
        for _ in range(depth):
            os.chdir("..")
            Path("d").rmdir()


def test_a_file_that_is_read_in_pieces_is_read_to_its_end(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text(HOST)
    read = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: read(handle, min(size, 7)))
    assert read_file(str(path)) == HOST.encode()


@pytest.mark.parametrize(
    ("key", "items"),
    [
        ("offers", [{}] * 20_000),
        ("cpus", [{"midr": 1}] * 70_000),
        ("software", {"boot_options": [1] * 20_000}),
        ("offers", [{"shape": {"features": [1] * 20_000}, "how": "tried", "default": "unknown"}]),
    ],
)
def test_a_list_of_no_end_is_one_fault(tmp_path, key, items):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(host(**{key: items})))
    with pytest.raises(BadDocument, match="has more items than") as found:
        load(str(path))
    assert len(found.value.faults) < 10


def test_of_many_faults_the_first_hundred_are_told():
    told = str(BadDocument("x", tuple(f"fault {n}" for n in range(1000)), hint="mend them"))
    assert told.count("\n") == 101
    assert "1000 faults" in told
    assert "and 900 more; mend them" in told
