"""Builds the selftests of a kernel for an emulated host: static programs for 64-bit Arm, by a cross compiler.

Compiler and C library are Debian's, unpacked into the lab's cache; the kernel's headers are those of its own source,
made as `make headers_install` makes them. Make, awk and a shell are taken from the machine.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab.archive import Archive, unpack
from armlevel.lab.settings import codename
from armlevel.lab.store import content_key
from make_preload import ARCHES, TRIPLET, private_compiler
from tests.selftests.source import KernelSource

__all__ = ["build", "headers", "programs"]

_RECIPE = "2"
# Words of the kernel that its installed headers are without: scripts/headers_install.sh.
_DROPPED = (
    (re.compile(r"^[ \t]*#[ \t]*include[ \t]+<linux/compiler(?:_types)?\.h>.*$", re.MULTILINE), ""),
    (re.compile(r"\b(__user|__force|__iomem|__attribute_const__)\b[ \t]?"), ""),
    (re.compile(r"(^|\s)(inline|asm|volatile)\b([\s(]|$)", re.MULTILINE), r"\1__\2__\3"),
)
_GENERIC = re.compile(r"^mandatory-y[ \t]*\+=[ \t]*(\w[\w-]*\.h)[ \t]*$", re.MULTILINE)
_PROGRAM = re.compile(r"^TEST_GEN_PROGS_(?:arm64|aarch64|COMMON)[ \t]*\+?=[ \t]*(\S+)[ \t]*$", re.MULTILINE)


def programs(makefile: str, names: Sequence[str]) -> dict[str, str]:
    r"""Return where a makefile builds each of these tests for 64-bit Arm; none for those that it does not.

    >>> programs(
    ...     "TEST_GEN_PROGS_arm64 += arm64/a_test\nTEST_GEN_PROGS_x86 += b\nTEST_GEN_PROGS_arm64 += c\n",
    ...     "abc",
    ... )
    {'c': 'c'}
    """
    found = {}
    for path in _PROGRAM.findall(makefile):
        name = path.rpartition("/")[2]
        if name in names:
            found[name] = path
    return found


def headers(tree: Path, into: Path) -> None:
    """Install the headers of a kernel for programs."""
    for folder in ("include/uapi", "arch/arm64/include/uapi"):
        for path in sorted((tree / folder).rglob("*.h")):
            text = path.read_text(encoding="utf-8")
            if "unistd_64.h" in text:
                continue  # made from a table by the kernel's build; the C library's own has the numbers too
            for pattern, word in _DROPPED:
                text = pattern.sub(word, text)
            target = into / path.relative_to(tree / folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    kbuild = tree / "include/uapi/asm-generic/Kbuild"
    for name in _GENERIC.findall(kbuild.read_text(encoding="utf-8")):
        wrapper = into / "asm" / name
        if not wrapper.exists() and (into / "asm-generic" / name).exists() and name != "unistd.h":
            wrapper.write_text(f"#include <asm-generic/{name}>\n", encoding="ascii")


def build(
    archive: Archive, source: KernelSource, names: Sequence[str], environ: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the program of each of these tests that a kernel has and can build from its own source, built once."""
    folder = source.selftests
    makefile = next(path for name in ("Makefile.kvm", "Makefile") if (path := folder / name).is_file())
    wanted = programs(makefile.read_text(encoding="utf-8"), names)
    command = _compiler(archive, environ)

    def make(place: Path) -> None:
        archive.tell(f"building {len(wanted)} selftests of {source.release}")
        included = source.tree / "usr/include"
        if not included.exists():
            headers(source.tree, included)
        # The rest of the kernel's build asks the compiler what it can; static programs need no answer of it.
        asking = source.tree / "tools/build/Build.include"
        asking.parent.mkdir(exist_ok=True)
        asking.touch()
        _make(folder, place, command, list(wanted.values()))

    key = content_key(_RECIPE, source.tree.name, *command, *sorted(wanted.values()))
    made = archive.store.entry("selftest-programs", key, make)
    return {name: (made / name).read_bytes() for name in wanted if (made / name).is_file()}


def _make(folder: Path, place: Path, command: Sequence[str], paths: Sequence[str]) -> None:
    output = place / "output"
    arch = "arm64" if (folder / "arm64").is_dir() else "aarch64"
    words = [
        *("make", "-s", "-k", "-C", str(folder), "ARCH=arm64", "CROSS_COMPILE=", f"OUTPUT={output}"),
        f"CC={shlex.join(command)}",
        f"LDFLAGS=-static {shlex.join(_linked(command))}",
        f"TEST_GEN_PROGS_{arch}={' '.join(paths)}",
        *("TEST_GEN_PROGS_EXTENDED=", "TEST_PROGS=", "TEST_PROGS_EXTENDED=", "LIBCGROUP_O="),
    ]
    output.mkdir()
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    made = [path for path in paths if (output / path).is_file()]
    if not made:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise LabError(f"the selftests cannot be built: {' / '.join(lines[:3]) or done.stderr[-300:]}")
    (place / "said").write_text(done.stderr, encoding="utf-8")
    for path in made:
        (output / path).rename(place / path.rpartition("/")[2])
    shutil.rmtree(output)


def _compiler(archive: Archive, environ: Mapping[str, str]) -> list[str]:
    if named := environ.get("ARMLEVEL_CC"):
        return [named]
    if platform.machine() not in ARCHES:
        raise LabError(
            f"no compiler for 64-bit Arm on {platform.machine()}", hint="name one with ARMLEVEL_CC"
        )
    arch, _ = ARCHES[platform.machine()]
    suite = codename() or "trixie"
    found = archive.find(
        f"libc-{suite}", arch, (suite,), lambda root: root.closure(["libc6-dev-arm64-cross"])
    )

    def make(place: Path) -> None:
        with archive.files(found, place) as debs:
            unpack((deb for name, deb in debs.items() if name.startswith(("libc6-", "linux-libc-"))), place)

    root = archive.store.entry("sysroots", content_key(found.key, arch), make) / "usr" / TRIPLET
    # (behind the kernel's own headers, which come with -isystem)
    return [*private_compiler(environ), "-idirafter", str(root / "include"), f"-B{root / 'lib'}/"]


def _linked(command: Sequence[str]) -> list[str]:
    """Return where the linker finds libraries: the C library's, and the compiler's own beside its headers."""
    folders = [Path(word.removeprefix("-B")) for word in command if word.startswith("-B")]
    folders += [Path(word).parent for word in command if word.endswith("/include") and "gcc-cross" in word]
    return [word for folder in folders for word in (f"-L{folder}", f"-B{folder}/")]
