"""Which means a person asks for, and whether a VMM has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from armlevel import engine
from armlevel.arch import load
from armlevel.engine import MEANS, MeansName, Policy, Remedy, Verdict, means_of, switches_named
from armlevel.engine.moves.means import only_means
from armlevel.engine.moves.means_of_hosts import StockMeans, levelled_means, stock_means
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.names import hosts_of
from armlevel.errors import UnknownName, UsageError
from armlevel.operations.ways_out import WaysOut
from armlevel.profile import Guest, Host, kind_digest

__all__ = [
    "MEANS",
    "AskedMeans",
    "StockMeans",
    "WaysOut",
    "means_for_passthrough",
    "means_named",
    "means_object",
    "nearest_first",
    "once_per_kind",
    "stock_means_of",
    "switches_named",
    "ways_out_of",
]


def means_named(text: str, vmm: str) -> MeansName | None:
    """Return a means by its name; None for an empty text.

    Raises:
        UnknownName: no means or no VMM is called so.
        UsageError: the VMM does not have it.

    >>> means_named("Switches", "qemu-11.1"), means_named("", "kvm")
    ('switches', None)
    """
    family = restorer_named(vmm, load()).family
    word = text.strip().lower()
    if not word:
        return None
    named = next((name for name in MEANS if name == word), None)
    if named is None:
        raise UnknownName("means", text, MEANS)
    row = load().means[named]
    if family not in row.families:
        others = [one.name for one in load().means.values() if family in one.families]
        raise UsageError(f"--means {named}: {vmm} has no such means", hint=f"it has {', '.join(others)}")
    return named


def means_for_passthrough(text: str, vmm: str, source: Host | None) -> MeansName | None:
    """Return a means by its name, for the passthrough guest of ``source``; None for an empty text.

    Raises:
        UnknownName: no means is called so.
        UsageError: the VMM does not have it, or the guest is a profile: its CPU is there already.

    """
    named = means_named(text, vmm)
    if named is not None and source is None:
        raise UsageError(
            "a guest that is given has its CPU: --means chooses how it comes by one",
            hint="leave out --means, or name a host in the place of the guest",
        )
    return named


def ways_out_of(
    source: Host, host: Host, policy: Policy, asked: MeansName | None = None, vmm: str = "kvm"
) -> WaysOut:
    """Try what would let the passthrough guest of ``source`` go to a host that refuses it."""
    move = engine.migrate(source, host, load(), policy, vmm=vmm)[0]
    ways = only_means(move.ways, asked)
    remains = move.remains if asked in (None, "switches") else ()
    return WaysOut(ways, means_of(ways), remains, asked)


def nearest_first(refused: Iterable[tuple[Host, Verdict]], most: int) -> tuple[list[int], int]:
    """Return the places of the hosts of at most ``most`` kinds, and how many hosts are of other ones.

    Kinds of most hosts come first, then those with the least against them.
    """
    kinds: dict[str, list[int]] = {}
    against: dict[str, int] = {}
    for place, (host, verdict) in enumerate(refused):
        digest = kind_digest(host)
        kinds.setdefault(digest, []).append(place)
        against[digest] = sum(one.severity in ("stops", "breaks") for one in verdict.findings)
    ranked = sorted(kinds, key=lambda digest: (-len(kinds[digest]), against[digest]))
    left = sum(len(kinds[digest]) for digest in ranked[most:])
    return [place for digest in ranked[:most] for place in kinds[digest]], left


def once_per_kind(tried: Callable[[Host], WaysOut]) -> Callable[[Host], WaysOut]:
    """Return what tries hosts that are alike in all that is judged only once."""
    found: dict[str, tuple[str, WaysOut]] = {}

    def ways(host: Host) -> WaysOut:
        digest = kind_digest(host)
        if digest not in found:
            found[digest] = (host.name, tried(host))
        first, those = found[digest]
        return replace(those, remedies=tuple(_renamed(one, first, host.name) for one in those.remedies))

    return ways


def _renamed(remedy: Remedy, first: str, name: str) -> Remedy:
    return replace(remedy, hosts=hosts_of(name if one == first else one for one in remedy.hosts))


@dataclass(frozen=True, slots=True)
class AskedMeans:
    """Under which VMM means are looked for, and the only one that is, if a person asked for one."""

    vmm: str = "kvm"
    means: MeansName | None = None


def stock_means_of(
    hosts: Sequence[Host], guest: Guest | None, policy: Policy, asked: AskedMeans
) -> StockMeans | None:
    """Return the cheapest means by which a guest may go anywhere among hosts; None if it is not known that one does it.

    ``guest`` is one that every host runs; None if none is known.
    """
    found = stock_means(hosts, load(), asked.vmm, policy, asked=asked.means)
    if found is not None or guest is None:
        return found
    return levelled_means(hosts, guest, load(), asked.vmm, policy, asked=asked.means)


def means_object(means: StockMeans | None) -> dict[str, Any] | None:
    """Return a means as an answer records it."""
    if means is None:
        return None
    return {"name": means.name, "switches": means.switches or None, "vmm": means.vmm or None}
