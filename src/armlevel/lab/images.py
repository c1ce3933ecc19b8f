"""The first root of every host: busybox, and Python with its standard library.

Python's bytecode is made once, inside a host (another Python's would not do), and laid over the base as an archive
of its own.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab import cpio
from armlevel.lab.archive import Archive, Found, deb_files
from armlevel.lab.jobs import Job, Result
from armlevel.lab.store import Store, content_key

__all__ = ["COMMON", "archive_of", "base_image", "bytecode_image", "write_archive"]

# What scripts in a host are likely to import; their bytecode is in every image.
COMMON = [
    "argparse",
    "array",
    "base64",
    "bisect",
    "collections",
    "concurrent.futures",
    "contextlib",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "errno",
    "fcntl",
    "fractions",
    "functools",
    "glob",
    "hashlib",
    "heapq",
    "importlib.metadata",
    "importlib.resources",
    "inspect",
    "io",
    "itertools",
    "json",
    "locale",
    "logging",
    "math",
    "mmap",
    "operator",
    "os",
    "pathlib",
    "platform",
    "pprint",
    "random",
    "re",
    "resource",
    "runpy",
    "select",
    "shlex",
    "shutil",
    "signal",
    "socket",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "sysconfig",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "unittest",
    "uuid",
    "zipfile",
    "zipimport",
    "zlib",
]
_RECIPE = "1"
_LIBRARIES = (
    "ld-linux-aarch64",
    "libc.so",
    "libm.so",
    "libdl.so",
    "libpthread.so",
    "libexpat.so",
    "libffi.so",
    "libz.so",
)
_UNWANTED = (
    "/test/",
    "/idlelib/",
    "/tkinter/",
    "/turtle",
    "/ensurepip/",
    "/pydoc_data/",
    "/_pyrepl/",
    "/_test",
    "/_codecs_",
    "/xx",
)


def base_image(archive: Archive, found: Found) -> Path:
    """Return the base archive, made once for one set of packages."""

    def make(place: Path) -> None:
        entries = _skeleton()
        with archive.files(found, place) as debs:
            for deb in debs.values():
                entries += [_entry(*member) for member in deb_files(deb, _wanted)]
        python = [
            entry.path
            for entry in entries
            if posixpath.dirname(entry.path) == "usr/bin" and "python3" in entry.path
        ]
        if not python:
            raise LabError(f"the packages of Python ({found.suites[-1]}) hold no interpreter")
        entries.append(cpio.link("usr/bin/python3", posixpath.basename(python[0])))
        write_archive(place / "base.cpio", entries)

    return archive.store.entry("images", content_key(_RECIPE, found.key), make) / "base.cpio"


def bytecode_image(store: Store, base: Path, run: Callable[[Job], Result]) -> Path:
    """Return the bytecode of the :data:`COMMON` modules for one base, made by one ``run`` of a host."""

    def make(place: Path) -> None:
        result = run(Job(f"python3 -c 'import {','.join(COMMON)}'", learn=True))
        if result.status or not result.bytecode:
            raise LabError(f"Python does not start in the image: {result.stderr.strip()[-200:]}")
        write_archive(place / "bytecode.cpio", archive_of(result.bytecode))

    key = content_key(base.parent.name, *COMMON)
    return store.entry("bytecode", key, make) / "bytecode.cpio"


def write_archive(path: Path, entries: Iterable[cpio.Entry]) -> None:
    """Write an archive to a file."""
    with path.open("wb") as target:
        for piece in cpio.archive(entries):
            target.write(piece)


def archive_of(content: Mapping[str, bytes]) -> list[cpio.Entry]:
    """Return the entries of plain files by their paths."""
    return [cpio.file(path, data) for path, data in content.items()]


def _skeleton() -> list[cpio.Entry]:
    # One /usr, as Debian has it; the console is opened before anything is mounted.
    links = [cpio.link(name, f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")]
    shells = [cpio.link("usr/bin/sh", "busybox")]
    places = [cpio.directory(name) for name in ("proc", "sys", "dev", "tmp", "run", "job", "etc", "usr/sbin")]
    return [*links, *shells, *places, cpio.device("dev/console", 5, 1)]


def _wanted(path: str) -> bool:
    name = posixpath.basename(path)
    if path.startswith("usr/lib/python3"):
        return not any(part in path for part in _UNWANTED)
    return name == "busybox" or path.startswith("usr/bin/python3") or name.startswith(_LIBRARIES)


def _entry(member: tarfile.TarInfo, data: bytes) -> cpio.Entry:
    # busybox is in /bin of its package, and /bin is a link here.
    path = member.name if member.name.startswith("usr/") else f"usr/{member.name}"
    if member.issym():
        return cpio.link(path, member.linkname)
    return cpio.file(path, data, executable=bool(member.mode & 0o111))
