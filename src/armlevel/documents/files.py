"""Files and directories to profiles; the only place that opens what a user names."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from armlevel.documents.clusters import cluster_named, narrow
from armlevel.documents.held import held
from armlevel.documents.inputs import Renamed, note_input, remark
from armlevel.documents.maps import ValuePool
from armlevel.documents.names import visible, wrong_in
from armlevel.documents.read import Document, new_pool, read_all_ours
from armlevel.errors import ArmlevelError, BadDocument, UnreadableFile, UsageError
from armlevel.formats import read_foreign, read_foreign_hosts
from armlevel.formats.cpuinfo import gather, is_gathered
from armlevel.profile import Guest, Host

__all__ = ["LARGEST", "Loaded", "load", "load_guest", "load_hosts", "load_many", "read_file"]

#: What stands for standard input where a file is meant.
STDIN = "-"

#: No input is larger, bytes; the profiles of every shape of a host are 40 KiB.
LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document and where it came from.

    ``frozen``     the digest of the frozen profile that it is the guest of;  ``signed_by``  the ids of the keys of that
    """

    path: str
    document: Document
    frozen: str = ""
    signed_by: tuple[str, ...] = ()


def read_file(path: str) -> bytes:
    """Return the bytes of a file, or of a pipe, that a user named; ``-`` is standard input.

    Raises:
        UnreadableFile: missing, a directory, too large, a symlink loop, no permission.

    """
    try:
        handle = os.dup(0) if path == STDIN else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            note_input(status, path)
            if stat.S_ISDIR(status.st_mode):
                raise UnreadableFile(path, "is a directory, and a file is needed here")
            if status.st_size > LARGEST:
                raise UnreadableFile(
                    path, f"is {status.st_size >> 20} MiB; nothing larger than 64 MiB is read"
                )
            data = _whole(handle, status.st_size)
        finally:
            os.close(handle)
    except OSError as exc:
        raise UnreadableFile(path, _why(exc)) from exc
    except ValueError as exc:
        raise UnreadableFile(ascii(path), "no file has a name with a zero byte in it") from exc
    if len(data) > LARGEST:
        raise UnreadableFile(path, "nothing larger than 64 MiB is read")
    return data


def load(path: str, pool: ValuePool | None = None) -> Document:
    """Return what one file says: a document of ours, or a host from another tool's file.

    Raises:
        InputError: it cannot be read, is not recognised, or has faults.

    """
    found = _loaded(path, pool or new_pool())
    if len(found) > 1:
        raise BadDocument(
            path,
            (f"{len(found)} documents stand in it, and one is needed here",),
            hint="give the one that is meant a file of its own",
        )
    return found[0].document


def _loaded(path: str, pool: ValuePool) -> list[Loaded]:
    if (named := cluster_named(path)) is not None:
        head, cluster = named
        return [Loaded(path, narrow(one.document, head, cluster)) for one in _loaded(head, pool)]
    if _is_folder(path) and is_gathered(path):
        try:
            note_input(Path(path).stat(), path)
            gathered = gather(path)
        except OSError as exc:
            raise UnreadableFile(path, _why(exc)) from exc
        return [Loaded(path, held(read_foreign(gathered, path, _stem(path)), path))]
    data = read_file(path)
    if _may_be_frozen(data):
        from armlevel.documents.envelope import read_published

        found = read_published(data, path, pool)
        return [Loaded(path, found.frozen.guest, found.frozen.digest, found.signed_by)]
    if _may_be_ours(data) and (ours := read_all_ours(data, path, pool)):
        return [Loaded(path, _named(one, path)) for one in ours]
    return [Loaded(path, held(one, path)) for one in read_foreign_hosts(data, path, _stem(path))]


def _named(document: Document, path: str) -> Document:
    if isinstance(document, Host | Guest) and not document.name:
        return replace(document, name=_stem(path))
    return document


def load_many(paths: Iterable[str], pool: ValuePool | None = None) -> list[Loaded]:
    """Return every document that ``paths`` name; a directory means all in it and below, by name.

    Hosts and guests come back with names of their own: ``#2`` and so on for a name that was there before.

    Raises:
        InputError: one of them cannot be read or has faults, or a directory has none.
        UsageError: no path at all.

    """
    pool = pool or new_pool()
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise UsageError("no file was named", hint="name at least one profile or a directory of profiles")
    return list(_named_once(one for path in files for one in _loaded(path, pool)))


