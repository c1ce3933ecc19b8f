"""Files that are never half written, and never written over what was read. Standard library only, as ``write`` is."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from armlevel.documents.inputs import input_at
from armlevel.errors import UsageError

__all__ = ["create_file", "output_path", "replace_file", "sync_folder"]

_ACL = "system.posix_acl_access"


def replace_file(path: str, text: str | bytes) -> None:
    """Write ``text`` to ``path`` whole or not at all; what is there already stays until the new file is on disk.

    A path that is no regular file (``/dev/stdout``) is written to as it is. An input of this question is not replaced.

    Raises:
        UsageError: it cannot be written there, and why.

    """
    _write(path, text, _put)


def create_file(path: str, text: str) -> bool:
    """Write ``text`` to ``path``, where nothing may be yet; a file that holds just this is left as it is.

    Returns whether it was written.

    Raises:
        UsageError: there is a file with other content, or it cannot be written there.

    """
    return _write(path, text, _create)


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder are on disk. Raises :class:`OSError` where they cannot be put there."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def output_path(path: str) -> Path:
    """Return where ``path`` leads, once it is certain that no input of this question is there.

    Raises:
        UsageError: one is, or no file can have this name.

    """
    try:
        target = Path(path).resolve()
        read = input_at(target)
    except (OSError, RuntimeError, ValueError) as exc:  # RuntimeError: a loop of links, before Python 3.13
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise UsageError(f"{path}: cannot be written: {why}") from exc
    if read is not None:
        same = "it" if read == path else "standard input" if read == "-" else f"{read}, which"
        raise UsageError(
            f"{path}: not written: {same} was read for this answer", hint="give the output a name of its own"
        )
    return target


def _write(path: str, text: str | bytes, way: Callable[[Path, bytes, int], bool]) -> bool:
    target = output_path(path)
    try:
        content = text.encode() if isinstance(text, str) else text
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                stream.write(content)
            return True
        with _opened(target.parent) as directory:
            written = way(target, content, directory)
            os.fsync(directory)  # a name is only on disk once its directory is
    except UnicodeEncodeError as exc:
        wrong = ascii(exc.object[exc.start])
        raise UsageError(f"{path}: not written: {wrong} in it is no character of a text") from exc
    except FileExistsError as exc:
        hint = "nothing is written over it: give the output a name of its own"
        raise UsageError(f"{path}: not written: a file with other content is there", hint=hint) from exc
    except OSError as exc:
        raise UsageError(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    return written


def _create(target: Path, content: bytes, directory: int) -> bool:
    try:
        with _nameless(target, content) as new:
            if new is not None and _linked(new, target.name, directory):
                return True
        with _beside(target, directory) as (second, handle):
            _fill(handle, target, content)
            _link(second, target)
    except FileExistsError:
        if target.read_bytes() != content:
            raise
        return False
    return True


def _put(target: Path, content: bytes, directory: int) -> bool:
    with _nameless(target, content) as new:
        try:
            if new is not None and _linked(new, target.name, directory):
                return True
        except FileExistsError:
            pass
        # A name that exists cannot be given to another file in one step: there is a second one for a moment.
        with _beside(target, directory, new) as (second, handle):
            if handle != new:
                _fill(handle, target, content)
            second.replace(target)
    return True


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)


@contextlib.contextmanager
def _nameless(target: Path, content: bytes) -> Iterator[int | None]:
    # A file without a name is gone with the process, however that dies. None where there is no such thing (NFS, a
    # system other than Linux).
    try:
        handle = os.open(target.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except (AttributeError, OSError):
        yield None
        return
    try:
        _fill(handle, target, content)
        yield handle
    finally:
        os.close(handle)


def _linked(handle: int, name: str, directory: int) -> bool:
    # Without a directory Python calls link(2), which does not follow /proc's link. False where there is no /proc.
    try:
        os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=directory, dst_dir_fd=directory)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def _link(second: Path, target: Path) -> None:
    try:
        os.link(second, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        second.rename(target)


@contextlib.contextmanager
def _beside(target: Path, directory: int, new: int | None = None) -> Iterator[tuple[Path, int]]:
    # A name beside the target, for the file without one if that can have it, else for a new one. It is locked as long
    # as its writer lives: so what a kill left is known, and taken away by the next writer, who never waits for a lock.
    if new is not None:
        _lock(new)
    second, mine = next(_files_beside(target, directory, new))
    try:
        yield second, mine
    finally:
        with contextlib.suppress(OSError):
            if os.fstat(mine).st_ino == os.lstat(second).st_ino:
                second.unlink()
        if mine != new:
            os.close(mine)


def _files_beside(target: Path, directory: int, new: int | None) -> Iterator[tuple[Path, int]]:
    for second in _names_beside(target):
        try:
            if new is not None and _linked(new, second.name, directory):
                yield second, new
            handle = os.open(second, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        if _lock(handle) and second.exists():  # else another writer took it for one that a kill left
            yield second, handle
        os.close(handle)


def _names_beside(target: Path) -> Iterator[Path]:
    name = os.fsdecode(os.fsencode(target.name)[:200])
    first = target.with_name(f".armlevel-{name}")
    _clear(first)
    yield first
    for left in target.parent.glob(f".armlevel-*-{_literal(name)}"):
        _clear(left)
    while True:
        yield target.with_name(f".armlevel-{os.urandom(8).hex()}-{name}")


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _clear(left: Path) -> None:
    # Only what is ours, and what nobody writes any more.
    with contextlib.suppress(OSError):
        handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.lstat(left).st_ino == status.st_ino:
                    left.unlink()
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks: there nothing is cleared
        pass
    return True


def _fill(handle: int, target: Path, content: bytes) -> None:
    done = memoryview(content)
    while done:
        done = done[os.write(handle, done) :]
    _take_over(handle, target)
    os.fsync(handle)


def _take_over(handle: int, target: Path) -> None:
    # The new file is whose the old one was, and no more people may read it; what runs as somebody (setuid) does not.
    try:
        old = target.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if not _owned(handle, old):
        mode &= 0o707
    os.fchmod(handle, mode)
    try:
        acl = os.getxattr(target, _ACL)
    except (AttributeError, OSError):
        return
    try:
        os.setxattr(handle, _ACL, acl)
    except OSError:  # without the list, the rights of the group would be its mask
        os.fchmod(handle, mode & 0o707)


def _owned(handle: int, old: os.stat_result) -> bool:
    # Whether the file has the group that the old one has.
    new = os.fstat(handle)
    try:
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            os.fchown(handle, old.st_uid if new.st_uid != old.st_uid else -1, old.st_gid)
    except PermissionError as exc:
        if new.st_uid != old.st_uid:
            why = f"it belongs to user {old.st_uid}, and a new file would be yours"
            raise PermissionError(errno.EPERM, why) from exc
        return False
    return True
