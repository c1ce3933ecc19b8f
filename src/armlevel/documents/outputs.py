"""Where a verb's answer goes: to a file that was not there, or that holds an earlier answer of the same sort.

What else a file may hold is lost for ever once it is replaced, so that is done only where a person says so (``force``).
A frozen profile and a private key are not replaced even then. Standard library only.
"""

from __future__ import annotations

import re
import sys

from armlevel.documents.replace import create_file, output_path, replace_file
from armlevel.errors import UsageError

__all__ = ["STDOUT", "may_append", "may_replace", "write_frozen", "write_output"]

#: What stands for standard output where a file is meant.
STDOUT = "-"

_LOOKED_AT = 1 << 20  # bytes; a frozen profile is some 10 KiB
_KIND = re.compile(rb'\s*\{\s*"kind"\s*:\s*"([a-z-]+)/[0-9]+"')
_FROZEN = re.compile(rb'"kind"\s*:\s*"frozen-profile/|^\{"payload":"')
_SECRET = b"PRIVATE KEY-----"
_PICTURE = b"<svg "
#: What a monitor reads.
_FIGURES = b"# HELP armlevel_"
# What registers the preload library wrote down (`--dump`).
_DUMP = re.compile(rb"0x[0-9a-f]{16} 0x[0-9a-f]+\n|end\n")


def write_output(path: str, text: str, *, force: bool = False) -> None:
    """Write an answer whole or not at all; ``-`` is standard output.

    Raises:
        UsageError: what is there is to be kept, or it cannot be written there.

    """
    if path == STDOUT:
        sys.stdout.write(text)
        return
    may_replace(path, text.encode(errors="surrogateescape"), force=force)
    replace_file(path, text)


def write_frozen(path: str, text: str) -> None:
    """Write a frozen profile where nothing is, or the very same.

    Raises:
        UsageError: something else is there, or it cannot be written there.

    """
    if path == STDOUT:
        sys.stdout.write(text)
        return
    create_file(path, text)


def may_replace(path: str, content: bytes, *, force: bool | None = False) -> None:
    """Refuse to write over what only a person may give up, and over an input of this question.

    ``force`` is None where nobody can say that it may be given up.

    Raises:
        UsageError: what is there, and what to do.

    """
    there = _kept(path)
    if there and not force and there != content and not _alike(there, content):
        raise UsageError(
            f"{path}: not written: it holds something else than an earlier answer of this kind",
            hint="give the output a name of its own"
            + (", or replace it with --force" if force is False else ""),
        )


def may_append(path: str) -> None:
    """Refuse to write lines at the end of what is no text of lines, and of an input of this question.

    Raises:
        UsageError: what is there.

    """
    there = _kept(path)
    if there[:1] in (b"{", b"<", b"#") or b"\0" in there:
        raise UsageError(f"{path}: not written: it is no log", hint="give the log a name of its own")


def _kept(path: str) -> bytes:
    # What is there, once it is certain that it may be lost.
    target = output_path(path)
    try:
        if not target.is_file():
            return b""
        with target.open("rb") as stream:
            there = stream.read(_LOOKED_AT)
    except OSError as exc:
        raise UsageError(f"{path}: not written: what is there cannot be read: {exc.strerror or exc}") from exc
    kept = (
        "a frozen profile, which never changes"
        if _FROZEN.search(there)
        else "a private key"
        if _SECRET in there
        else ""
    )
    if kept:
        raise UsageError(f"{path}: not written: it holds {kept}", hint="give the output a name of its own")
    return there


def _alike(there: bytes, content: bytes) -> bool:
    old, new = _KIND.match(there), _KIND.match(content)
    if old and new:
        return old[1] == new[1]
    if _DUMP.match(there) and _DUMP.match(content):
        return True
    return any(there.startswith(sign) and content.startswith(sign) for sign in (_PICTURE, _FIGURES))
