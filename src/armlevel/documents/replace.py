"""Files that are never half written. Standard library only, as ``write`` is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path

from armlevel.errors import UsageError

__all__ = ["replace_file"]


def replace_file(path: str, text: str) -> None:
    """Write ``text`` to ``path`` whole or not at all; what is there already stays until the new file is on disk.

    A path that is no regular file (``/dev/stdout``) is written to as it is.

    Raises:
        UsageError: it cannot be written there, and why.

    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8") as stream:
                stream.write(text)
            return
        _replace(target.resolve(), text.encode())
    except (OSError, RuntimeError) as exc:  # RuntimeError: a loop of symbolic links, before Python 3.13
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise UsageError(f"{path}: cannot be written: {why}") from exc


def _replace(target: Path, content: bytes) -> None:
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not _by_nameless(target, content, directory):
            _by_name(target, content, directory)
        # The name is only on disk once the directory is.
        os.fsync(directory)
    finally:
        os.close(directory)


def _by_nameless(target: Path, content: bytes, directory: int) -> bool:
    # A file without a name is gone with the process, however that dies. False where there is no such thing (NFS, a
    # system other than Linux, no /proc). A name that exists cannot be given to it in one step: then there is a second
    # one for the moment of two calls, always the same, so that one left by a kill just there does not stay.
    try:
        handle = os.open(target.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except (AttributeError, OSError):
        return False
    with os.fdopen(handle, "wb") as stream:
        _fill(stream.fileno(), target, content)
        nameless = f"/proc/self/fd/{stream.fileno()}"
        try:
            # Without a directory Python calls link(2), which does not follow /proc's link.
            os.link(nameless, target.name, src_dir_fd=directory, dst_dir_fd=directory)
        except FileExistsError:
            second = _second(target, directory)
            os.link(nameless, second.name, src_dir_fd=directory, dst_dir_fd=directory)
            second.replace(target)
        except OSError:
            return False
    return True


def _by_name(target: Path, content: bytes, directory: int) -> None:
    second = _second(target, directory)
    try:
        handle = os.open(second, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            _fill(stream.fileno(), target, content)
        second.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            second.unlink()
        raise


def _second(target: Path, directory: int) -> Path:
    # Free for us until ``directory`` is closed: two that write the same file take turns.
    with contextlib.suppress(OSError):  # some network file systems have no locks on directories
        fcntl.flock(directory, fcntl.LOCK_EX)
    second = target.with_name(f".armlevel-{target.name[:200]}")
    second.unlink(missing_ok=True)
    return second


def _fill(handle: int, target: Path, content: bytes) -> None:
    done = memoryview(content)
    while done:
        done = done[os.write(handle, done) :]
    os.fchmod(handle, _mode_of(target))
    os.fsync(handle)


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
