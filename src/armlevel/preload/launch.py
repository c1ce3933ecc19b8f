"""Starting QEMU with the library: the words, the environment, and the configuration in a sealed file in memory.

Nothing is written anywhere: the configuration goes along as an open file that nobody can change any more
(``memfd_create`` with seals), and is gone with QEMU.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from armlevel.errors import UsageError
from armlevel.preload.library import DEVICE, library, library_fault

__all__ = ["Launch", "execute", "launch"]

_KVM = "/dev/kvm"


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started: the command, what its environment has besides, and the configuration."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    config: bytes


def launch(  # noqa: PLR0913 (what a command line may say)
    command: Sequence[str],
    config: bytes,
    environ: Mapping[str, str],
    *,
    log: str = "",
    dump: str = "",
    place: Path | None = None,
) -> Launch:
    """Put together what starts ``command`` with the library.

    ``log`` and ``dump`` are files: what the library did, and the registers of the guest's first vCPU. ``place`` is the
    library, where it is not the one that ships.

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
    return Launch(tuple(command), tuple(added.items()), config)


def execute(what: Launch, environ: Mapping[str, str]) -> None:
    """Replace this process by the command; return only by raising. Without a configuration no library is loaded.

    Raises:
        UsageError: this machine has no KVM, or the command cannot be started.

    """
    if not what.config:
        _become(what.command, environ)
    if not os.access(_KVM, os.R_OK | os.W_OK):
        there = os.path.exists(_KVM)  # noqa: PTH110 (one question, no path object needed)
        raise UsageError(
            f"no permission to open {_KVM}" if there else f"this machine has no KVM: there is no {_KVM}",
            hint="add the user to group kvm"
            if there
            else "run this on the Arm host where the guest is to be",
        )
    if os.path.lexists(DEVICE):
        raise UsageError(
            f"there is something at {DEVICE}, and a guest would start without its profile if the library did not load",
            hint=f"remove {DEVICE}",
        )
    sealed = _in_memory(what.config)
    own = {"ARMLEVEL_CONFIG": f"fd:{sealed}", "ARMLEVEL_PID": str(os.getpid())}
    _become(what.command, {**environ, **dict(what.environment), **own})


def _become(command: Sequence[str], environ: Mapping[str, str]) -> None:
    try:
        os.execvpe(command[0], list(command), environ)  # noqa: S606 (that is the verb)
    except OSError as exc:
        raise UsageError(f"{command[0]} cannot be started: {(exc.strerror or str(exc)).lower()}") from exc


def _in_memory(data: bytes) -> int:
    descriptor = os.memfd_create("armlevel", os.MFD_ALLOW_SEALING)
    os.write(descriptor, data)
    fcntl.fcntl(
        descriptor,
        fcntl.F_ADD_SEALS,
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
    )
    return descriptor
