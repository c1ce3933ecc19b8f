"""Hosts that a guest cannot tell apart, merged: a question about a fleet costs what differs, not how many there are."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from armlevel.profile import Host

__all__ = ["Kind", "kind_key", "kinds_among"]


def kind_key(host: Host) -> Hashable:
    """Return what hosts of one kind have in common, as long as they live."""
    # Hosts read from equal documents share their offers.
    facts = (host.facts.cntfrq_hz, host.facts.dczid, host.facts.gmid)
    capabilities = frozenset(host.software.kvm_capabilities.items())
    return id(host.offers), facts, host.implementations, host.software.kernel, capabilities


@dataclass(frozen=True, slots=True)
class Kind:
    """Hosts of equal content: ``host`` stands for all, ``names`` has every one."""

    host: Host
    names: tuple[str, ...]


def kinds_among(hosts: Sequence[Host]) -> tuple[Kind, ...]:
    """Merge hosts that offer the same, have the same CPUs and the same facts, in order of first appearance.

    >>> one = Host("a")
    >>> [kind.names for kind in kinds_among([one, Host("b", one.offers)])]
    [('a', 'b')]
    """
    found: dict[Hashable, tuple[Host, list[str]]] = {}
    for host in hosts:
        found.setdefault(kind_key(host), (host, []))[1].append(host.name)
    return tuple(Kind(host, tuple(names)) for host, names in found.values())
