"""One `virsh migrate --live` between two fresh hosts, as `armlevel lab migrate --libvirt` asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from armlevel.lab.hosts import EmulatedHost
from armlevel.lab.laboratory import Laboratory
from armlevel.lab.libvirt_guard import install_guard, mark_domain
from armlevel.lab.libvirt_host import Domain, LibvirtHost, Said, libvirt_pair, start_all
from armlevel.lab.libvirt_levelled import levelled_domain, unlike
from armlevel.lab.libvirt_move import DomainMoved, begin_domain, move_domain
from armlevel.lab.migration import DidNotBoot, Migrated
from armlevel.profile import Guest, Host

__all__ = ["AskedMove", "domain_of", "libvirt_migration"]

_PMU = {"pmu=on": True, "pmu=off": False}


def domain_of(switches: tuple[str, ...], machine: str = "virt", vcpus: int = 1) -> Domain:
    """Return the domain of a passthrough guest with options of QEMU's CPU, in libvirt's words where it has them.

    >>> domain_of(("pmu=off", "sve=off")).pmu, domain_of(("pmu=off", "sve=off")).cpu
    (False, ('sve=off',))
    """
    said = [_PMU[word] for word in switches if word in _PMU]
    rest = tuple(word for word in switches if word not in _PMU)
    return Domain(machine=machine, vcpus=vcpus, pmu=said[-1] if said else None, cpu=rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMove:
    """A migration that libvirt is to make: from the first host to the second, with a QEMU on each.

    ``levelled`` is the profile that the guest shows, and those of the hosts. ``mark`` is what its domain's metadata
    say that it holds; with it both hosts have armlevel's guard.
    """

    hosts: tuple[EmulatedHost, EmulatedHost]
    qemus: tuple[str, str]
    domain: Domain
    levelled: tuple[Guest, tuple[Host, Host]] | None = None
    mark: Guest | None = None


def libvirt_migration(
    lab: Laboratory, asked: AskedMove, tell: Callable[[str], None] = lambda _line: None
) -> DomainMoved:
    """Boot two hosts with libvirt, start a domain on the first, and have virsh move it to the second."""
    one, other = asked.hosts
    with libvirt_pair(lab, one, other, asked.qemus) as (here, there):
        tell(f"booting {one} and {other}")
        if asked.mark is not None:
            install_guard(here)
            install_guard(there)
        start_all((here, there))
        tell(f"the guest boots on {one}")
        domain = _levelled(asked, here, there)
        try:
            running = begin_domain(here, domain)
        except DidNotBoot as exc:
            failed = Migrated(problem=f"the guest does not start on {one}", source_said=str(exc))
            return _not_begun(domain, str(exc), failed)
        if asked.levelled is not None and (wrong := unlike(running.registers, asked.levelled[0])):
            problem = f"the guest on {one} is not levelled, in {', '.join(wrong)}"
            return _not_begun(domain, problem, Migrated(problem=problem))
        if asked.mark is not None:
            mark_domain(here, domain.name, asked.mark, "command-line")
        tell(f"the guest ticks on {one}; moving it")
        return move_domain(running, there)[0]


def _not_begun(domain: Domain, words: str, failed: Migrated) -> DomainMoved:
    return DomainMoved(command=("virsh", "start", domain.name), said=Said(1, "", words, 0.0), moved=failed)


def _levelled(asked: AskedMove, here: LibvirtHost, there: LibvirtHost) -> Domain:
    if asked.levelled is None:
        return asked.domain
    guest, profiles = asked.levelled
    levelled_domain(asked.domain, there, guest, profiles[1])
    return levelled_domain(asked.domain, here, guest, profiles[0])
