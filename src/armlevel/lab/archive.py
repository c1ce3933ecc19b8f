"""Debian's archive, as the lab asks it: which package has the newest kernel of a line, and its files, checked.

What was found is remembered until somebody asks for newer (``refresh``), so that a lab does not change under its
user and works without a network once it is complete.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab.apt import AptRoot, Package
from armlevel.lab.settings import LabSettings
from armlevel.lab.store import Store, content_key

__all__ = ["Archive", "Found", "deb_files", "unpack"]


@dataclass(frozen=True, slots=True)
class Found:
    """The packages that answer one question, and the suites of one architecture they come from."""

    arch: str
    suites: tuple[str, ...]
    packages: tuple[Package, ...]

    @property
    def key(self) -> str:
        """Return a content key: other packages, or other bytes of them, give another."""
        return content_key(
            *(f"{package.name} {package.version} {package.digest}" for package in self.packages)
        )

    def version(self, name: str) -> str:
        """Return the version of the package ``name``; empty if it is not among these packages."""
        return next((package.version for package in self.packages if package.name == name), "")


@dataclass(frozen=True, slots=True)
class Archive:
    """One user's view of the archive.

    ``tell`` hears what takes a while;  ``watch``  sees a folder fill with so many bytes
    """

    settings: LabSettings
    store: Store
    tell: Callable[[str], None] = lambda _what: None
    refresh: bool = False
    watch: Callable[[Path, int], AbstractContextManager[None]] = lambda _folder, _size: (
        contextlib.nullcontext()
    )
    _fresh: dict[tuple[str, ...], AptRoot] = field(default_factory=dict)

    def find(
        self, question: str, arch: str, suites: tuple[str, ...], choose: Callable[[AptRoot], list[Package]]
    ) -> Found:
        """Answer ``question``: from memory, else by ``choose`` on freshly fetched indexes."""
        if not self.refresh and (found := self.remembered(question)):
            return found
        with self._alone(arch, suites):
            packages = choose(self._root(arch, suites))
        found = Found(arch, suites, tuple(packages))
        self.store.remember(
            "found", question, {"arch": arch, "suites": suites, "packages": [astuple(p) for p in packages]}
        )
        return found

    def remembered(self, question: str) -> Found | None:
        """Return the last answer to ``question``, if there was one."""
        match self.store.recall("found", question):
            case {"arch": str(arch), "suites": list(suites), "packages": list(packages)}:
                with contextlib.suppress(TypeError):
                    return Found(arch, tuple(suites), tuple(Package(*package) for package in packages))
        return None

    @contextlib.contextmanager
    def files(self, found: Found, into: Path) -> Iterator[dict[str, Path]]:
        """Fetch the package files and give them by name, for as long as the block runs."""
        place = into / "debs"
        place.mkdir()
        size = sum(package.size for package in found.packages) / 1e6
        self.tell(
            f"fetching {len(found.packages)} packages ({size:.0f} MB) of {found.suites[-1]} for {found.arch}"
        )
        with self.watch(place, sum(package.size for package in found.packages)):
            files = self._download(found, place)
        yield files
        for deb in place.iterdir():
            deb.unlink()
        place.rmdir()

    def _download(self, found: Found, place: Path) -> dict[str, Path]:
        with self._alone(found.arch, found.suites):
            known = found.suites in self._fresh
            try:
                return self._root(found.arch, found.suites, fetch=False).download(found.packages, place)
            except LabError:
                # The mirror has moved on since these indexes were fetched: once more with new ones, then give up.
                if known:
                    raise
                return self._root(found.arch, found.suites).download(found.packages, place)

    def _alone(self, arch: str, suites: tuple[str, ...]) -> AbstractContextManager[None]:
        # Indexes that one run replaces must not be read by another.
        return self.store.lock(f"apt-{arch}-{'+'.join(suites)}")

    def _root(self, arch: str, suites: tuple[str, ...], *, fetch: bool = True) -> AptRoot:
        if suites in self._fresh:
            return self._fresh[suites]
        mirror, keyring = self.settings.find_mirror(), self.settings.find_keyring()
        place = self.store.path("apt", f"{arch}-{'+'.join(suites)}-{content_key(mirror)}")
        root = AptRoot(place, arch, mirror, keyring, suites)
        if fetch or not (place / "apt.conf").exists():
            self.tell(f"fetching the package lists of {' and '.join(suites)} for {arch}")
            root.update()
            self._fresh[suites] = root
        return root


def deb_files(deb: Path, wanted: Callable[[str], bool]) -> Iterable[tuple[tarfile.TarInfo, bytes]]:
    """Yield the files and links of a package whose paths are ``wanted``, with their content."""
    data = _run(["dpkg-deb", "--fsys-tarfile", str(deb)])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            member.name = member.name.removeprefix("./").lstrip("/")
            if (member.isfile() or member.issym()) and wanted(member.name):
                content = archive.extractfile(member) if member.isfile() else None
                yield member, content.read() if content else b""


def unpack(debs: Iterable[Path], into: Path) -> None:
    """Unpack packages into a directory; nothing is installed, no script of theirs runs."""
    for deb in debs:
        _run(["dpkg-deb", "--extract", str(deb), str(into)])


def _run(command: list[str]) -> bytes:
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - dpkg-deb, with our own words
    except FileNotFoundError as exc:
        raise LabError(f"there is no {command[0]} on this machine", hint="install Debian's dpkg") from exc
    except subprocess.CalledProcessError as exc:
        words = exc.stderr.decode(errors="replace").strip().splitlines()
        raise LabError(
            f"cannot unpack {Path(command[2]).name}: {words[-1] if words else 'dpkg-deb failed'}"
        ) from exc
