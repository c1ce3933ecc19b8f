"""A real live migration between two emulated hosts, and what became of the guest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli.emulated import host_typed
from armlevel.cli.options import Json
from armlevel.cli.output import say, say_json, tell, wrapped
from armlevel.cli.progress import watch
from armlevel.documents import read_host
from armlevel.errors import UsageError
from armlevel.lab import Laboratory, LabSettings
from armlevel.lab.levelled import levelled_slot
from armlevel.lab.libvirt_guard import born_on
from armlevel.lab.libvirt_move import DomainMoved
from armlevel.lab.libvirt_run import AskedMove, domain_of, libvirt_migration
from armlevel.lab.migration import (
    DidNotBoot,
    Migrated,
    MovingGuest,
    Slot,
    Waiting,
    await_guest,
    begin,
    machine_of,
    move,
)
from armlevel.lab.results import MeasuredMove
from armlevel.lab.vmms import RELEASES, VMMS
from armlevel.operations.means import switches_named
from armlevel.operations.named import guest_named

__all__ = ["run"]

_A = Annotated[str, typer.Argument(metavar="A", help="The host that the guest starts on.")]
_B = Annotated[str, typer.Argument(metavar="B", help="The host that it moves to.")]


def run(
    a: _A,
    b: _B,
    guest: Annotated[
        str,
        typer.Option("--guest", metavar="GUEST", help="Show this profile; without it, A's passthrough CPU."),
    ] = "",
    qemu: Annotated[
        str, typer.Option("--qemu", metavar="VERSION", help="10, 11, or one for each host: 10:11.")
    ] = "10",
    switches: Annotated[
        str,
        typer.Option(
            "--switches", metavar="OPTIONS", help="Start the guest with these on both, as pmu=off,sve=off."
        ),
    ] = "",
    vcpus: Annotated[int, typer.Option("--vcpus", metavar="N", min=1, max=8, help="vCPUs of the guest.")] = 1,
    return_path: Annotated[
        bool, typer.Option("--return-path/--no-return-path", help="Let B answer A, as libvirt does.")
    ] = True,
    libvirt: Annotated[
        bool, typer.Option("--libvirt", help="Let libvirt do it: virsh migrate --live, from A.")
    ] = False,
    guard: Annotated[
        bool, typer.Option("--guard", help="With --libvirt: both hosts have armlevel's guard.")
    ] = False,
    mirror: Annotated[
        str, typer.Option("--mirror", metavar="URI", help="Debian's archive, if apt here knows none.")
    ] = "",
    keyring: Annotated[
        str, typer.Option("--keyring", metavar="FILE", help="The keys it is signed with.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Boot two hosts, move a running guest from one to the other, and see whether it lives.

    Exit 0: it arrived, ticks, keeps time, and is the guest it was. Exit 1: it is not, and why.
    """
    here, there = _versions(qemu)
    profile = guest_named(guest) if guest else None
    lab = Laboratory(LabSettings.of(os.environ, mirror=mirror, keyring=keyring), tell, watch=watch)
    hosts = host_typed(a), host_typed(b)
    if libvirt and not return_path:
        raise UsageError("libvirt has B answer A, always", hint="leave out --no-return-path")
    if guard and not libvirt:
        raise UsageError("the guard is a hook of libvirt", hint="add --libvirt")
    plain = MovingGuest(machine_of(here, there), _cpu(switches, guest, (here, there)), vcpus)
    profiles = [read_host(lab.profile(host), str(host)) for host in hosts] if profile or guard else []
    if libvirt:
        domain = domain_of(tuple(plain.cpu.split(",")[1:]), plain.machine, vcpus)
        levelled = (profile, (profiles[0], profiles[1])) if profile else None
        mark = (profile or born_on(profiles[0], switches, domain)) if guard else None
        asked = AskedMove(hosts=hosts, qemus=(here, there), domain=domain, levelled=levelled, mark=mark)
        found = libvirt_migration(lab, asked, tell)
        result = MeasuredMove(str(hosts[0]), str(hosts[1]), found.moved, switches, found, guard)
        return _say(result, as_json=as_json)
    with lab.pair(*hosts, tuple(dict.fromkeys((here, there)))) as (one, other):
        source, target = Slot(session=one, qemu=here), Slot(session=other, qemu=there)
        if profile:
            source = levelled_slot(source, profile, profiles[0])
            target = levelled_slot(target, profile, profiles[1], arrives=True)
        tell(f"booting {hosts[0]} and {hosts[1]}")
        moved = _moved(source, target, plain, return_path=return_path)
    return _say(MeasuredMove(str(hosts[0]), str(hosts[1]), moved, switches), as_json=as_json)


