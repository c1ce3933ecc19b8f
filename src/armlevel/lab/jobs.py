"""What runs inside an emulated host, and how it gets in and out.

A job goes in as a small archive behind the base image: files under ``/job``, and the script that runs there, with
the first process, ``init.sh``. Out comes one checked stream on the second serial line.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from armlevel.lab import cpio

__all__ = ["Job", "Result", "job_entries", "read_result"]

_HEAD = re.compile(rb"armlevel-lab (\d{1,3}) (\d{1,10}) ([0-9a-f]{64})\n")
_LARGEST = 256 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """A shell script, run with ``/job`` as its directory; it leaves files in ``$OUT``.

    ``files`` lie under ``/job`` by their relative names; ``learn`` has the host send back the Python bytecode it made.
    """

    script: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    learn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a job left: its exit status, what it printed, its files, and how long its host ran, in seconds."""

    status: int
    stdout: str
    stderr: str
    files: Mapping[str, bytes]
    bytecode: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    console: str = field(default="", repr=False)


def job_entries(name: str, job: Job) -> list[cpio.Entry]:
    """Return the archive entries of a job on the host called ``name``.

    >>> [entry.path for entry in job_entries("n2", Job("true", {"data/a": b"1"}))]
    ['init', 'job/.name', 'job/.run', 'job/data/a']
    """
    init = resources.files("armlevel.lab").joinpath("init.sh").read_bytes()
    entries = [
        cpio.file("init", init, executable=True),
        cpio.file("job/.name", f"{name}\n".encode()),
        cpio.file("job/.run", job.script.encode() + b"\n"),
    ]
    entries += [cpio.file("job/.learn", b"")] if job.learn else []
    return entries + [cpio.file(f"job/{path}", data) for path, data in sorted(job.files.items())]


def read_result(stream: bytes) -> Result | None:
    """Return what a host sent, or ``None`` if it is not whole."""
    head = _HEAD.search(stream)
    if head is None or int(head[2]) > _LARGEST:
        return None
    body = stream[head.end() : head.end() + int(head[2])]
    if hashlib.sha256(body).hexdigest() != head[3].decode():
        return None
    try:
        members = _members(_inflate(body))
    except (OSError, zlib.error, tarfile.TarError, EOFError):
        return None
    bytecode = _members(members["bytecode.tar"]) if "bytecode.tar" in members else {}
    return Result(
        status=int(head[1]),
        stdout=members.get("stdout", b"").decode(errors="replace"),
        stderr=members.get("stderr", b"").decode(errors="replace"),
        files={
            path.removeprefix("files/"): data for path, data in members.items() if path.startswith("files/")
        },
        bytecode=bytecode,
    )


def _inflate(body: bytes) -> bytes:
    with gzip.open(io.BytesIO(body)) as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise OSError("larger than anything the lab asks for")
    return data


def _members(data: bytes) -> dict[str, bytes]:
    files, left = {}, _LARGEST
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            left -= max(member.size, 0)  # of a sparse file, what it says it is
            if left < 0:
                raise OSError("larger than anything the lab asks for")
            path = member.name.removeprefix("./").lstrip("/")
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and path and ".." not in path.split("/"):
                files[path] = content.read()
    return files
