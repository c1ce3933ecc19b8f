"""`virsh migrate --live` between two hosts, and the truth about the guest: where it arrived, or where it stayed.

What libvirt says is kept word for word, and believed no more than what QEMU says: what counts is heard from the guest.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.lab.libvirt_host import Domain, LibvirtHost, Said
from armlevel.lab.migration import (
    DidNotBoot,
    Migrated,
    afterwards,
    registers_of,
    state_of,
    ticks_again,
    ticks_first,
)
from armlevel.lab.session import Refused

__all__ = ["DomainMoved", "RunningDomain", "begin_domain", "move_domain", "save_and_restore"]

#: The domain goes with its definition, so that it may move on or back.
_WHOLE = ("--live", "--persistent", "--undefinesource")
_SAVED = "/var/lib/libvirt/saved"


@dataclass(frozen=True, slots=True)
class RunningDomain:
    """A domain that runs on a host, what its guest said of its CPUs there, and its registers."""

    host: LibvirtHost
    domain: Domain
    before: tuple[str, ...]
    registers: Mapping[int, int | None] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainMoved:
    """What virsh was told and said, and what became of the guest.

    ``moved`` is the truth where it went to; ``stayed`` where it was, if it did not go: the same questions, there.
    """

    command: tuple[str, ...]
    said: Said
    moved: Migrated
    stayed: Migrated | None = None

    @property
    def unharmed(self) -> bool | None:
        """Tell whether a guest that did not go is what it was, ticks and keeps time; None where it went."""
        if self.stayed is None:
            return None
        return self.stayed.healthy and self.stayed.found == self.stayed.sent


def begin_domain(host: LibvirtHost, domain: Domain) -> RunningDomain:
    """Define and start a domain, and wait until its guest ticks.

    Raises:
        DidNotBoot: libvirt does not start it, or the guest does not tick; the words are libvirt's.

    """
    place = f"/run/armlevel/{domain.name}.xml"
    host.session.ask("domain", name=domain.name, console=domain.console)
    host.session.ask("files", files={place: domain.xml()})
    for said in (
        host.virsh("define", place),
        host.virsh("start", domain.name),
    ):
        if said.status:
            raise DidNotBoot(said.words)
    if not ticks_first(host.session, domain.name):
        raise DidNotBoot(host.run("tail", "-n", "3", f"/var/log/libvirt/qemu/{domain.name}.log").words)
    return _as_it_runs(host, domain)


def _as_it_runs(host: LibvirtHost, domain: Domain) -> RunningDomain:
    session, name = host.session, domain.name
    return RunningDomain(host, domain, state_of(session, name), registers_of(session, name))


def move_domain(running: RunningDomain, target: LibvirtHost, *more: str) -> tuple[DomainMoved, RunningDomain]:
    """Have virsh at the source move a domain; return what became of it, and the domain as it runs afterwards.

    ``more`` are further words for `virsh migrate`.
    """
    domain, session = running.domain, target.session
    session.ask("domain", name=domain.name, console=domain.console)
    words = ("migrate", *_WHOLE, *more, domain.name, f"qemu+tcp://{target.name}/system")
    began = time.monotonic()
    said = running.host.virsh(*words)
    seconds = time.monotonic() - began
    command = ("virsh", *words)
    if said.status:
        failed = _gone_wrong(running, said, seconds)
        return DomainMoved(command=command, said=said, moved=failed, stayed=_stayed(running)), running
    return _arrived(command, running, target, said, seconds)


def save_and_restore(
    running: RunningDomain, target: LibvirtHost, address: str
) -> tuple[DomainMoved, RunningDomain]:
    """Save a domain to a file, carry the file to another host at ``address``, and restore it there.

    It is what `libvirt-guests` does around a reboot, and a new kernel is another host. A file that is not restored
    there is restored where it was saved: ``stayed`` is the truth of that guest.
    """
    domain, source = running.domain, running.host
    saved = source.virsh("save", domain.name, _SAVED)
    if saved.status:
        raise Refused(f"libvirt does not save the guest: {saved.words}")
    target.session.ask("await_file", path=_SAVED)
    source.session.ask("send_file", path=_SAVED, address=address)
    target.session.ask("arrived_file", path=_SAVED)
    target.session.ask("domain", name=domain.name, console=domain.console)
    began = time.monotonic()
    said = target.virsh("restore", _SAVED)
    seconds, command = time.monotonic() - began, ("virsh", "restore", _SAVED)
    if said.status == 0:
        return _arrived(command, running, target, said, seconds)
    back = source.virsh("restore", _SAVED)
    failed = _gone_wrong(running, said, seconds)
    stayed = _stayed(running) if back.status == 0 else Migrated(before=running.before, problem=back.words)
    return DomainMoved(command=command, said=said, moved=failed, stayed=stayed), running


def _gone_wrong(running: RunningDomain, said: Said, seconds: float) -> Migrated:
    return Migrated(
        before=running.before,
        sent=running.registers,
        source_said=said.words,
        problem="libvirt did not move it",
        seconds=seconds,
    )


def _stayed(running: RunningDomain) -> Migrated:
    session, name = running.host.session, running.domain.name
    found = (
        afterwards(session, name) if ticks_again(session, name) else {"found": registers_of(session, name)}
    )
    return Migrated(
        arrived=running.host.virsh("domstate", name).out.strip() == "running",
        before=running.before,
        sent=running.registers,
        **found,
    )


def _arrived(
    command: tuple[str, ...], running: RunningDomain, target: LibvirtHost, said: Said, seconds: float
) -> tuple[DomainMoved, RunningDomain]:
    domain = running.domain
    moved = Migrated(
        arrived=target.virsh("domstate", domain.name).out.strip() == "running",
        before=running.before,
        sent=running.registers,
        source_said=said.words,
        source_status="completed",
        seconds=seconds,
        **afterwards(target.session, domain.name),
    )
    now = RunningDomain(target, domain, moved.after or running.before, moved.found)
    return DomainMoved(command=command, said=said, moved=moved), now
