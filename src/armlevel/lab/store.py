"""What the lab keeps on disk: entries under a content key, made once, whole or not at all.

An entry is a directory ``<kind>/<key>``. It is made beside its place and renamed into it, under a lock that other
runs wait for; a run that dies leaves only a ``.part`` directory, which the next one removes. Deleting the whole
cache is always safe.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from armlevel.errors import LabError

__all__ = ["Store", "content_key", "default_root"]


def default_root(environ: Mapping[str, str]) -> Path:
    """Return the lab's place in the user's cache directory.

    >>> default_root({"XDG_CACHE_HOME": "/cache"}).as_posix()
    '/cache/armlevel/lab'
    """
    cache = environ.get("XDG_CACHE_HOME", "")
    # The base directory specification has relative paths ignored.
    base = Path(cache) if cache.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".cache"
    return base / "armlevel" / "lab"


def content_key(*parts: str | bytes) -> str:
    """Return a short name for a content: the same parts give the same key, and where one part ends matters.

    >>> content_key("a", "b") == content_key(b"a", b"b") != content_key("ab")
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Store:
    """The cache directory; ``waiting`` is told what another run is making while we wait for it."""

    root: Path
    waiting: Callable[[str], None] = lambda _what: None

    def path(self, kind: str, key: str) -> Path:
        """Return the place of an entry, whether there is one or not."""
        return self.root / kind / key

    def entry(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """Return the directory of an entry; ``make`` fills an empty one if there is none yet.

        Raises:
            LabError: somebody else may write the cache, and what is in it is run.

        """
        self._hold()
        place = self.path(kind, key)
        if place.is_dir():
            return place
        with self.lock(f"{kind}-{key}"):
            if place.is_dir():
                return place
            part = place.with_name(f"{key}.part")
            self._make_dirs(place.parent)
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                make(part)
                part.rename(place)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        return place

    def remember(self, kind: str, key: str, value: object) -> None:
        """Write a small JSON value, atomically."""
        place = self.path(kind, f"{key}.json")
        self._make_dirs(place.parent)
        with self.lock(f"{kind}-{key}"):
            part = place.with_name(f"{key}.json.part")
            part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
            part.replace(place)

    def recall(self, kind: str, key: str) -> object:
        """Return a remembered value; ``None`` if there is none or it cannot be read."""
        try:
            return json.loads(self.path(kind, f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock that ends with this process, whatever ends it."""
        locks = self.root / "locks"
        self._make_dirs(locks)
        descriptor = os.open(locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.waiting(name)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _hold(self) -> None:
        for folder in (self.root.parent, self.root):
            try:
                status = folder.stat()
            except OSError:
                continue
            by_group = status.st_mode & 0o020 and status.st_gid != os.getegid()
            if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o002 or by_group:
                raise LabError(
                    f"the cache {folder} belongs to others, or they may write it, and programs in it are run",
                    hint="set XDG_CACHE_HOME to a directory of your own",
                )

    def _make_dirs(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise LabError(
                f"cannot make the cache directory {path}: {exc.strerror}",
                hint="set XDG_CACHE_HOME to a place you may write",
            ) from exc
