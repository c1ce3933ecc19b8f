"""Making the migrations of libvirt: the cases of one pair of hosts and one QEMU share a boot."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from armlevel.errors import LabError
from armlevel.lab import Laboratory, parse_host
from armlevel.lab.libvirt_guard import (
    born_on,
    install_guard,
    mark_domain,
    override_domain,
    unmark_domain,
)
from armlevel.lab.libvirt_host import Domain, LibvirtHost, libvirt_pair, start_all
from armlevel.lab.libvirt_levelled import levelled_domain, unlike
from armlevel.lab.libvirt_move import DomainMoved, RunningDomain, begin_domain, move_domain, save_and_restore
from armlevel.lab.libvirt_run import domain_of
from armlevel.lab.migration import DidNotBoot
from armlevel.lab.session import Refused
from armlevel.profile import Host
from tests.migrations.libvirt_cases import LibvirtCase, LibvirtSeen, guest_of

__all__ = ["libvirt_migrations", "see_domain"]

_REFUSED = "Hook script execution failed"


def libvirt_migrations(
    lab: Laboratory,
    cases: Sequence[LibvirtCase],
    hosts: Mapping[str, Host],
    tell: Callable[[str], None] = lambda _line: None,
) -> Iterator[tuple[LibvirtCase, LibvirtSeen | LabError]]:
    """Make every migration, stand by stand."""
    for (pair, qemu), some in itertools.groupby(cases, key=lambda case: case.stand):
        left = list(some)
        tell(f"booting {pair[0]} and {pair[1]} with libvirt for {len(left)} migrations")
        try:
            with libvirt_pair(lab, parse_host(pair[0]), parse_host(pair[1]), (qemu, qemu)) as booted:
                stand = _Stand(dict(zip(pair, booted, strict=True)), hosts)
                for host in booted:
                    install_guard(host)
                start_all(booted)
                for case in left[:]:
                    seen = stand.make(case)
                    left.remove(case)
                    yield case, seen
        except LabError as exc:
            tell(f"{exc}")
            for case in left:
                yield case, exc


def see_domain(found: DomainMoved) -> LibvirtSeen:
    """Return what happened, as it is kept."""
    moved = found.moved
    words = found.said.words
    problem = found.stayed.problem if found.stayed is not None else ""
    lines = [*words.splitlines(), *(f"at the source: {line}" for line in problem.splitlines())]
    return LibvirtSeen(
        status=found.said.status,
        says=tuple(line.strip() for line in lines if line.strip()),
        guard=_REFUSED in words and "armlevel: " in words,
        healthy=moved.healthy,
        alive=moved.alive,
        rate=moved.rate,
        unharmed=found.unharmed,
        seconds=moved.seconds,
    )


@dataclass(slots=True)
class _Stand:
    """Two booted hosts, and the guest that is left of the last case: the next one that would be started so is that."""

    at: Mapping[str, LibvirtHost]
    profiles: Mapping[str, Host]
    running: RunningDomain | None = None
    key: tuple[object, ...] = ()
    number: int = field(default=0)

    def make(self, case: LibvirtCase) -> LibvirtSeen | LabError:
        """Make one migration."""
        target = self.at[case.target]
        birth = case.target if case.goes_on else case.source
        key = (case.source, birth, case.switches, case.levelled)
        try:
            if self.running is None or key != self.key:
                self._end()
                if case.goes_on:
                    return LabError(f"{case}: the guest of the case before is not there")
                self.running = self._begin(case)
            self._mark(case, self.running, self.profiles[birth])
            if case.rebooted:
                target.boot_anew()
                install_guard(target)
                target.start()
            found, self.running = self._move(case, self.running, target)
        except (Refused, DidNotBoot) as exc:
            self._end()
            return LabError(f"{case}: {exc}")
        where = case.target if self.running.host is target else case.source
        self.key = (where, birth, case.switches, case.levelled)
        seen = see_domain(found)
        if (seen.status == 0 and not seen.healthy) or seen.unharmed is False:
            self._end()
        return seen

    def _begin(self, case: LibvirtCase) -> RunningDomain:
        self.number += 1
        domain = domain_of(tuple(filter(None, case.switches.split(","))))
        domain = Domain(name=f"guest{self.number}", machine="virt", pmu=domain.pmu, cpu=domain.cpu)
        guest = guest_of(case, self.profiles)
        if guest is not None:
            levelled_domain(domain, self.at[case.target], guest, self.profiles[case.target])
            domain = levelled_domain(domain, self.at[case.source], guest, self.profiles[case.source])
        running = begin_domain(self.at[case.source], domain)
        if guest is not None and (other := unlike(running.registers, guest)):
            raise Refused(f"the guest that was to be levelled is not, in {', '.join(other)}")
        return running

    def _mark(self, case: LibvirtCase, running: RunningDomain, profile: Host) -> None:
        host, name = running.host, running.domain.name
        unmark_domain(host, name)
        if case.marked:
            held = guest_of(case, self.profiles) or born_on(profile, case.switches, running.domain)
            mark_domain(host, name, held, "command-line")
        if case.override:
            override_domain(host, name, "the rack is on battery", breaks=case.override == "yes")

    @staticmethod
    def _move(
        case: LibvirtCase, running: RunningDomain, target: LibvirtHost
    ) -> tuple[DomainMoved, RunningDomain]:
        if case.how == "restore":
            return save_and_restore(running, target, target.peers[target.name])
        return move_domain(running, target)

    def _end(self) -> None:
        if self.running is not None:
            self.running.host.session.ask("end", name=self.running.domain.name)
        self.running, self.key = None, ()
