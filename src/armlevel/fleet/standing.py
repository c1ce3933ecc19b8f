"""Which hosts of a pool run its level, and which kinds count when it is levelled anew. Pure.

Nothing but a person's word moves a level, and nothing but a person's word lets one rise:

- A host that certainly runs the level, and was heard of, counts as what it is.
- A **silent** host, and one that no longer runs the level or of which that cannot be said (**outside**), counts as
  everything it was since the level was accepted, and as what it was then. So that it falls silent, changes, or is no
  longer known well enough, takes no limit away.
- Of those kinds only the ones that run the level count. So no host lowers it by not running it.
- Before there is a level, every kind counts that a silent host ever was.

A host counts no more when a person retires it, or takes it out of the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from armlevel.engine.findings import Answer
from armlevel.fleet.values import FleetHost, Level

__all__ = ["Standing", "counting", "standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a host of a pool stands to the level in force; ``answer`` is None where there is no level.

    ``counts``  the kinds as which it counts for the next level, none if it does not
    """

    host: FleetHost
    answer: Answer | None
    silent: bool
    counts: tuple[str, ...]

    @property
    def outside(self) -> bool:
        """Whether it does not certainly run the level."""
        return self.answer is not None and self.answer != "runs"


def standings(
    members: Iterable[FleetHost],
    level: Level | None,
    answer: Callable[[str], Answer],
    *,
    now: datetime,
    silent_after: int,
) -> tuple[Standing, ...]:
    """Say how each host of a pool stands; ``answer`` says of a kind whether it runs the level in force."""
    found = []
    for host in members:
        silent = host.is_silent(now, silent_after)
        runs = None if level is None else answer(host.last.kind)
        if runs in (None, "runs") and not silent:
            counts: tuple[str, ...] = (host.last.kind,)
        else:
            counts = _since(host, level)
            if level is not None:
                counts = tuple(kind for kind in counts if answer(kind) == "runs")
        found.append(Standing(host, runs, silent, counts))
    return tuple(found)


def _since(host: FleetHost, level: Level | None) -> tuple[str, ...]:
    # What it was when the level was accepted, and everything since.
    if level is None:
        kinds = [one.kind for one in host.seen]
    else:
        before = [one for one in host.seen if one.event <= level.event]
        kinds = [one.kind for one in (*before[-1:], *(one for one in host.seen if one.event > level.event))]
    return tuple(dict.fromkeys(kinds))


def counting(found: Sequence[Standing], *, lower: bool = False) -> dict[str, tuple[str, ...]]:
    """Return the kinds that count, each with the ids of the hosts that count as it.

    With ``lower`` hosts outside count as what they are as well: what the level would have to be to take them in.
    """
    kinds: dict[str, list[str]] = {}
    for one in found:
        counts = dict.fromkeys((*one.counts, one.host.last.kind) if lower else one.counts)
        for kind in counts:
            kinds.setdefault(kind, []).append(one.host.id)
    return {kind: tuple(hosts) for kind, hosts in sorted(kinds.items())}
