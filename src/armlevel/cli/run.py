"""QEMU with the CPU of a guest profile: stock QEMU, a library in its process, and nothing but the profile's guest.

Everything that can be known before is said before: whether the profile may start here (or arrive, with ``-incoming``),
and which QEMU options contradict it. What becomes of it after that is the library's business: it ends QEMU, in a
sentence, rather than let a guest see anything else.
"""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated

import typer

from armlevel.arch import Catalogue, load
from armlevel.cli.answers import exit_of, findings_json
from armlevel.cli.findings import Page
from armlevel.cli.inputs import guest_of, hosts_named
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Json
from armlevel.cli.output import say, say_json, tell, wrapped
from armlevel.documents import digest as digest_of
from armlevel.documents import guest_object
from armlevel.engine import Verdict, check
from armlevel.engine.moves.settings import settings_of
from armlevel.errors import UsageError
from armlevel.formats.qemu_write import options_of
from armlevel.preload import Fitted, Launch, config_of, execute, fit, launch, observing
from armlevel.profile import Guest, Host, Implementation

__all__ = ["run"]

_Guest = Annotated[str, typer.Option("--guest", metavar="GUEST", help="The guest profile to show.")]
_Host = Annotated[
    str, typer.Option("--host", metavar="HOST", help="This machine's profile; without it, it is probed now.")
]
_Log = Annotated[str, typer.Option("--log", metavar="FILE", help="Append what the library did to FILE.")]
_Dump = Annotated[
    str, typer.Option("--dump", metavar="FILE", help="Write the registers the guest starts with to FILE.")
]
_Digest = Annotated[
    str, typer.Option("--digest", metavar="SHA256", help="Refuse a profile with another digest than this.")
]
_Show = Annotated[bool, typer.Option("--show", help="Show what would be started, and start nothing.")]
_Command = Annotated[
    list[str], typer.Argument(metavar="-- QEMU...", help="The command line that starts QEMU.")
]


def run(
    command: _Command,
    guest: _Guest = "",
    host: _Host = "",
    digest: _Digest = "",
    log: _Log = "",
    dump: _Dump = "",
    observe: Annotated[
        bool, typer.Option("--observe", help="Change nothing; only --log and --dump what stock QEMU does.")
    ] = False,
    show: _Show = False,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    as_json: Json = False,
) -> int:
    """Start QEMU with a guest profile's CPU on this machine.

    Missing QEMU options are added; one that contradicts the profile is refused. With -incoming the guest has to be
    one that may arrive here, else one that may start. --json shows what would be started, as --show does.
    """
    if observe == bool(guest):
        raise UsageError("name the profile with --guest, or --observe without one")
    if observe:
        return _start(
            launch(command, observing(), os.environ, log=log, dump=dump), show=show, as_json=as_json
        )
    catalogue = load()
    wanted = guest_of(guest, catalogue)
    own = _pinned(wanted, digest)
    options = options_of(wanted, catalogue)
    fitted = fit(command, options.board, options.cpu)
    if fitted.guestless:
        return _start(Launch(fitted.command, (), b""), show=show, as_json=as_json)
    if fitted.faults:
        raise UsageError("QEMU is not started: " + "; ".join(fitted.faults))
    here = _this_machine(host, show=show or as_json)
    verdict = check(
        wanted,
        here,
        catalogue,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    if code := _refused(wanted, verdict, fitted, catalogue, as_json=as_json):
        return code
    config = config_of(
        settings_of(wanted, here, catalogue),
        wanted,
        digest=own,
        born_here=verdict.start == "runs",
        weaker=accept_weaker_mitigation,
    )
    started = launch(fitted.command, config, os.environ, log=log, dump=dump)
    for note in fitted.notes:
        tell(f"note: {note}")
    return _start(started, show=show, as_json=as_json)


def _pinned(guest: Guest, wanted: str) -> str:
    own = digest_of(guest_object(guest))
    if wanted and wanted.removeprefix("sha256:") != own.removeprefix("sha256:"):
        raise UsageError(
            f"QEMU is not started: the digest of {guest.name} is {own}, not {wanted}",
            hint="this is another profile, or another version of it",
        )
    return own


def _this_machine(name: str, *, show: bool) -> Host:
    if not name:
        if platform.machine() not in {"aarch64", "arm64"}:
            raise UsageError(
                f"this machine is {platform.machine()}, and a guest profile runs on 64-bit Arm",
                hint="on another machine, --show with --host HOST says what would be started there",
            )
        from armlevel.onefile.collector import collect
        from armlevel.probe import plan_of

        return collect(plan_of(load())).host
    hosts, _ = hosts_named([name])
    if len(hosts) != 1:
        raise UsageError(f"{name}: {len(hosts)} hosts, and one machine is meant", hint="name one file")
    if not show:
        _is_this_machine(hosts[0])
    return hosts[0]


def _is_this_machine(host: Host) -> None:
    """Raise :class:`UsageError` unless the profile can be that of this machine, as it is booted now."""
    from armlevel.probe import read_machine

    machine = read_machine()
    recorded, real = {cpu.implementation for cpu in host.cpus}, {cpu.implementation for cpu in machine.cpus}
    fault = ""
    if not _those_of(recorded, real):
        fault = f"its CPUs are {_parts(recorded)}, and this machine's are {_parts(real)}"
    elif host.software.kernel and host.software.kernel != machine.kernel:
        fault = f"it was probed under Linux {host.software.kernel}, and this machine runs {machine.kernel}"
    if fault:
        raise UsageError(
            f"QEMU is not started: {host.name} is not this machine: {fault}",
            hint="probe this machine again, or leave --host away",
        )


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


def _refused(guest: Guest, verdict: Verdict, fitted: Fitted, catalogue: Catalogue, *, as_json: bool) -> int:
    side, answer = ("arrive", verdict.arrive) if fitted.incoming else ("start", verdict.start)
    if answer == "runs":
        return 0
    findings = [one for one in verdict.findings if side in one.applies]
    if as_json:
        found = {"guest": guest.name, "host": verdict.host, "side": side, "answer": answer}
        say_json(found | {"findings": findings_json(findings)})
    else:
        may = "may not" if answer == "refused" else "cannot be said to be able to"
        head = wrapped(f"QEMU is not started: {guest.name} {may} {side} on {verdict.host}")
        say([*head, *Page(catalogue, sides=False).lines(findings)])
    return exit_of([answer])


def _start(what: Launch, *, show: bool, as_json: bool) -> int:
    if as_json:
        added = dict(what.environment)
        say_json({"command": list(what.command), "environment": added, "config": what.config.decode()})
    elif show:
        say([_shown(what.command, dict(what.environment))])
    else:
        execute(what, os.environ)
    return 0


def _shown(command: Sequence[str], environment: Mapping[str, str]) -> str:
    return " ".join(
        [*(f"{name}={shlex.quote(text)}" for name, text in environment.items()), shlex.join(command)]
    )
