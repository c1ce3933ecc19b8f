"""Build the library that makes stock QEMU show a guest profile, src/armlevel/preload/libarmlevel.so.

For 64-bit Arm, whatever the machine it is built on: with the compiler named in ARMLEVEL_CC, else with this machine's
own if it is such an Arm machine, else with aarch64-linux-gnu-gcc from PATH, else (or with --private) with Debian's
cross compiler, unpacked into the lab's cache: nothing is installed. The same sources and compiler make the same bytes.

    python tools/make_preload.py [-o src/armlevel/preload/libarmlevel.so] [--private]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab.apt import Package
from armlevel.lab.archive import Archive, unpack
from armlevel.lab.settings import LabSettings, codename
from armlevel.lab.store import Store, content_key
from armlevel.preload.library import NAME, library, library_fault

SOURCES = Path(__file__).parent.parent / "preload"

# No C library: it is loaded into QEMU's process, whatever libc that has, and calls the kernel itself.
FLAGS = (
    *("-std=c17", "-O2", "-ffreestanding", "-fPIC", "-fvisibility=hidden", "-fno-stack-protector"),
    *("-march=armv8-a", "-mno-outline-atomics", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion"),
    *("-Wno-sign-conversion", "-Werror", "-nostdlib", "-shared", "-s"),
    f"-Wl,--build-id=none,-z,now,-z,relro,-z,noexecstack,--hash-style=gnu,-soname,{NAME}",
)
TRIPLET = "aarch64-linux-gnu"
_PACKAGE = f"gcc-{TRIPLET}"
ARCHES = {"x86_64": ("amd64", "x86_64-linux-gnu"), "aarch64": ("arm64", "aarch64-linux-gnu")}
_RECIPE = "2"


class NoCompiler(Exception):
    """No way to build it; the message says what to do."""


def compiler(environ: Mapping[str, str], *, private: bool = False) -> list[str]:
    """Return the words a compiler for 64-bit Arm begins with."""
    if not private:
        if named := environ.get("ARMLEVEL_CC"):
            return [named]
        own = ("cc", "gcc", "clang") if platform.machine() == "aarch64" else (f"{TRIPLET}-gcc",)
        for name in own:
            if found := shutil.which(name):
                return [found]
    return private_compiler(environ)


def private_compiler(environ: Mapping[str, str]) -> list[str]:
    """Return the words that Debian's cross compiler begins with, unpacked into the lab's cache."""
    if platform.machine() not in ARCHES:
        raise NoCompiler(f"no compiler for 64-bit Arm; name one with ARMLEVEL_CC=.../{TRIPLET}-gcc")
    arch, triplet = ARCHES[platform.machine()]
    settings = LabSettings.of(environ)
    store = Store(settings.cache)
    archive = Archive(settings, store, lambda what: print(what, file=sys.stderr))
    suite = codename() or "trixie"
    found = archive.find(f"compiler-{suite}", arch, (suite,), lambda root: _wanted(root.closure([_PACKAGE])))

    def make(place: Path) -> None:
        with archive.files(found, place) as debs:
            unpack(debs.values(), place)
        _wrap(place, store.path("compilers", key), triplet)

    key = content_key(_RECIPE, found.key, arch)
    root = store.entry("compilers", key, make)
    (include,) = (root / "usr/lib/gcc-cross" / TRIPLET).glob("*/include")
    return [str(root / "wrapped/gcc"), f"-B{root / 'wrapped'}/", "-isystem", str(include)]


def _wanted(packages: list[Package]) -> list[Package]:
    # Compiler, binutils, the libraries they link to, and the compiler's own headers; nothing of the target's C library.
    wanted, surplus = ("binutils", "cpp", "gcc", "lib", "zlib"), ("libc6-", "libasan", "libstdc++", "liblsan")
    return [one for one in packages if one.name.startswith(wanted) and not one.name.startswith(surplus)]


def _wrap(place: Path, home: Path, triplet: str) -> None:
    """Let every program of the compiler run by its own loader, with its own libraries."""
    (place / "wrapped").mkdir()
    lib = [home / name / triplet for name in ("lib", "usr/lib") if (place / name / triplet).is_dir()]
    # The one in lib64 is an absolute link, to the system's.
    loaders = [
        loader for name in ("lib", "usr/lib") for loader in (place / name / triplet).glob("ld-linux-*.so.*")
    ]
    inner = next((place / "usr/lib/gcc-cross" / TRIPLET).glob("*/cc1"), None)
    driver = next(iter(sorted((place / "usr/bin").glob(f"{TRIPLET}-gcc-[0-9]*"))), None)
    if not loaders or inner is None or driver is None:
        raise LabError(f"the packages of {_PACKAGE} hold no compiler")
    loader = home / loaders[0].relative_to(place)
    programs = {
        "gcc": driver,
        "cc1": inner,
        "collect2": inner.with_name("collect2"),
        "as": place / f"usr/bin/{TRIPLET}-as",
        "ld": place / f"usr/bin/{TRIPLET}-ld",
    }
    for name, program in programs.items():
        real = home / program.relative_to(place)
        script = place / "wrapped" / name
        libraries = ":".join(map(str, lib))
        script.write_text(
            f'#!/bin/sh\nexec "{loader}" --argv0 "{real}" --library-path "{libraries}" "{real}" "$@"\n',
            encoding="utf-8",
        )
        script.chmod(0o755)


def build(target: Path, command: list[str]) -> None:
    """Compile the library to ``target``, whole or not at all."""
    names = sorted(path.name for path in SOURCES.glob("*.c"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".armlevel-", dir=target.parent) as place:
        made = Path(place, NAME)
        done = subprocess.run(
            [*command, *FLAGS, *names, "-o", str(made)],
            cwd=SOURCES,
            env={**os.environ, "LC_ALL": "C", "TMPDIR": place},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NoCompiler(f"{command[0]} failed:\n{done.stderr.strip()}")
        if fault := library_fault(made):
            raise NoCompiler(f"{command[0]} made something else: {fault}")
        made.chmod(0o644)
        made.replace(target)


def main() -> int:
    """Build it and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("-o", "--output", type=Path, default=library())
    parser.add_argument("--private", action="store_true", help="use the compiler from Debian's archive")
    options = parser.parse_args()
    try:
        command = compiler(os.environ, private=options.private)
        build(options.output, command)
    except (NoCompiler, LabError) as exc:
        print(f"the preload library cannot be built: {exc}", file=sys.stderr)
        return 1
    print(f"{options.output}: {options.output.stat().st_size // 1024} KiB, by {command[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
