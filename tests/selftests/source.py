"""A kernel line's own selftests: fetched with the source of the very kernel that the lab boots, kept in the cache.

Debian's `linux-source-X` where the mirror has it in that version, else the tarball that the package of the kernel is
made from. Only what the selftests are built from is unpacked. Nothing of it ever comes into the repository.
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from armlevel.errors import LabError
from armlevel.lab.apt import SOURCE, AptRoot
from armlevel.lab.archive import Archive
from armlevel.lab.lines import suites_of
from armlevel.lab.parts import find_kernel
from armlevel.lab.store import content_key

__all__ = ["KernelSource", "kernel_source", "unpack_source", "wanted"]

_RECIPE = "2"
_KEPT = re.compile(
    r"tools/testing/selftests/(?:kvm/.*|rseq/.*|cgroup/lib/.*|lib\.mk|kselftest[^/]*\.h)"
    r"|tools/(?:include|scripts|arch/arm64)/.*|tools/lib/[^/]+\.c|scripts/subarch\.include"
    r"|arch/arm64/tools/.*|include/uapi/.*|arch/arm64/include/uapi/.*"
)


@dataclass(frozen=True, slots=True)
class KernelSource:
    """The unpacked part of a kernel's source, the release it belongs to, and the package that it is from."""

    tree: Path
    release: str
    package: str

    @property
    def selftests(self) -> Path:
        """The folder of KVM's selftests."""
        return self.tree / "tools/testing/selftests/kvm"

    def text(self, test: str) -> str | None:
        """Return the source of a test for 64-bit Arm; None if this kernel has none of the name."""
        for folder in ("arm64", "aarch64", "."):
            path = self.selftests / folder / f"{test}.c"
            if path.is_file():
                return path.read_text(encoding="utf-8")
        return None

    def names(self) -> str:
        """Return the kernel's list of system registers; empty before there was one."""
        path = self.tree / "arch/arm64/tools/sysreg"
        return path.read_text(encoding="utf-8") if path.is_file() else ""


def wanted(path: str) -> str | None:
    """Return where a member of the source's archive goes; None if it is left out.

    >>> wanted("linux-7.3/tools/testing/selftests/kvm/steal_time.c")
    'tools/testing/selftests/kvm/steal_time.c'
    >>> wanted("linux-7.3/fs/inode.c"), wanted("linux-7.3/tools/include/../../x"), wanted("linux-7.3")
    (None, None, None)
    """
    inner = path.removeprefix("./").partition("/")[2]
    return inner if _KEPT.fullmatch(inner) and ".." not in inner.split("/") else None


def kernel_source(archive: Archive, line: str) -> KernelSource:
    """Return the selftests of the kernel that the lab boots for a line (as the lab calls it: `7.x`)."""
    kernel = find_kernel(archive, line)
    package = kernel.found.packages[0]

    def make(place: Path) -> None:
        with _tarball(archive, line, package.version, place) as (origin, stream):
            unpack_source(stream, place)
        (place / "origin").write_text(origin + "\n", encoding="utf-8")

    tree = archive.store.entry("selftests", content_key(_RECIPE, package.version), make)
    return KernelSource(tree, kernel.release, (tree / "origin").read_text(encoding="utf-8").strip())


@contextlib.contextmanager
def _tarball(archive: Archive, line: str, version: str, place: Path) -> Iterator[tuple[str, IO[bytes]]]:
    name = "linux-source-" + ".".join(re.findall(r"\d+", version)[:2])
    try:
        found = archive.find(
            f"{name}={version}", "arm64", suites_of(line)[:1], lambda root: root.alone([f"{name}={version}"])
        )
    except LabError:
        origin, path = _upstream(archive, line, version, place)
        with path.open("rb") as stream:
            yield origin, stream
        path.unlink()
        return
    with archive.files(found, place) as debs:
        command = ["dpkg-deb", "--fsys-tarfile", str(debs[name])]
        data = subprocess.run(command, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as package:
            for member in package:
                if re.fullmatch(r"\./usr/src/linux-source-[\d.]+\.tar\.xz", member.name):
                    inner = package.extractfile(member)
                    assert inner is not None
                    yield f"{name} {version}", inner
                    return
    raise LabError(f"the package {name} holds no source")


def _upstream(archive: Archive, line: str, version: str, place: Path) -> tuple[str, Path]:
    suites = suites_of(line)[:1]
    settings = archive.settings
    with archive.store.lock(f"apt-source-{suites[0]}"):
        mirror = settings.find_mirror()
        folder = archive.store.path("apt", f"source-{suites[0]}-{content_key(mirror)}")
        root = AptRoot(folder, SOURCE, mirror, settings.find_keyring(), suites)
        root.update()
        package = root.tarball("linux", version)
        archive.tell(f"fetching {package.name} ({package.size / 1e6:.0f} MB) of {suites[0]}")
        return f"linux {version}, {package.name}", root.download_tarball("linux", package, place)


def unpack_source(stream: IO[bytes], place: Path) -> None:
    """Unpack what selftests are built from; LabError if there is nothing of it."""
    found = 0
    with tarfile.open(fileobj=stream, mode="r|xz") as source:
        for member in source:
            path = wanted(member.name)
            content = source.extractfile(member) if path and member.isfile() else None
            if path is None or content is None:
                continue
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            found += 1
    if not found:
        raise LabError("the source of this kernel holds no selftests")
