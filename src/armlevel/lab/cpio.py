"""Archives the Linux kernel unpacks as its first root: cpio in the "newc" form.

The kernel reads several such archives after one another and lays each over the last, so a job is a small archive put
behind a base that never changes. Times and owners are zero: the same content gives the same bytes.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Entry", "archive", "device", "directory", "file", "link", "parents"]

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in an archive: ``mode`` with its type bits, the content (of a link: where it points), a device number.

    >>> oct(file("init", b"#!/bin/sh", executable=True).mode)
    '0o100755'
    """

    path: str
    mode: int
    data: bytes = b""
    rdev: tuple[int, int] = (0, 0)


def file(path: str, data: bytes, *, executable: bool = False) -> Entry:
    """Return a regular file."""
    return Entry(path.strip("/"), stat.S_IFREG | (0o755 if executable else 0o644), data)


def directory(path: str) -> Entry:
    """Return an empty directory."""
    return Entry(path.strip("/"), stat.S_IFDIR | 0o755)


def link(path: str, target: str) -> Entry:
    """Return a symbolic link at ``path`` to ``target``."""
    return Entry(path.strip("/"), stat.S_IFLNK | 0o777, target.encode())


def device(path: str, major: int, minor: int) -> Entry:
    """Return a character device: the console must exist before anything can mount /dev."""
    return Entry(path.strip("/"), stat.S_IFCHR | 0o600, rdev=(major, minor))


def parents(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Put every directory before what lies in it, and each path in once; of two entries at a path the later stays.

    >>> [entry.path for entry in parents([file("a/b/c", b""), file("a/d", b"")])]
    ['a', 'a/b', 'a/b/c', 'a/d']
    """
    last = {entry.path: entry for entry in entries}
    known: set[str] = set()
    for path, entry in sorted(last.items()):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if above not in known and above not in last:
                yield directory(above)
            known.add(above)
        known.add(path)
        yield entry


def archive(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the archive piece by piece; its length is a multiple of four, so that another may follow it.

    >>> b"".join(archive([directory("proc")]))[:6]
    b'070701'
    """
    for number, entry in enumerate(parents(entries), start=1):
        yield from _record(number, entry)
    yield from _record(0, Entry(_TRAILER, 0))


def _record(number: int, entry: Entry) -> Iterator[bytes]:
    name = entry.path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.rdev, len(name), 0)
    head = _MAGIC + b"".join(b"%08x" % field for field in fields) + name
    yield head + bytes(-len(head) % 4)
    if entry.data:
        yield entry.data
        yield bytes(-len(entry.data) % 4)
