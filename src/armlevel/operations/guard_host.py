"""The guard on this host: put there, looked at, and taken away.

A daemon is told to look for hooks again, and never restarted.

Source: libvirt docs/hooks.rst; src/util/virhook.c (virHookCheck: hooks are looked for at start and at SIGHUP).
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from armlevel.errors import UsageError
from armlevel.operations.check_ups import CheckUp, check_ups_object, status_of_states
from armlevel.operations.guard_files import (
    ENVIRONMENT,
    RELEASE,
    START,
    archive_names,
    archive_of,
    hook_bytes,
    is_our_archive,
    is_our_hook,
    put,
    read,
    release_in,
)
from armlevel.words.guard_host import found_text, remedy_of

__all__ = [
    "ARCHIVE",
    "HOOK",
    "GuardResult",
    "archive_of",
    "guard_install",
    "guard_remove",
    "guard_status",
]

#: Where the guard's two files are on a host.
HOOK = "etc/libvirt/hooks/qemu.d/50-armlevel"
ARCHIVE = "usr/lib/armlevel/armlevel-guard.pyz"

_CACHE = "var/lib/armlevel/tried"
_RELOADED = "run/armlevel-guard-reloaded"
_DAEMONS = ("libvirtd", "virtqemud")
_OTHERS = 0o022
_PATIENCE = 30
_COMPILES = 3  # `bytecode --check`: it has none for this Python

_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class GuardResult:
    """What was done about the guard of a host, and how it stands now."""

    kind: ClassVar[str] = "guard/1"

    done: Literal["installed", "removed", "nothing"]
    checks: tuple[CheckUp, ...]

    @property
    def status(self) -> int:
        """The exit status: 1 if the guard is not whole here, 3 if it is not known; 0 for what was done."""
        if self.done == "removed":
            return 0
        states = {check.state for check in self.checks}
        if self.done == "installed":
            states.discard("unknown")
        return status_of_states(states)

    def document(self) -> dict[str, Any]:
        """Return the guard/1 object."""
        checks = check_ups_object(self.checks, found_text, remedy_of)
        return {"kind": self.kind, "done": self.done, "checks": checks}


def guard_install(
    files: Mapping[str, bytes], root: Path = _ROOT, *, python: Sequence[str] = ("python3",)
) -> GuardResult:
    """Put the guard's files in their places, the hook last, and have running daemons read their hooks again.

    Raises:
        UsageError: something of somebody else is in a place, the daemon is none that this guard can serve, or a file
            cannot be written; nothing was changed then that libvirt looks at.

    """
    if not (root / "etc/libvirt").is_dir():
        raise UsageError(f"{root / 'etc/libvirt'}: there is no libvirt here", hint="install its daemon first")
    for path, owned in ((root / HOOK, is_our_hook), (root / ARCHIVE, is_our_archive)):
        _hold_foreign(path, owned)
    _hold_contained(root)
    put(root / ARCHIVE, archive_of(files, python), 0o644)
    put(root / HOOK, hook_bytes(), 0o755)
    _reload(root)
    return GuardResult("installed", _checks(root, files))


def guard_remove(root: Path = _ROOT) -> GuardResult:
    """Take the hook away, have running daemons look again, then take the archive away.

    Raises:
        UsageError: what is there is somebody else's, or cannot be removed.

    """
    compiled = sorted((root / ARCHIVE).parent.glob("guard-*-*.zip"))
    there = [path for path in (root / HOOK, root / ARCHIVE, *compiled) if os.path.lexists(path)]
    for path, owned in ((root / HOOK, is_our_hook), (root / ARCHIVE, is_our_archive)):
        _hold_foreign(path, owned)
    for path in there:
        try:
            path.unlink()
        except OSError as exc:
            raise UsageError(f"{path}: cannot be removed: {exc.strerror}", hint="do it as root") from exc
        if path == root / HOOK:
            _reload(root)
    return GuardResult("removed" if there else "nothing", ())


def guard_status(files: Mapping[str, bytes], root: Path = _ROOT) -> GuardResult:
    """Look at everything that the guard of this host hangs on; nothing is changed."""
    return GuardResult("nothing", _checks(root, files))


# ---- files


def _hold_foreign(path: Path, owned: Any) -> None:
    try:
        info = path.lstat()
    except FileNotFoundError:
        return
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror}", hint="do it as root") from exc
    content = read(path) if stat.S_ISREG(info.st_mode) else None
    if content is None or not owned(content):
        raise UsageError(f"{path} is not armlevel's, and stays as it is", hint="move it away, then try again")


# ---- daemons


@dataclass(frozen=True, slots=True)
class _Daemon:
    name: str
    pid: int
    started: str
    here: bool  # whether it sees the files that we see


def _daemons(root: Path) -> list[_Daemon]:
    found = []
    for place in sorted(Path("/proc").glob("[0-9]*")) if root == _ROOT else []:
        with contextlib.suppress(OSError, ValueError, IndexError):
            name = (place / "comm").read_text(encoding="utf-8", errors="replace").strip()
            if name in _DAEMONS:
                started = (
                    (place / "stat")
                    .read_text(encoding="utf-8", errors="replace")
                    .rpartition(")")[2]
                    .split()[19]
                )
                found.append(_Daemon(name, int(place.name), started, _sees_ours(place)))
    return found


def _sees_ours(place: Path) -> bool:
    # A daemon in a container reads another /etc/libvirt, and starts another Python.
    try:
        return all((place / "root" / one).samefile(Path("/") / one) for one in ("etc/libvirt", "usr"))
    except OSError:
        return False


def _hold_contained(root: Path) -> None:
    daemons = _daemons(root)
    outside = [one for one in daemons if not one.here]
    if outside and len(outside) == len(daemons):
        one = outside[0]
        raise UsageError(
            f"{one.name} (process {one.pid}) runs in a container, and sees no file of this host",
            hint="not supported: put both files into its image, or guard it where guests are placed",
        )


def _reload(root: Path) -> None:
    told = []
    for one in _daemons(root):
        if one.here:
            with contextlib.suppress(OSError):
                os.kill(one.pid, signal.SIGHUP)  # what `systemctl reload` sends
                told.append(f"{one.pid} {one.started}\n")
    if root == _ROOT:
        with contextlib.suppress(OSError):
            (root / _RELOADED).write_text("".join(told), encoding="ascii")


# ---- how it stands


def _checks(root: Path, files: Mapping[str, bytes]) -> tuple[CheckUp, ...]:
    return (
        _hook_check(root / HOOK),
        _archive_check(root / ARCHIVE, files),
        _python_check(root / ARCHIVE, root),
        *_daemon_checks(root),
        _cache_check(root / _CACHE),
    )


def _hook_check(path: Path) -> CheckUp:
    words = {"path": str(path)}
    if not os.path.lexists(path):
        return CheckUp("hook", "not", "hook-absent", words)
    content = read(path) if path.is_file() and not path.is_symlink() else None
    whole = hook_bytes()
    if content is None or not is_our_hook(content):
        return CheckUp("hook", "not", "hook-foreign", words)
    if content != whole:
        return CheckUp("hook", "not", "hook-cut" if whole.startswith(content) else "hook-other", words)
    mode = path.stat().st_mode
    if not mode & stat.S_IXUSR:
        return CheckUp("hook", "not", "hook-mode", words)
    if (path.stat().st_uid != os.geteuid() and path.stat().st_uid != 0) or mode & _OTHERS:
        return CheckUp("hook", "not", "hook-open", words)
    return CheckUp("hook", "ok", "hook-whole", words)


def _archive_check(path: Path, files: Mapping[str, bytes]) -> CheckUp:
    words = {"path": str(path)}
    content = read(path)
    if content is None:
        return CheckUp("archive", "not", "archive-absent", words)
    if archive_names(content) is None:
        return CheckUp("archive", "not", "archive-damaged", words)
    if path.stat().st_mode & _OTHERS:
        return CheckUp("archive", "not", "archive-open", words)
    if release_in(content) != files.get(RELEASE):
        return CheckUp("archive", "not", "archive-other", words)
    return CheckUp("archive", "ok", "archive-whole", words)


def _python_check(path: Path, root: Path) -> CheckUp:
    if root != _ROOT:
        return CheckUp("python", "unknown", "python-elsewhere", {"root": str(root)})
    command = ["python3", "-I", "-S", "-B", "-c", START, str(path), "bytecode", "--check"]
    try:
        done = subprocess.run(  # noqa: S603 - as the hook starts it
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE, env=ENVIRONMENT
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return CheckUp("python", "not", "python-fails", {"why": str(exc)})
    if done.returncode == _COMPILES:
        return CheckUp("python", "not", "python-compiles", {"path": str(path)})
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        return CheckUp("python", "not", "python-fails", {"why": lines[-1]})
    return CheckUp("python", "ok", "python-runs")


def _daemon_checks(root: Path) -> list[CheckUp]:
    if root != _ROOT:
        return [CheckUp("libvirt", "unknown", "daemon-elsewhere", {"root": str(root)})]
    daemons = _daemons(root)
    if not daemons:
        return [CheckUp("libvirt", "ok", "daemon-none")]
    told = (read(root / _RELOADED) or b"").decode("ascii", "replace").splitlines()
    return [_daemon_check(one, told, root / HOOK) for one in daemons]


def _daemon_check(one: _Daemon, told: list[str], hook: Path) -> CheckUp:
    words = {"name": one.name, "pid": str(one.pid)}
    if not one.here:
        return CheckUp("libvirt", "not", "daemon-contained", words)
    if f"{one.pid} {one.started}" in told or _older(hook, one):
        return CheckUp("libvirt", "ok", "daemon-loaded", words)
    return CheckUp("libvirt", "unknown", "daemon-not-known", words)


def _older(hook: Path, one: _Daemon) -> bool:
    # Whether the hook was there when the daemon started: it looks for hooks then.
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        booted = next(float(line.split()[1]) for line in lines if line.startswith("btime "))
        return hook.stat().st_ctime < booted + int(one.started) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, StopIteration):
        return False


def _cache_check(path: Path) -> CheckUp:
    words = {"path": str(path)}
    try:
        info = path.lstat()
    except OSError:
        return CheckUp("answers", "ok", "cache-none", words)
    if not stat.S_ISREG(info.st_mode) or info.st_uid != 0 or info.st_mode & _OTHERS:
        return CheckUp("answers", "not", "cache-foreign", words)
    return CheckUp("answers", "ok", "cache-kept", words)
