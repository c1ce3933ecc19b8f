"""This machine: what armlevel can do here, and what would change the rest. Nothing is written or fetched."""

from __future__ import annotations

import errno
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from armlevel.arch import Catalogue, load
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.errors import UnknownName
from armlevel.kvm.device import ARM
from armlevel.operations.check_ups import CheckUp, State, check_ups_object, status_of_states
from armlevel.preload.library import library, library_fault
from armlevel.probe.machine import Machine, read_machine
from armlevel.profile import Host
from armlevel.words.doctor import found_text, remedy_of
from armlevel.words.subjects import core_name

__all__ = ["DoctorResult", "Here", "doctor", "read_here"]

_DEVICE = "/dev/kvm"
_DAY = 86_400
#: VMMs whose behaviour rows may know.
_RESTORERS = ("qemu", "firecracker")


@dataclass(frozen=True, slots=True)
class Here:
    """What was read of this machine.

    ``kvm`` is empty if /dev/kvm opens, else the error; ``group`` who owns it. ``library`` is what the loader has
    against the library for QEMU, empty if nothing; ``booted`` when the machine was started, seconds since 1970.
    """

    architecture: str
    machine: Machine
    kvm: int = 0
    group: str = ""
    library: str = ""
    booted: float | None = None

    @property
    def is_arm(self) -> bool:
        """Whether it can have Arm guests."""
        return self.architecture in ARM


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """What is so on this machine, line by line."""

    kind: ClassVar[str] = "doctor/1"

    architecture: str
    checks: tuple[CheckUp, ...]

    @property
    def status(self) -> int:
        """The exit status: 1 if something is not so, 3 if something is not known."""
        return status_of_states(check.state for check in self.checks)

    def document(self) -> dict[str, Any]:
        """Return the doctor/1 object."""
        checks = check_ups_object(self.checks, found_text, remedy_of)
        return {"kind": self.kind, "architecture": self.architecture, "checks": checks}


def read_here(root: str = "/") -> Here:
    """Read this machine; /dev/kvm is opened and closed, and asked nothing."""
    device = Path(root, _DEVICE[1:])
    return Here(
        platform.machine(),
        read_machine(root),
        _open_error(device),
        _group_of(device),
        library_fault(library()),
        _booted(Path(root, "proc/stat")),
    )


def _open_error(device: Path) -> int:
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError as exc:
        return exc.errno or errno.EIO
    return 0


def _group_of(device: Path) -> str:
    try:
        return device.group()
    except (OSError, KeyError):
        return "kvm"


def _booted(stat: Path) -> float | None:
    try:
        lines = stat.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), None)


def doctor(
    here: Here,
    profile: Host | None = None,
    *,
    path: str = "",
    lab: Sequence[CheckUp] = (),
    now: float | None = None,
) -> DoctorResult:
    """Say what armlevel can do on a machine; ``lab`` is what emulated hosts need, ``profile`` one of this machine.

    >>> found = doctor(Here("x86_64", read_machine("/nonexistent")))
    >>> [(check.name, check.state) for check in found.checks][:2], found.status
    ([('machine', 'not'), ('kvm', 'not')], 1)
    """
    catalogue = load()
    checks = [_architecture(here), _kvm(here)]
    if here.is_arm:
        checks += [_cpus(here.machine, catalogue), _kernel(here.machine, catalogue)]
        checks += _vmms(here.machine, catalogue)
    checks += [_library(here), *lab]
    if profile is not None:
        checks.append(_profile(here, profile, path, time.time() if now is None else now))
    return DoctorResult(here.architecture, tuple(checks))


def _architecture(here: Here) -> CheckUp:
    words = {"machine": here.architecture or "a machine that does not say what it is"}
    return CheckUp("machine", "ok" if here.is_arm else "not", "arm" if here.is_arm else "not-arm", words)


