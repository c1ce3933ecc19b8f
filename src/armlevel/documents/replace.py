"""Files that are never half written. Standard library only, as ``write`` is."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
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
    handle, name = tempfile.mkstemp(prefix=".armlevel-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), _mode_of(target))
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    # The name is only on disk once the directory is.
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
