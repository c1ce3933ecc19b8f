"""Kernel lines: which Debian suite has them, and which package is the newest of one.

A line is `6.12`, never `6.12.117`: the lab takes the newest kernel of the line that the mirror has. Besides the
rows any line the mirror has may be named (`7.2`, or one exact release, `7.1.8`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FLAVOURS", "LINES", "KernelLine", "is_line", "newest", "release_of", "suites_of"]

_LINE = re.compile(r"\d+\.(?:x|\d+(?:\.\d+)?)")
#: Debian's flavours of a kernel, by the size of its pages.
FLAVOURS = {"4k": "cloud-arm64", "16k": "arm64-16k"}
_KERNEL = re.compile(
    r"linux-(?P<form>binary|image)-(?P<release>\d+\.\d+(?:\.\d+)?[^_]*?)"
    rf"-(?P<flavour>{'|'.join(FLAVOURS.values())})"
)
_BACKPORTS = "trixie-backports"


@dataclass(frozen=True, slots=True)
class KernelLine:
    """A kernel line the lab knows by name; the tests need those that are ``needed``."""

    name: str
    suite: str
    needed: bool = True


LINES = (
    KernelLine("6.1", "bookworm"),
    KernelLine("6.12", "trixie"),
    KernelLine("6.17", _BACKPORTS, needed=False),
    KernelLine("6.18", _BACKPORTS, needed=False),
    KernelLine("7.0", _BACKPORTS, needed=False),
    KernelLine("7.x", _BACKPORTS),
)


def is_line(text: str) -> bool:
    """Tell whether ``text`` is spelt like a kernel line.

    >>> [is_line(text) for text in ("6.12", "7.x", "7.1.8", "6", "v6.1")]
    [True, True, True, False, False]
    """
    return _LINE.fullmatch(text) is not None


def suites_of(line: str) -> tuple[str, ...]:
    """Return the suites that may have kernels of ``line``, the likeliest first.

    >>> suites_of("6.12"), suites_of("7.2")
    (('trixie',), ('trixie-backports', 'trixie', 'bookworm'))
    """
    for row in LINES:
        if row.name == line:
            return (row.suite,)
    return (_BACKPORTS, "trixie", "bookworm")


def release_of(package: str) -> str:
    """Return the kernel release in a package name (what `uname -r` will say, without the flavour), else nothing.

    >>> release_of("linux-image-6.12.117+deb13-cloud-arm64"), release_of("busybox-static")
    ('6.12.117+deb13', '')
    """
    match = _KERNEL.fullmatch(package)
    return match["release"] if match else ""


def newest(line: str, packages: Iterable[str], flavour: str = FLAVOURS["4k"]) -> str | None:
    """Return the package with the newest kernel of ``line``; of one release the package that holds the kernel itself.

    From some 6.19 on Debian keeps the kernel in `linux-binary-*`, and `linux-image-*` only refers to it.

    >>> newest(
    ...     "7.x",
    ...     [
    ...         "linux-image-7.3.4+deb13-cloud-arm64",
    ...         "linux-binary-7.3.4+deb13-cloud-arm64",
    ...         "linux-binary-7.3.10+deb13-cloud-arm64",
    ...     ],
    ... )
    'linux-binary-7.3.10+deb13-cloud-arm64'
    """
    wanted = [int(part) for part in line.split(".") if part != "x"]
    kernels: list[tuple[list[int], bool, str]] = []
    for package in packages:
        match = _KERNEL.fullmatch(package)
        if not match or match["flavour"] != flavour:
            continue
        if (version := _numbers(match["release"]))[: len(wanted)] == wanted:
            kernels.append((version, match["form"] == "binary", package))
    return max(kernels)[2] if kernels else None


def _numbers(release: str) -> list[int]:
    # 6.1.0-50 counts its builds behind the dash; 6.12.117+deb13 has a name there, equal within a suite.
    return [int(number) for number in re.findall(r"\d+", release.partition("+")[0])]
