"""Hosts that a guest cannot tell apart, merged: a question about a fleet costs what differs, not how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from armlevel.profile import Host, kind_digest

__all__ = ["Kind", "kinds_among"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Hosts of one kind: ``host`` stands for all, ``names`` has every one, ``digest`` is what they share."""

    host: Host
    names: tuple[str, ...]
    digest: str


def kinds_among(hosts: Sequence[Host]) -> tuple[Kind, ...]:
    """Merge hosts of one kind (:mod:`armlevel.profile.digests`), in order of first appearance.

    >>> [kind.names for kind in kinds_among([Host("a"), Host("b")])]
    [('a', 'b')]
    """
    found: dict[str, tuple[Host, list[str]]] = {}
    for host in hosts:
        found.setdefault(kind_digest(host), (host, []))[1].append(host.name)
    return tuple(Kind(host, tuple(names), digest) for digest, (host, names) in found.items())