def _kvm(here: Here) -> CheckUp:
    words = {
        "path": _DEVICE,
        "machine": here.architecture,
        "group": here.group,
        "error": os.strerror(here.kvm).lower(),
    }
    if not here.is_arm:
        return CheckUp("kvm", "not", "kvm-other", words)
    if here.kvm == errno.ENOENT:
        return CheckUp("kvm", "not", "kvm-absent", words)
    if here.kvm in (errno.EACCES, errno.EPERM):
        return CheckUp("kvm", "not", "kvm-denied", words)
    return CheckUp("kvm", "not" if here.kvm else "ok", "kvm-broken" if here.kvm else "kvm-opens", words)


def _cpus(machine: Machine, catalogue: Catalogue) -> CheckUp:
    kinds = [f"{cpu.count} x {core_name(cpu.implementation, catalogue)}" for cpu in machine.cpus]
    words = {"cpus": ", ".join(kinds)}
    if not kinds:
        return CheckUp("cpus", "unknown", "cpus-unread", words)
    return CheckUp("cpus", *(("ok", "cpus-alike") if len(kinds) == 1 else ("not", "cpus-differ")), words)


def _kernel(machine: Machine, catalogue: Catalogue) -> CheckUp:
    words = {"kernel": machine.kernel or "not known"}
    if machine.kernel is None:
        return CheckUp("kernel", "unknown", "kernel-unread", words)
    line = catalogue.line(machine.kernel)
    if line is None:
        return CheckUp("kernel", "unknown", "kernel-unmeasured", words)
    return CheckUp("kernel", "ok", "kernel-measured", words | {"line": line.name})


def _vmms(machine: Machine, catalogue: Catalogue) -> list[CheckUp]:
    checks = []
    for vmm in _RESTORERS:
        version = machine.vmms.get(vmm)
        if version is None:
            continue
        known = _is_known(f"{vmm}-{version}", catalogue)
        words = {"vmm": {"qemu": "QEMU"}.get(vmm, vmm.capitalize()), "version": version}
        code = "vmm-known" if known else "vmm-unknown"
        checks.append(CheckUp(vmm, "ok" if known else "unknown", code, words))
    return checks or [CheckUp("qemu", "not", "vmm-none")]


def _is_known(name: str, catalogue: Catalogue) -> bool:
    try:
        return restorer_named(name, catalogue).known
    except UnknownName:
        return False


def _library(here: Here) -> CheckUp:
    words = {"fault": here.library, "path": str(library())}
    if here.library:
        return CheckUp("preload", "not", "library-fault", words)
    return CheckUp("preload", "ok", "library-there" if here.is_arm else "library-elsewhere", words)


def _profile(here: Here, profile: Host, path: str, now: float) -> CheckUp:
    made = _seconds(profile.made.at or "")
    words = {
        "name": profile.name,
        "path": path or "FILE",
        "then": profile.software.kernel or "not recorded",
        "kernel": here.machine.kernel or "not known",
        "days": "" if made is None else str(max(0, int((now - made) // _DAY))),
    }
    state, code = _age(here, profile, made)
    return CheckUp("profile", state, code, words)


def _age(here: Here, profile: Host, made: float | None) -> tuple[State, str]:
    machine, then = here.machine, profile.software
    ours, theirs = ({cpu.implementation.midr for cpu in cpus} for cpus in (machine.cpus, profile.cpus))
    recorded = bool(theirs) and None not in theirs
    booted_since = made is None or here.booted is None or made < here.booted
    cases: tuple[tuple[bool, State, str], ...] = (
        (not here.is_arm or not machine.kernel or not ours, "unknown", "profile-not-held"),
        (recorded and theirs != ours, "not", "profile-other-cpu"),
        (then.kernel not in (None, machine.kernel), "not", "profile-other-kernel"),
        (not recorded or not then.kernel, "unknown", "profile-not-recorded"),
        (set(then.boot_options) != set(machine.boot_options), "not", "profile-other-options"),
        (made is None, "unknown", "profile-no-date"),
        (booted_since or then.firmware != machine.firmware, "unknown", "profile-booted"),
    )
    return next(((state, code) for holds, state, code in cases if holds), ("ok", "profile-holds"))


def _seconds(at: str) -> float | None:
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
