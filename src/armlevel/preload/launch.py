"""What is started: the words, the environment, and the configuration in a sealed file in memory.

Nothing is written anywhere: the configuration goes along as an open file that nobody can change any more
(``memfd_create`` with seals), and is gone with QEMU.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from armlevel.errors import UsageError
from armlevel.preload.library import library, library_fault

__all__ = ["Launch", "Starts", "high", "in_memory", "launch", "sealed", "with_lines"]

_HIGH = 512  # descriptors that no command line means by accident


@dataclass(frozen=True, slots=True)
class Starts:
    """How a command starts QEMU.

    ``program``  the word that names QEMU;  ``direct`` it is started itself, or by a program that becomes it; else by
                 one that may start QEMU as it likes
    ``detaches`` QEMU goes to the background;  ``waits`` its guest does not run at once
    """

    program: str
    direct: bool = True
    detaches: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started: the command, what its environment has besides, and the configuration.

    ``profile`` is its digest, without which nothing has to be proved.
    """

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    config: bytes
    profile: str
    starts: Starts


def launch(  # noqa: PLR0913 (what a command line may say)
    command: Sequence[str],
    config: bytes,
    environ: Mapping[str, str],
    *,
    log: str = "",
    dump: str = "",
    profile: str = "",
    place: Path | None = None,
    starts: Starts | None = None,
) -> Launch:
    """Put together what starts ``command`` with the library.

    ``log`` and ``dump`` are files: what the library did, and the registers of the guest's first vCPU. ``place`` is the
    library, where it is not the one that ships; ``starts`` how the command starts QEMU, where it is not QEMU.

    Raises:
        UsageError: the library is not there, or the loader would not take it.

    """
    chosen = place or library()
    if fault := library_fault(chosen):
        raise UsageError(f"QEMU is not started: {fault}")
    others = environ.get("LD_PRELOAD", "")
    added = {"LD_PRELOAD": f"{chosen}:{others}" if others else str(chosen)}
    if log:
        added["ARMLEVEL_LOG"] = os.path.abspath(log)  # noqa: PTH100 (resolves no link, as the shell would not)
    if dump:
        added["ARMLEVEL_DUMP"] = os.path.abspath(dump)  # noqa: PTH100 (the same)
    return Launch(tuple(command), tuple(added.items()), config, profile, starts or Starts(command[0]))


def sealed(lines: Iterable[str]) -> bytes:
    """Return a configuration of these lines, the last one the SHA-256 of them all.

    >>> sealed(["armlevel-preload 1"]).decode().splitlines()[-1][:14]
    'sha256 04a966d'
    """
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + f"sha256 {hashlib.sha256(text).hexdigest()}\n".encode()


def with_lines(config: bytes, *more: str) -> bytes:
    """Return a configuration with further lines.

    >>> with_lines(sealed(["a"]), "b") == sealed(["a", "b"])
    True
    """
    return sealed([*config.decode().splitlines()[:-1], *more])


def high(descriptor: int) -> int:
    """Return an inheritable copy of a descriptor, with a number that no option of QEMU means; close the other."""
    try:
        copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD, _HIGH)
    except OSError:  # this process may have no such number
        copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return copy


def in_memory(data: bytes) -> int:
    """Return an inheritable file in memory that nobody can change."""
    descriptor = os.memfd_create("armlevel", os.MFD_ALLOW_SEALING)
    os.write(descriptor, data)
    fcntl.fcntl(
        descriptor,
        fcntl.F_ADD_SEALS,
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
    )
    return high(descriptor)
