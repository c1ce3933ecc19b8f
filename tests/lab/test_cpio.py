"""The archives a kernel unpacks as its first root."""

from __future__ import annotations

import io
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.lab import cpio

NAMES = st.text("abc._-", min_size=1, max_size=12).filter(lambda name: name.strip(".") != "")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


def read(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Read a newc archive the way the kernel does, names with their modes and contents."""
    stream = io.BytesIO(data)
    found: dict[str, tuple[int, bytes]] = {}
    while True:
        head = stream.read(110)
        assert head[:6] == b"070701"
        numbers = [int(head[6 + 8 * i : 14 + 8 * i], 16) for i in range(13)]
        name = stream.read(numbers[11])[:-1].decode()
        stream.seek(-stream.tell() % 4, io.SEEK_CUR)
        content = stream.read(numbers[6])
        stream.seek(-stream.tell() % 4, io.SEEK_CUR)
        if name == "TRAILER!!!":
            return found
        assert name not in found
        found[name] = (numbers[1], content)


@given(st.dictionaries(PATHS, st.binary(max_size=9), max_size=6))
def test_what_goes_in_comes_out(files):
    clean = {
        path: data for path, data in files.items() if not any(other.startswith(path + "/") for other in files)
    }
    data = b"".join(cpio.archive([cpio.file(path, content) for path, content in clean.items()]))
    found = read(data)
    assert {path: content for path, (mode, content) in found.items() if mode >> 12 == 0o10} == clean
    assert len(data) % 4 == 0


@given(st.lists(PATHS, max_size=6))
def test_a_directory_comes_before_what_lies_in_it(paths):
    seen = set()
    for entry in cpio.parents([cpio.file(path, b"") for path in paths]):
        above = entry.path.rpartition("/")[0]
        assert not above or above in seen
        assert entry.path not in seen
        seen.add(entry.path)


def test_the_order_of_entries_does_not_matter():
    entries = [
        cpio.file("b/x", b"1"),
        cpio.directory("a"),
        cpio.link("bin", "usr/bin"),
        cpio.device("dev/console", 5, 1),
    ]
    assert b"".join(cpio.archive(entries)) == b"".join(cpio.archive(reversed(entries)))


@pytest.mark.skipif(
    shutil.which("cpio") is None, reason="there is no cpio to compare with; apt-get install cpio"
)
def test_cpio_reads_it():
    data = b"".join(
        cpio.archive([cpio.file("init", b"#!/bin/sh\n", executable=True), cpio.link("bin", "usr/bin")])
    )
    listed = subprocess.run(
        ["cpio", "-tv", "--quiet"], input=data, capture_output=True, check=True
    ).stdout.decode()
    assert [line.split()[0] for line in listed.splitlines()] == ["lrwxrwxrwx", "-rwxr-xr-x"]
    assert "bin -> usr/bin" in listed
