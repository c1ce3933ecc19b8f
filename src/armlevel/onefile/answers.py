"""The answers that trying gave on this host, kept in one file of root's until the host is another one.

An answer holds for one guest CPU under one build of a VMM, in this boot and with these CPUs online: nothing else that
it hangs on changes, and so no clock voids it. The file is believed only if root alone can have written it; whatever is
odd about it is a miss, and a miss is tried.
"""

from __future__ import annotations

import os
import stat

from armlevel.named import NamedTuple
from armlevel.onefile.found import Found, answer_of
from armlevel.probe.boot import boot_id

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Mapping

    from armlevel.onefile.codes import Answer

__all__ = ["LARGEST", "Answers", "Kept", "build_of", "key_of", "state_of"]

LARGEST = 1 << 20  # bytes
_MOST = 128  # answers
_KIND = "armlevel-tried/1"
_OTHERS = 0o022
#: Between the parts of a line, and between the values of a finding: neither is in what is kept.
_PART, _VALUE = "\t", "\x1f"


class Kept(NamedTuple):
    """An answer as it is kept: what trying found, and the digest of the guest that was tried."""

    digest: str
    findings: tuple[Found, ...] = ()

    @property
    def answer(self) -> Answer:
        """What the findings come to."""
        return answer_of(self.findings)


def key_of(text: str, emulator: str) -> str:
    """Return what an answer is kept under: the packed guest, and the VMM that would restore it."""
    # The text itself, and no digest of it: that needs a library which takes as long to load as all the rest.
    return f"{emulator} {build_of(emulator)} {text}"


def build_of(program: str) -> str:
    """Return what tells one build of a program from another; nothing for one that is not there."""
    try:
        found = os.stat(program) if program else None
    except (OSError, ValueError):
        return "none"
    return "" if found is None else f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"


def state_of(root: str = "/") -> dict[str, str] | None:
    """Return what every answer hangs on: this boot, and the CPUs that are online; None where Linux does not tell."""
    boot = boot_id(root)
    try:
        with open(os.path.join(root, "sys/devices/system/cpu/online"), encoding="utf-8") as stream:
            cpus = stream.read().strip()
    except (OSError, ValueError):
        return None
    return {"boot_id": boot, "cpus": cpus} if boot and cpus else None


class Answers:
    """The file of answers of this host: what is in it holds, and anything else is not there.

    A line for what they hang on, then a line each: its key, its answer, the guest's digest, the findings.
    """

    def __init__(
        self, path: str | os.PathLike[str], state: Mapping[str, str], release: str, *, owner: int = 0
    ) -> None:
        """Read it; ``state`` and ``release`` (of this program and its rows) are what its answers must hang on."""
        self.path, self.folder, self.owner = os.fspath(path), os.path.dirname(path) or ".", owner
        self._head = _PART.join((_KIND, release, *(state[name] for name in sorted(state))))
        self._lines: dict[str, str] = {}
        try:
            head, *lines = self._bytes().decode().split("\n")
        except (OSError, ValueError, MemoryError):
            return
        if head == self._head and lines and not lines.pop():  # the last line has its end, too
            self._lines = {key: rest for key, _, rest in (line.partition(_PART) for line in lines)}

    def get(self, key: str) -> Kept | None:
        """Return an answer as it was kept; None if there is none, or it is not whole."""
        answer, *more = self._lines.get(key, "").split(_PART)
        rows = [row.split(_VALUE) for row in more[1:]]
        if not more or not more[0] or any(len(row) != len(Found._fields) for row in rows):
            return None
        kept = Kept(more[0], tuple(Found(*row) for row in rows))  # type: ignore[arg-type]  # codes as they were kept
        return kept if kept.answer == answer else None

    def keep(self, key: str, kept: Kept) -> bool:
        """Keep an answer beside the others; whether it is on disk. Only the owner keeps any."""
        values = [value for row in kept.findings for value in row]
        if os.geteuid() != self.owner or not all(map(_fits, (key, kept.digest, *values))):
            return False
        said = _PART.join((kept.answer, kept.digest, *map(_VALUE.join, kept.findings)))
        others = [pair for pair in self._lines.items() if pair[0] != key][1 - _MOST :]
        try:
            data = self._data({**dict(others), key: said})
            return self._put(data if len(data) <= LARGEST else self._data({key: said}))
        except (OSError, ValueError):
            return False

    def _data(self, lines: Mapping[str, str]) -> bytes:
        self._lines = dict(lines)
        return "".join(f"{line}\n" for line in (self._head, *map(_PART.join, lines.items()))).encode()

    def _bytes(self) -> bytes:
        # Neither a link nor what would wait; and nobody else may have written it, or may put another in its place.
        handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb", buffering=0) as stream:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or not self._ours(found) or found.st_nlink != 1:
                raise ValueError("not ours")
            if found.st_size > LARGEST or not self._ours(os.stat(self.folder)):
                raise ValueError("not believed")
            data = stream.read(LARGEST + 1)
        if data is None or len(data) != found.st_size:
            raise ValueError("changing")
        return data

    def _ours(self, found: os.stat_result) -> bool:
        return found.st_uid == self.owner and not found.st_mode & _OTHERS

    def _put(self, data: bytes) -> bool:
        # Whole or not at all: a second name, on disk before it takes the place of the first.
        if not self._ours(os.stat(self.folder)):
            return False
        if os.path.exists(self.path) and not stat.S_ISREG(os.lstat(self.path).st_mode):
            return False
        beside = os.path.join(self.folder, f".{os.path.basename(self.path)}.{os.getpid()}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(handle)
            os.replace(beside, self.path)
        except OSError:
            _remove(beside)
            raise
        return True


def _fits(text: str) -> bool:
    return not any(one in text for one in (_PART, _VALUE, "\n"))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
