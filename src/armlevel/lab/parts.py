"""The parts of a host, each fetched and made once: kernel, user space, emulator."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab.apt import AptRoot, Package
from armlevel.lab.archive import Archive, Found, deb_files, unpack
from armlevel.lab.lines import FLAVOURS, newest, release_of, suites_of
from armlevel.lab.settings import codename
from armlevel.lab.store import content_key

__all__ = ["Emulator", "Kernel", "find_emulator", "find_kernel", "find_userland", "kernel_of"]

_GUEST_ARCH = "arm64"
_USERLAND_SUITE = ("trixie",)
ARCHES = {"x86_64": ("amd64", "x86_64-linux-gnu"), "aarch64": ("arm64", "aarch64-linux-gnu")}
# Debian 12's own QEMU is too old for half of the models; its backport is not.
_QEMU_SUITES = {"bookworm": ("bookworm", "bookworm-backports"), "trixie": ("trixie",)}
_OLDEST = (9, 1)  # the first QEMU whose `virt` gives the second serial line to the kernel


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel: its release, and the package that has it."""

    line: str
    release: str
    found: Found

    @property
    def key(self) -> str:
        """Return the content key of the kernel's cache entry."""
        return self.found.key


@dataclass(frozen=True, slots=True)
class Emulator:
    """QEMU: the words its command line begins with, its version, and where it is from."""

    command: tuple[str, ...]
    version: str
    origin: str


def find_kernel(archive: Archive, line: str, pages: str = "4k") -> Kernel:
    """Return the newest kernel of ``line`` with pages of a size; :class:`LabError` if the mirror has none."""
    problem: LabError | None = None
    question = f"kernel-{line}" if pages == "4k" else f"kernel-{line}-{pages}"
    for suite in suites_of(line):
        try:
            found = archive.find(question, _GUEST_ARCH, (suite,), _newest_of(line, suite, FLAVOURS[pages]))
        except LabError as exc:
            problem = problem or exc
            continue
        return Kernel(line, release_of(found.packages[0].name), found)
    assert problem is not None
    raise problem


def _newest_of(line: str, suite: str, flavour: str) -> Callable[[AptRoot], list[Package]]:
    def choose(root: AptRoot) -> list[Package]:
        package = newest(line, root.names(f"^linux-(binary|image)-[0-9].*-{flavour}$"), flavour)
        if package is None:
            what = "" if flavour == FLAVOURS["4k"] else f" and flavour {flavour}"
            raise LabError(f"the mirror has no kernel of line {line}{what} in {suite}")
        return root.alone([package])

    return choose


def kernel_of(archive: Archive, kernel: Kernel) -> Path:
    """Return the kernel's image, unpacked in the cache."""

    def make(place: Path) -> None:
        with archive.files(kernel.found, place) as debs:
            for deb in debs.values():
                for _, data in deb_files(deb, lambda path: "vmlinuz" in path.rpartition("/")[2]):
                    (place / "vmlinuz").write_bytes(data)
        if not (place / "vmlinuz").exists():
            raise LabError(f"{kernel.found.packages[0].name} holds no kernel")

    return archive.store.entry("kernels", kernel.key, make) / "vmlinuz"


def find_userland(archive: Archive) -> Found:
    """Return the packages of the hosts' user space: busybox, and Python with what it links to."""

    def choose(root: AptRoot) -> list[Package]:
        pythons = [
            m[1]
            for name in root.names("^python3[.][0-9]+-minimal$")
            if (m := re.match(r"python3\.(\d+)-", name))
        ]
        if not pythons:
            raise LabError(f"the mirror has no Python in {_USERLAND_SUITE[0]}")
        python = f"python3.{max(map(int, pythons))}"
        names = [f"{python}-minimal", f"lib{python}-minimal", f"lib{python}-stdlib"]
        return root.alone([*names, "busybox-static", "libc6", "libexpat1", "libffi8", "zlib1g"])

    return archive.find("userland", _GUEST_ARCH, _USERLAND_SUITE, choose)


def find_emulator(archive: Archive) -> Emulator:
    """Return QEMU: the one named, else this Debian's in a private place, else the one on PATH, else Debian 13's."""
    named = archive.settings.qemu
    if named:
        return _own(shutil.which(named) or named)
    suites = _QEMU_SUITES.get(codename())
    on_path = shutil.which("qemu-system-aarch64")
    if suites is None and on_path:
        return _own(on_path)
    return _private(archive, suites or _QEMU_SUITES["trixie"])


def _own(path: str) -> Emulator:
    version = _version((path,))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        raise LabError(
            f"{path} is QEMU {version}, and the lab needs {_OLDEST[0]}.{_OLDEST[1]}",
            hint="name a newer one with --qemu",
        )
    return Emulator((path,), version, path)


def _version(command: tuple[str, ...]) -> str:
    try:
        output = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - QEMU, as the user named it
    except (OSError, subprocess.CalledProcessError) as exc:
        raise LabError(f"{command[-1]} does not run as QEMU", hint="name another with --qemu") from exc
    match = re.search(r"version (\S+)", output)
    return match[1] if match else "of unknown version"


def _private(archive: Archive, suites: tuple[str, ...]) -> Emulator:
    if platform.machine() not in ARCHES:
        raise LabError(
            f"the lab knows no QEMU packages for {platform.machine()}",
            hint="name one with --qemu or ARMLEVEL_LAB_QEMU",
        )
    arch, triplet = ARCHES[platform.machine()]
    found = archive.find(
        f"qemu-{'+'.join(suites)}", arch, suites, lambda root: root.closure(["qemu-system-arm"])
    )

    def make(place: Path) -> None:
        with archive.files(found, place) as debs:
            unpack(debs.values(), place)
        for surplus in ("doc", "locale", "man", "info"):
            shutil.rmtree(place / "usr/share" / surplus, ignore_errors=True)

    root = archive.store.entry("qemu", content_key(found.key, arch), make)
    libraries = [path for name in ("lib", "usr/lib") if (path := root / name / triplet).is_dir()]
    loaders = sorted(root.glob("lib*/ld-linux-*.so.*")) + sorted(root.glob("usr/lib*/ld-linux-*.so.*"))
    if not loaders:
        raise LabError(
            f"the packages of QEMU in {root} hold no loader", hint="delete that directory and try again"
        )
    # Run by its own loader with its own libraries: what the system has, and how old, does not matter.
    command = (
        str(loaders[0]),
        "--library-path",
        ":".join(map(str, libraries)),
        str(root / "usr/bin/qemu-system-aarch64"),
    )
    return Emulator(
        (*command, "-L", str(root / "usr/share/qemu")), found.version("qemu-system-arm"), suites[-1]
    )
