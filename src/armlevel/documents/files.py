"""Files and directories to profiles; the only place that opens what a user names."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal

from armlevel.documents.clusters import cluster_named, narrow
from armlevel.documents.held import held
from armlevel.documents.inputs import LeftAside, Renamed, note_input, remark
from armlevel.documents.maps import ValuePool
from armlevel.documents.names import visible
from armlevel.documents.read import Document, new_pool, parse, read_all_ours
from armlevel.errors import (
    ArmlevelError,
    BadDocument,
    InputError,
    NotRecognised,
    OtherDocument,
    UnreadableFile,
    UsageError,
)
from armlevel.profile import Guest, Host

__all__ = ["LARGEST", "Loaded", "load", "load_guest", "load_hosts", "load_many", "read_file"]

#: What stands for standard input where a file is meant.
STDIN = "-"

#: No input is larger, bytes; the profiles of every shape of a host are 40 KiB.
LARGEST = 64 * 1024 * 1024

_FLEET = re.compile(rb'\s*\{\s*"kind"\s*:\s*"fleet-export/')


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
        every = _loaded(head, pool)
        return [Loaded(path, host) for one in every for host in narrow(one.document, head, cluster)]
    if _is_folder(path) and _is_gathered(path):
        from armlevel.formats import read_foreign
        from armlevel.formats.cpuinfo import gather

        try:
            note_input(Path(path).stat(), path)
            gathered = gather(path)
        except OSError as exc:
            raise UnreadableFile(path, _why(exc)) from exc
        return [Loaded(path, held(read_foreign(gathered, path, _stem(path)), path))]
    data = read_file(path)
    if _is_fleet(data):
        from armlevel.documents.fleet_export import read_fleet_export

        fleet = read_fleet_export(data, path, pool)
        return [Loaded(path, fleet.profile_of(host)) for host in fleet.hosts if host.retired is None]
    if _may_be_frozen(data):
        from armlevel.documents.envelope import read_published

        found = read_published(data, path, pool)
        return [Loaded(path, found.frozen.guest, found.frozen.digest, found.signed_by)]
    if _may_be_ours(data) and (ours := read_all_ours(data, path, pool)):
        return [Loaded(path, _named(one, path)) for one in ours]
    from armlevel.formats import read_foreign_hosts

    return [Loaded(path, held(one, path)) for one in read_foreign_hosts(data, path, _stem(path))]


def _named(document: Document, path: str) -> Document:
    if isinstance(document, Host | Guest) and not document.name:
        return replace(document, name=_stem(path))
    return document


def load_many(
    paths: Iterable[str], pool: ValuePool | None = None, wanted: type[Document] | None = None
) -> list[Loaded]:
    """Return every document that ``paths`` name; a directory means all in it and below, by name.

    Of a directory only documents of the ``wanted`` type are returned, all if it is None. What is in it besides is left
    aside, and can be asked for (:func:`armlevel.documents.inputs.remarks`): files without data of hosts or guests, and
    hidden ones. But a document with faults is refused: an answer without it could promise more than one with it.

    Hosts and guests come back with names of their own: ``#2`` and so on for a name that was there before.

    Raises:
        InputError: one of them cannot be read or has faults, or a directory has none.
        UsageError: no path at all.

    """
    pool = pool or new_pool()
    found: list[Loaded] = []
    for path in paths:
        if _is_folder(path) and not _is_gathered(path):
            found += _in_folder(path, pool, wanted)
        else:
            found += _loaded(path, pool)
    if not found:
        raise UsageError("no file was named", hint="name at least one profile or a directory of profiles")
    return list(_named_once(found))


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
    return BadDocument(path, (f"a {wanted} is needed here, this is a {_called(document)}",))


def _called(document: Document) -> Literal["host profile", "guest profile", "verdict"]:
    if isinstance(document, Host):
        return "host profile"
    return "guest profile" if isinstance(document, Guest) else "verdict"


def _in_folder(folder: str, pool: ValuePool, wanted: type[Document] | None) -> list[Loaded]:
    found: list[Loaded] = []
    broken: list[InputError] = []
    unknown: list[InputError] = []
    for file in _below(folder):
        every = _tried(file, pool) if isinstance(file, str) else file
        if isinstance(every, OtherDocument | NotRecognised) and not _is_cut_off(str(file)):
            unknown.append(every)
            remark(LeftAside(str(file), "not a document"))
            continue
        if isinstance(every, InputError):
            broken.append(every)
            continue
        for loaded in every:
            if wanted is None or isinstance(loaded.document, wanted):
                found.append(loaded)
            else:
                remark(LeftAside(loaded.path, _called(loaded.document)))
    if not broken and not found:
        raise unknown[0] if unknown else UnreadableFile(folder, "a directory without profiles")
    if len(broken) == 1:
        raise broken[0]
    if broken:
        faults = BadDocument(folder, tuple(map(str, broken)), hint="mend them, or move them away")
        unreadable = all(isinstance(one, UnreadableFile) for one in broken)
        message = faults.message.removeprefix(f"{folder}: ")
        raise UnreadableFile(folder, message, hint=faults.hint) if unreadable else faults
    return found


def _tried(path: str, pool: ValuePool) -> list[Loaded] | InputError:
    try:
        return _loaded(path, pool)
    except InputError as exc:
        return exc


def _is_cut_off(path: str) -> bool:
    # Of what was cut off nobody can say that it is no data of a host or a guest.
    if PurePath(path).suffix.lower() not in (".json", ".xml"):
        return False
    data = read_file(path)
    if path.lower().endswith(".xml"):
        return not data.rstrip().endswith(b">")
    try:
        parse(data, path)
    except InputError:
        return True
    return False


def _below(folder: str) -> Iterator[str | InputError]:
    # A directory or file that was met before is not entered again, so a loop of symbolic links ends. What is neither
    # file nor directory is not opened: a pipe that nobody writes to would be waited for.
    ahead, seen = [folder], set[tuple[int, int]]()
    while ahead:
        path = ahead.pop()
        try:
            status = Path(path).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
                yield UnreadableFile(
                    path, "is neither a file nor a directory, and stands in one that is read"
                )
            elif stat.S_ISREG(status.st_mode) or (path != folder and _is_gathered(path)):
                yield path
            else:
                ahead += reversed(list(_seen_in(path)))
        except OSError as exc:
            yield UnreadableFile(path, _why(exc))


def _seen_in(folder: str) -> Iterator[str]:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - of ten thousand files
        if name.startswith("."):
            remark(LeftAside(os.path.join(folder, name), "hidden"))  # noqa: PTH118 - the same
        else:
            yield os.path.join(folder, name)  # noqa: PTH118 - the same


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
    return "stdin" if path == STDIN else visible(PurePath(path).stem or path)


def _may_be_ours(data: bytes) -> bool:
    # Only an object has a kind; what is no JSON at all goes to the importers, which know texts too.
    return data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"{" and (b'"kind"' in data or b"\\u00" in data)


def _may_be_frozen(data: bytes) -> bool:
    # What we wrote for people begins with a line break; frozen profiles and envelopes are one long line.
    return data[:2] != b"{\n" and data[:1] == b"{" and (b'"frozen-profile/1"' in data or b'"payload"' in data)


def _is_fleet(data: bytes) -> bool:
    return _FLEET.match(data) is not None


def _is_gathered(path: str) -> bool:
    from armlevel.formats.cpuinfo import is_gathered

    return is_gathered(path)


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
