"""The VMM programs on this machine, and the versions they say they are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["version_of", "vmms_of"]

# name -> (programs, pattern of the version in the first lines of `--version`)
_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "qemu": ("qemu-system-aarch64", "/usr/libexec/qemu-kvm", "qemu-kvm"),
    "firecracker": ("firecracker",),
    "cloud-hypervisor": ("cloud-hypervisor",),
    "crosvm": ("crosvm",),
    "libvirt": ("libvirtd", "virtqemud"),
}
# Where root's programs are: what is found elsewhere on PATH is not run with root's rights.
_OF_ROOT = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_VERSION = re.compile(r"\bv?(\d+(?:\.\d+)+[\w.+~-]*)")
_SECONDS = 60  # a last stop against hanging; a busy machine takes seconds to start QEMU


def vmms_of(path: str | None = None, *, ask: Callable[[str], str] | None = None) -> dict[str, str]:
    """Return each VMM found on PATH (or ``path``) with the version it names; ``found`` if it names none.

    To learn it each is run with ``--version``; by root only those of the system's own directories, and only where
    nobody else may write the file.
    """
    folders = (path if path is not None else os.environ.get("PATH", os.defpath)).split(os.pathsep)
    if path is None and os.geteuid() == 0:
        folders = [folder for folder in _OF_ROOT if is_roots(folder)]
    versions: dict[str, str] = {}
    for name, programs in _PROGRAMS.items():
        program = next(filter(None, (_which(program, folders) for program in programs)), None)
        if program is None:
            continue
        if path is None and os.geteuid() == 0 and not is_roots(program):
            versions[name] = "found"
            continue
        match = _VERSION.search((ask or _ask)(program))
        versions[name] = match[1] if match else "found"
    return versions


def version_of(program: str) -> str:
    """Return the version that one VMM program names; nothing if it names none, or root may not run it."""
    if os.geteuid() == 0 and not is_roots(program):
        return ""
    match = _VERSION.search(_ask(program))
    return match[1] if match else ""


def is_roots(path: str) -> bool:
    """Whether a file or directory is root's, and nobody else may write it."""
    try:
        status = Path(path).stat()
    except OSError:
        return False
    return status.st_uid == 0 and not status.st_mode & 0o022


def _which(program: str, folders: list[str]) -> str | None:
    tries = [Path(folder, program) for folder in folders if folder]  # an absolute program stays itself
    return next((str(place) for place in tries if place.is_file() and os.access(place, os.X_OK)), None)


def _ask(program: str) -> str:
    # Only a host that has a VMM pays for this import.
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603  # the programs of the table above, where PATH has them
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout or done.stderr