def _say(found: MeasuredMove, *, as_json: bool) -> int:
    if as_json:
        say_json(found.document())
    else:
        say(_lines(found))
    return found.status


def _moved(source: Slot, target: Slot, guest: MovingGuest, *, return_path: bool) -> Migrated:
    waiting: list[Waiting] = []
    here = source.session.host

    def meanwhile() -> None:
        tell(f"the guest boots on {here}")
        waiting.append(await_guest(target, "guest", guest))

    try:
        running = begin(source, "guest", guest, meanwhile)
    except DidNotBoot as exc:
        return Migrated(problem=f"the guest does not start on {here}", source_said=str(exc))
    tell(f"the guest ticks on {here}; moving it")
    return move(running, waiting[0], return_path=return_path)


def _cpu(switches: str, guest: str, versions: tuple[str, str]) -> str:
    if not switches:
        return "host"
    if guest:
        raise UsageError("a guest that is given has its CPU: --switches choose one", hint="leave out --guest")
    each = [switches_named(switches, RELEASES[version], load()) for version in versions]
    return f"host,{each[0].text}"


def _versions(text: str) -> tuple[str, str]:
    here, _, there = text.partition(":")
    versions = (here, there or here)
    if not all(version in VMMS for version in versions):
        raise UsageError(
            f"--qemu {text}: the lab has QEMU {' and '.join(VMMS)}", hint="write 10, 11 or 10:11"
        )
    return versions


def _lines(found: MeasuredMove) -> Iterator[str]:
    moved, differences = found.moved, found.changed
    outcome = "migrated and healthy" if moved.healthy else f"not healthy: {_why(moved)}"
    what = f"{found.source} -> {found.target}" + (f" with {found.switches}" if found.switches else "")
    yield from wrapped(f"measured: {what}: {outcome}")
    if moved.source_status:
        yield from wrapped(moved.source_status, "  source says  ")
    yield f"  arrived      {_word(moved.arrived)}"
    if moved.arrived:
        yield f"  ticks        {_word(moved.alive)}"
    if moved.rate is not None:
        yield f"  clock        {moved.rate:.2f} of the host's{'' if moved.keeps_time else ', wrong'}"
    if moved.alive:
        yield f"  CPUs, digest {'as before' if moved.same else 'not as before'}"
    if moved.found:
        yield f"  ID registers {'as they were' if not differences else 'not as they were; a reboot would show'}"
    for name, was, now in differences:
        yield f"    {name}  {_hex(was)} -> {_hex(now)}"
    if moved.downtime is not None and moved.arrived:
        yield f"  downtime     {moved.downtime:.2f} s of {moved.seconds:.1f} s"
    if found.libvirt is not None:
        yield from _virsh(found.libvirt)
        return
    for line in moved.words:
        yield from wrapped(line, "  QEMU  ", rest="        ")


def _virsh(found: DomainMoved) -> Iterator[str]:
    yield from wrapped(" ".join(found.command), "  $ ", rest="    ")
    for line in found.said.words.splitlines():
        if line.strip():
            yield from wrapped(line, "  virsh  ", rest="         ")
    if found.stayed is not None:
        fate = "unharmed" if found.unharmed else "HARMED"
        yield from wrapped(f"the guest at the source is {fate}: {_as_it_is(found.stayed)}", "  ")


def _as_it_is(stayed: Migrated) -> str:
    registers = "as they were" if stayed.found == stayed.sent else "not as they were"
    return (
        f"ticks {_word(stayed.alive)}, keeps time {_word(stayed.keeps_time is True)}, registers {registers}"
    )


def _why(moved: Migrated) -> str:
    if moved.problem:
        return moved.problem
    if not moved.arrived:
        return "QEMU on the destination refused it"
    if not moved.alive:
        return "QEMU says it runs, and it does not tick any more"
    if not moved.keeps_time:
        return "its clock runs at another rate"
    return "it is not the CPU it was, or computes something else"


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


def _hex(value: int | None) -> str:
    return "-" if value is None else f"{value:#x}"
