"""QEMU with the CPU of a guest profile: may it start on this machine, and what exactly would be started."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import digest as digest_of
from armlevel.documents import guest_object
from armlevel.engine import Answer, Finding, Part, Policy
from armlevel.engine.moves.settings import settings_of
from armlevel.errors import UsageError
from armlevel.formats.qemu_write import options_of
from armlevel.operations.answers import findings_told, status_of
from armlevel.preload import Launch, config_of, fit, launch, observing
from armlevel.profile import Guest, Host, Implementation

__all__ = ["Files", "RunResult", "is_this_machine", "observe", "run", "this_machine"]

RunSide = Literal["start", "arrive"]


@dataclass(frozen=True, slots=True)
class Files:
    """Files that the library writes: what it did (``log``), and the registers the guest starts with (``dump``)."""

    log: str = ""
    dump: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What may be started, or why nothing is.

    ``side``      ``start`` for a new guest, ``arrive`` with ``-incoming``; None where no guest is made or levelled
    ``findings``  what concerns that side;  ``launch``  what is started: None if the guest may not
    ``notes``     what may go wrong later;  ``not_judged``  the parts that nobody asked about: the guest records none
    """

    kind: ClassVar[str] = "run/1"

    answer: Answer = "runs"
    guest: str = ""
    host: str = ""
    side: RunSide | None = None
    findings: tuple[Finding, ...] = ()
    launch: Launch | None = None
    notes: tuple[str, ...] = ()
    not_judged: tuple[Part, ...] = ()

    @property
    def status(self) -> int:
        """The exit status."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the run/1 object."""
        what = self.launch
        return {
            "kind": self.kind,
            "answer": self.answer,
            "guest": self.guest or None,
            "host": self.host or None,
            "side": self.side,
            "not_judged": list(self.not_judged),
            "findings": findings_told(self.findings),
            "command": None if what is None else list(what.command),
            "environment": None if what is None else dict(what.environment),
            "config": None if what is None else what.config.decode(),
        }


def observe(command: Sequence[str], environ: Mapping[str, str], files: Files) -> RunResult:
    """Start QEMU as it is, and only write down what it does."""
    started = launch(command, observing(), environ, log=files.log, dump=files.dump)
    return RunResult(launch=started, notes=("nothing is levelled: the guest has the CPU of this host",))


def run(  # noqa: PLR0913 (a question with options)
    command: Sequence[str],
    guest: Guest,
    host: Host | None,
    environ: Mapping[str, str],
    policy: Policy | None = None,
    *,
    digest: str = "",
    frozen: str = "",
    files: Files | None = None,
    here: bool = True,
) -> RunResult:
    """Say whether QEMU may start with a guest's CPU, and what is started.

    ``host`` is this machine's profile, None to probe it now; ``here`` asks that it be this machine's. ``digest``
    refuses a profile with another digest; ``frozen`` is that of the frozen profile which the guest is in.

    Raises:
        UsageError: the command line contradicts the profile, the profile has another digest, or ``host`` is not this
            machine.
        KvmError: this machine is to be probed and has no KVM for Arm guests.

    """
    catalogue = load()
    own = _pinned(guest, digest, frozen)
    options = options_of(guest, catalogue)
    fitted = fit(command, options.board, options.cpu)
    if fitted.guestless and not fitted.faults:
        started = Launch(fitted.command, (), b"", "", fitted.starts)
        return RunResult(
            guest=guest.name,
            launch=started,
            notes=(f"{fitted.guestless}: there is no guest",),
        )
    if fitted.faults:
        raise UsageError("QEMU is not started: " + "; ".join(fitted.faults))
    where = host or this_machine()
    if host is not None and here:
        is_this_machine(host)
    verdict = engine.check(guest, where, catalogue, policy)
    side: RunSide = "arrive" if fitted.incoming else "start"
    answer = verdict.arrive if fitted.incoming else verdict.start
    if answer != "runs":
        findings = tuple(one for one in verdict.findings if side in one.applies)
        return RunResult(
            answer=answer,
            guest=guest.name,
            host=where.name,
            side=side,
            findings=findings,
            not_judged=verdict.not_judged,
        )
    config = config_of(
        settings_of(guest, where, catalogue),
        guest,
        digest=own,
        born_here=verdict.start == "runs",
        weaker=policy is not None and policy.accept_weaker_mitigation,
    )
    to = files or Files()
    started = launch(
        fitted.command, config, environ, log=to.log, dump=to.dump, profile=own, starts=fitted.starts
    )
    return RunResult(
        guest=guest.name,
        host=where.name,
        side=side,
        launch=started,
        notes=tuple(fitted.notes),
        not_judged=verdict.not_judged,
    )


def this_machine() -> Host:
    """Probe this machine.

    Raises:
        UsageError: this machine is no Arm one.
        KvmError: it has no KVM for Arm guests.

    """
    from armlevel.kvm.device import ARM

    if platform.machine() not in ARM:
        raise UsageError(
            f"this machine is {platform.machine()}, and a guest profile runs on 64-bit Arm",
            hint="on another machine, --show with --host HOST says what would be started there",
        )
    from armlevel.onefile.collector import collect
    from armlevel.probe import plan_of

    return collect(plan_of(load())).host


def is_this_machine(host: Host) -> None:
    """Refuse a profile that cannot be that of this machine, as it is booted now.

    Raises:
        UsageError: its CPUs or its kernel are others.

    """
    from armlevel.probe import read_machine

    machine = read_machine()
    recorded, real = (
        {cpu.implementation for cpu in host.every_cpu},
        {cpu.implementation for cpu in machine.cpus},
    )
    fault = ""
    if not _those_of(recorded, real):
        fault = f"its CPUs are {_parts(recorded)}, and this machine's are {_parts(real)}"
    elif host.software.kernel and host.software.kernel != machine.kernel:
        now = machine.kernel or "one that cannot be read"
        fault = f"it was probed under Linux {host.software.kernel}, and this machine runs {now}"
    if fault:
        raise UsageError(
            f"QEMU is not started: {host.name} is not this machine: {fault}",
            hint="probe this machine again, or leave --host away",
        )


def _pinned(guest: Guest, wanted: str, frozen: str) -> str:
    own = digest_of(guest_object(guest))
    if wanted and f"sha256:{wanted.removeprefix('sha256:')}" not in (own, frozen):
        inside = f", frozen as {frozen}" if frozen else ""
        raise UsageError(
            f"QEMU is not started: the digest of {guest.name} is {own}{inside}, not {wanted}",
            hint="this is another profile, or another version of it",
        )
    return own


def _those_of(recorded: Collection[Implementation], real: Collection[Implementation]) -> bool:
    # Every number that the machine shows has to be in the profile; a kernel before 6.15 shows no AIDR_EL1.
    def is_it(one: Implementation, machine: Implementation) -> bool:
        return machine.registers().items() <= one.registers().items()

    return all(any(is_it(one, machine) for machine in real) for one in recorded) and all(
        any(is_it(one, machine) for one in recorded) for machine in real
    )


def _parts(implementations: Iterable[Implementation]) -> str:
    return ", ".join(map(_numbers, sorted(implementations))) or "not recorded"


def _numbers(one: Implementation) -> str:
    return " ".join(f"{number:#x}" for number in one.registers().values())
