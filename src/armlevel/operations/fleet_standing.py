"""How the hosts of a pool stand to its level, and what levelling them would give: asked once, for every verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from armlevel import __version__, engine
from armlevel.arch import load
from armlevel.documents import guest_object, new_pool
from armlevel.documents.frozen import Frozen, read_frozen
from armlevel.documents.maps import ValuePool
from armlevel.engine import Answer, Change, Finding
from armlevel.fleet import reading
from armlevel.fleet.contents import content_digest
from armlevel.fleet.database import Connection
from armlevel.fleet.standing import Standing, counting, standings
from armlevel.fleet.values import FleetHost, Level, Pool
from armlevel.operations.baseline import BaselineResult, baseline
from armlevel.operations.diff import changes_between
from armlevel.profile import Guest, Host, Made

__all__ = [
    "ENGINE",
    "Candidate",
    "PoolState",
    "candidate_of",
    "cpu_digest",
    "gained",
    "level_guest",
    "pool_state",
    "refusals",
    "standing_again",
]


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool as it is: its levels (the last one is in force), and how its hosts stand.

    ``profiles``  a profile for each kind that matters, called as one of its hosts is
    """

    pool: Pool
    levels: tuple[Level, ...]
    standings: tuple[Standing, ...]
    profiles: Mapping[str, Host]
    now: datetime
    values: ValuePool = field(default_factory=new_pool, repr=False, compare=False)

    @property
    def in_force(self) -> Level | None:
        """The level in force; None if none was accepted."""
        return self.levels[-1] if self.levels else None

    @property
    def outside(self) -> tuple[Standing, ...]:
        """The hosts that do not certainly run the level."""
        return tuple(one for one in self.standings if one.outside)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What levelling gives: the kinds that counted with their hosts (by id), and the outcome; None of no kind."""

    inputs: Mapping[str, tuple[str, ...]]
    result: BaselineResult | None
    guest: Guest | None

    @property
    def answer(self) -> Answer:
        """Whether it could be accepted; of no host that counts it cannot be said."""
        return "unknown" if self.result is None else self.result.answer

    @property
    def cpu(self) -> str | None:
        """The digest of the guest CPU; None if there is none."""
        return None if self.guest is None or self.answer != "runs" else cpu_digest(self.guest)


def cpu_digest(guest: Guest) -> str:
    """Return the digest of a guest CPU alone: not its name, nor who made it, nor where it may start."""
    facts = replace(guest.facts, sources={})
    said: dict[str, Any] = guest_object(replace(guest, name="", made=Made(), starts_on=(), facts=facts))
    return content_digest(
        "guest-cpu", {key: value for key, value in said.items() if key not in ("digest", "name")}
    )


def level_guest(level: Level, values: ValuePool) -> Frozen:
    """Return the frozen profile of a level."""
    return read_frozen(level.data, f"level {level.version}", values)


def pool_state(connection: Connection, name: str, now: datetime) -> PoolState:
    """Read a pool, and say how its hosts stand.

    Raises:
        UnknownName: no pool is called so.

    """
    pool = reading.pool_called(connection, name)
    levels = tuple(reading.levels(connection, pool.id))
    every = reading.hosts(connection)
    counted = {kind for level in levels[-1:] for kind in level.inputs}
    members = [host for host in every if pool.policy.takes(host)]
    names = _names(members)
    counted |= set(names)
    values = new_pool()
    profiles = {
        kind: reading.profile_of_kind(connection, kind, names.get(kind, f"kind {kind[7:19]}"), values)
        for kind in sorted(counted)
    }
    return _state(pool, levels, members, profiles, now, values)


def _names(members: Sequence[FleetHost]) -> dict[str, str]:
    # A kind is called as a host that is of it, or else as one that was.
    names: dict[str, str] = {}
    for host in members:
        names.setdefault(host.last.kind, host.name)
    for host in members:
        for seen in host.seen:
            names.setdefault(seen.kind, f"{host.name} as of {seen.first_seen[:10]}")
    taken: dict[str, int] = {}
    for kind, name in names.items():
        taken[name] = taken.get(name, 0) + 1
        names[kind] = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return names


def _state(  # noqa: PLR0913, PLR0917 (what a state is of)
    pool: Pool,
    levels: tuple[Level, ...],
    members: Sequence[FleetHost],
    profiles: Mapping[str, Host],
    now: datetime,
    values: ValuePool,
) -> PoolState:
    level = levels[-1] if levels else None
    answers = _answers(level, members, profiles, values)
    found = standings(members, level, answers.__getitem__, now=now, silent_after=pool.policy.silent_after)
    return PoolState(pool, levels, found, profiles, now, values)


def _answers(
    level: Level | None, members: Sequence[FleetHost], profiles: Mapping[str, Host], values: ValuePool
) -> dict[str, Answer]:
    if level is None:
        return {}
    kinds = sorted({seen.kind for host in members for seen in host.seen})
    guest = level_guest(level, values).guest
    verdicts = engine.checks(guest, [profiles[kind] for kind in kinds], load(), level.policy.choices)
    return {kind: one.arrive for kind, one in zip(kinds, verdicts, strict=True)}


def standing_again(state: PoolState, members: Sequence[FleetHost], more: Mapping[str, Host]) -> PoolState:
    """Return the state as it would be with other members; ``more`` are profiles of kinds that are new here."""
    profiles = {**state.profiles, **more}
    return _state(state.pool, state.levels, members, profiles, state.now, state.values)


def refusals(state: PoolState, kinds: Sequence[str]) -> dict[str, tuple[Finding, ...]]:
    """Return why each of some kinds does not certainly run the level in force."""
    if state.in_force is None:
        return {}
    guest = level_guest(state.in_force, state.values).guest
    choices = state.in_force.policy.choices
    return {
        kind: tuple(engine.check(guest, state.profiles[kind], load(), choices).findings)
        for kind in dict.fromkeys(kinds)
    }


def candidate_of(state: PoolState, *, lower: bool = False) -> Candidate:
    """Level the kinds that count; with ``lower`` those of hosts outside too."""
    inputs = counting(state.standings, lower=lower)
    if not inputs:
        return Candidate({}, None, None)
    hosts = [state.profiles[kind] for kind in inputs]
    result = baseline(hosts, state.pool.policy.choices, name=state.pool.name)
    return Candidate(inputs, result, None if result.guest is None else _starting(state, inputs, result.guest))


def _starting(state: PoolState, inputs: Mapping[str, tuple[str, ...]], guest: Guest) -> Guest:
    # One profile stood for all hosts of its kind; a guest may start on each of them.
    ids = {one.host.id: one.host for one in state.standings}
    names = {
        ids[host].name
        for kind, hosts in inputs.items()
        if state.profiles[kind].name in guest.starts_on
        for host in hosts
        if ids[host].last.kind == kind
    }
    return replace(guest, starts_on=tuple(sorted(names)) or guest.starts_on)


def gained(before: Guest | None, after: Guest | None) -> tuple[Change, ...]:
    """Return what differs in the CPU from one guest to another; nothing if one of them is not there."""
    if before is None or after is None:
        return ()
    return tuple(one for one in changes_between(before, after) if one.identity)


ENGINE = f"armlevel {__version__}"
