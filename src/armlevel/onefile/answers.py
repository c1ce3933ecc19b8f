"""The answers that trying gave on this host, kept in one file of root's until the host is another one.

An answer holds for one guest CPU under one build of a VMM, in this boot and with these CPUs online: nothing else that
it hangs on changes, and so no clock voids it. The file is believed only if root alone can have written it; whatever is
odd about it is a miss, and a miss is tried.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["LARGEST", "Answers", "build_of", "key_of", "state_of"]

LARGEST = 1 << 20  # bytes
_MOST = 128  # answers
_KIND = "armlevel-tried/1"
_OTHERS = 0o022
_ANSWERS = ("runs", "refused", "unknown")


def key_of(text: str, emulator: str) -> str:
    """Return what an answer is kept under: the packed guest, and the VMM that would restore it."""
    # The text itself, and no digest of it: that needs a library which takes as long to load as all the rest.
    return f"{emulator} {build_of(emulator)} {text}"


def build_of(program: str) -> str:
    """Return what tells one build of a program from another; nothing for one that is not there."""
    try:
        found = Path(program).stat() if program else None
    except (OSError, ValueError):
        return "none"
    return "" if found is None else f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"


def state_of(root: str = "/") -> dict[str, str] | None:
    """Return what every answer hangs on: this boot, and the CPUs that are online; None where Linux does not tell."""
    base = Path(root)
    try:
        boot = (base / "proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        cpus = (base / "sys/devices/system/cpu/online").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return {"boot_id": boot, "cpus": cpus} if boot and cpus else None


class Answers:
    """The file of answers of this host: what is in it holds, and anything else is not there."""

    def __init__(self, path: Path, state: Mapping[str, str], release: str, *, owner: int = 0) -> None:
        """Read it; ``state`` and ``release`` (of this program and its rows) are what its answers must hang on."""
        self.path, self.owner = path, owner
        self._head = {"kind": _KIND, "release": release, **state}
        self._answers: dict[str, Any] = {}
        with suppress(OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError, MemoryError):
            document = json.loads(self._bytes())
            if {key: document[key] for key in self._head} == self._head:
                self._answers = dict(document["answers"])

    def get(self, key: str) -> dict[str, Any] | None:
        """Return an answer as it was kept; None if there is none, or it is not whole."""
        one = self._answers.get(key)
        if (
            not isinstance(one, dict)
            or one.get("answer") not in _ANSWERS
            or not isinstance(one.get("digest"), str)
        ):
            return None
        found = one.get("findings")
        if not isinstance(found, list):
            return None
        texts = all(isinstance(row, list) and all(isinstance(text, str) for text in row) for row in found)
        return one if texts else None

    def keep(self, key: str, answer: Mapping[str, Any]) -> bool:
        """Keep an answer beside the others; whether it is on disk. Only the owner keeps any."""
        if os.geteuid() != self.owner:
            return False
        kept = [pair for pair in self._answers.items() if pair[0] != key][1 - _MOST :]
        self._answers = {**dict(kept), key: dict(answer)}
        data = json.dumps({**self._head, "answers": self._answers}, separators=(",", ":")).encode()
        if len(data) > LARGEST:
            self._answers = {key: dict(answer)}
            data = json.dumps({**self._head, "answers": self._answers}, separators=(",", ":")).encode()
        try:
            return self._put(data)
        except OSError:
            return False

    def _bytes(self) -> bytes:
        # Neither a link nor what would wait; and nobody else may have written it, or may put another in its place.
        handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb", buffering=0) as stream:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or not self._ours(found) or found.st_nlink != 1:
                raise ValueError("not ours")
            if found.st_size > LARGEST or not self._ours(self.path.parent.stat()):
                raise ValueError("not believed")
            data = stream.read(LARGEST + 1)
        if data is None or len(data) != found.st_size:
            raise ValueError("changing")
        return data

    def _ours(self, found: os.stat_result) -> bool:
        return found.st_uid == self.owner and not found.st_mode & _OTHERS

    def _put(self, data: bytes) -> bool:
        # Whole or not at all: a second name, on disk before it takes the place of the first.
        if not self._ours(self.path.parent.stat()):
            return False
        if self.path.exists() and not stat.S_ISREG(self.path.lstat().st_mode):
            return False
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(handle)
            beside.replace(self.path)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise
        return True