def load_hosts(paths: Iterable[str], pool: ValuePool | None = None) -> list[Host]:
    """Return the hosts that ``paths`` name; raises as :func:`load_many`, also for anything that is no host."""
    hosts = []
    for loaded in load_many(paths, pool):
        if not isinstance(loaded.document, Host):
            raise _other_kind(loaded.path, loaded.document, "host profile")
        hosts.append(loaded.document)
    return hosts


def load_guest(path: str, pool: ValuePool | None = None) -> Guest:
    """Return the guest that a file describes; raises as :func:`load`, also for anything that is no guest."""
    document = load(path, pool)
    if not isinstance(document, Guest):
        raise _other_kind(path, document, "guest profile")
    return document


def _other_kind(path: str, document: Document, wanted: str) -> ArmlevelError:
    found = (
        "host profile"
        if isinstance(document, Host)
        else "guest profile"
        if isinstance(document, Guest)
        else "verdict"
    )
    return BadDocument(path, (f"a {wanted} is needed here, this is a {found}",))


def _files(path: str) -> Iterator[str]:
    if not _is_folder(path) or is_gathered(path):
        yield path
        return
    found = list(_below(path, set()))
    if not found:
        raise UnreadableFile(path, "a directory without profiles")
    yield from found


def _below(folder: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    # A directory or file that was met before is not entered again, so a loop of symbolic links ends. What is neither
    # file nor directory is refused before it is opened: a pipe that nobody writes to would be waited for.
    ahead = [folder]
    while ahead:
        path = ahead.pop()
        try:
            status = Path(path).stat()
        except OSError as exc:
            raise UnreadableFile(path, _why(exc)) from exc
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(path, "is neither a file nor a directory, and stands in one that is read")
        if stat.S_ISREG(status.st_mode) or (path != folder and is_gathered(path)):
            yield path
            continue
        try:
            names = sorted(one.name for one in Path(path).iterdir() if not one.name.startswith("."))
        except OSError as exc:
            raise UnreadableFile(path, _why(exc)) from exc
        ahead += [str(Path(path, name)) for name in reversed(names)]


def _named_once(documents: Iterable[Loaded]) -> Iterator[Loaded]:
    used: dict[str, int] = {}
    for loaded in documents:
        document = loaded.document
        if not isinstance(document, Host | Guest):
            yield loaded
            continue
        name = document.name
        while name in used:
            used[document.name] += 1
            name = f"{document.name}#{used[document.name]}"
        used[name] = 1
        if name == document.name:
            yield loaded
        else:
            remark(Renamed(loaded.path, document.name, name))
            yield replace(loaded, document=replace(document, name=name))


def _stem(path: str) -> str:
    # A file's name may hold any bytes, the name of a host no character that is not seen.
    stem = visible("stdin" if path == STDIN else PurePath(path).stem or path)
    return ascii(stem)[1:-1] if wrong_in(stem) else stem


def _may_be_ours(data: bytes) -> bool:
    # Only an object has a kind; what is no JSON at all goes to the importers, which know texts too.
    return data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"{" and (b'"kind"' in data or b"\\u00" in data)


def _may_be_frozen(data: bytes) -> bool:
    # What we wrote for people begins with a line break; frozen profiles and envelopes are one long line.
    return data[:2] != b"{\n" and data[:1] == b"{" and (b'"frozen-profile/1"' in data or b'"payload"' in data)


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - asked for each of ten thousand files
    except (OSError, ValueError):
        return False  # opening it says why


def _whole(handle: int, size: int) -> bytes:
    # Until the end: a read may come back short, and a file may grow.
    chunks: list[bytes] = []
    left = LARGEST + 1
    while left > 0 and (chunk := os.read(handle, min(left, max(size + 1, 1 << 20)))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _why(exc: OSError) -> str:
    known = {
        errno.ENOENT: "no such file",
        errno.ENOTDIR: "no such file",
        errno.ELOOP: "a loop of symbolic links",
        errno.EACCES: "no permission to read it",
        errno.EISDIR: "is a directory, and a file is needed here",
        errno.ENAMETOOLONG: "the name is too long",
    }
    return known.get(exc.errno or 0, (exc.strerror or str(exc)).lower())
