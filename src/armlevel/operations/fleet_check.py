"""What would change in a pool if hosts joined, went or were as a canary is; who blocks a raise; what a lower costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from armlevel.engine import Answer, Change, Finding
from armlevel.errors import UnknownName, UsageError
from armlevel.fleet import reading
from armlevel.fleet.contents import parts_of
from armlevel.fleet.database import Connection
from armlevel.fleet.standing import Standing
from armlevel.fleet.values import FleetHost, Seen, time_text
from armlevel.fleet.writing import new_id
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.baseline import baseline
from armlevel.operations.diff import change_object
from armlevel.operations.fleet_level import candidate_object
from armlevel.operations.fleet_standing import (
    Candidate,
    PoolState,
    candidate_of,
    gained,
    level_guest,
    pool_state,
    refusals,
    standing_again,
)
from armlevel.operations.fleet_store import request_now, store_named
from armlevel.operations.given import names_meant
from armlevel.operations.named import hosts_named
from armlevel.profile import Host

__all__ = ["Blocker", "FleetCheckResult", "Question", "fleet_check", "host_or_profile"]

Question = Literal["add", "remove", "as", "raise", "lower"]

#: An event that is still to come.
_LATER = 1 << 53
#: Of more kinds it is not asked what each by itself holds back.
_MOST_KINDS = 60


@dataclass(frozen=True, slots=True)
class Blocker:
    """A kind without which the candidate would have more: its hosts, and what the others would gain."""

    kind: str
    hosts: tuple[str, ...]
    gains: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class FleetCheckResult:
    """What a change would come to; nothing was changed.

    ``hosts``     hosts that joined, or whose standing to the level in force would change, as they would stand then
    ``changes``   what would change in the candidate; for raise and lower, from the level in force to what it would be
    ``blockers``  for raise: the kinds that hold the candidate back;  ``reasons``  why hosts would be outside, by kind
    """

    kind: ClassVar[str] = "fleet-check/1"

    pool: str
    question: Question
    about: tuple[str, ...]
    has_level: bool
    hosts: tuple[Standing, ...]
    before: Candidate
    after: Candidate
    changes: tuple[Change, ...]
    reasons: Mapping[str, tuple[Finding, ...]]
    blockers: tuple[Blocker, ...] = ()

    @property
    def answer(self) -> Answer:
        """The worst answer: of a host that would be concerned, else whether there would still be a candidate."""
        return status_answer([*(o.answer for o in self.hosts if o.answer is not None), self.after.answer])

    @property
    def status(self) -> int:
        """The exit status: that of the answer."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the fleet-check/1 object."""
        return {
            "kind": self.kind,
            "pool": self.pool,
            "question": self.question,
            "about": list(self.about),
            "answer": self.answer,
            "hosts": [
                {
                    "host": one.host.name,
                    "answer": one.answer,
                    "kind": one.host.last.kind,
                    "findings": findings_told(self.reasons.get(one.host.last.kind, ())),
                }
                for one in self.hosts
            ],
            "before": candidate_object(self.before),
            "after": candidate_object(self.after),
            "changes": [change_object(one) for one in self.changes],
            "blockers": [
                {"kind": o.kind, "hosts": list(o.hosts), "changes": [change_object(c) for c in o.gains]}
                for o in self.blockers
            ],
        }


def status_answer(answers: Sequence[Answer]) -> Answer:
    """Return the worst of some answers."""
    from armlevel.engine import worst

    return worst(answers)


def fleet_check(  # noqa: PLR0913 (a question with options)
    name: str,
    fleet: str = "",
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    like: str = "",
    raised: bool = False,
    lower: bool = False,
) -> FleetCheckResult:
    """Say what would change; exactly one of the questions is asked.

    ``add`` are profiles, or hosts of the fleet; ``remove`` names or patterns of hosts; ``like`` the profile of a
    canary, or a host of the fleet: all hosts of the pool with its cores are taken to be as it is.

    Raises:
        UsageError: none of the questions is asked, or several.
        UnknownName: no pool or host is called so.
        StoreError: there is no store, or it cannot be read.

    """
    if sum(map(bool, (add, remove, like, raised, lower))) != 1:
        raise UsageError(
            "one question at a time", hint="give one of --add, --remove, --as, --raise and --lower"
        )
    with store_named(fleet).reading() as connection:
        state = pool_state(connection, name, request_now().now)
        named = [host_or_profile(connection, state, text) for text in add] if add else []
        canary = host_or_profile(connection, state, like) if like else None
    before = candidate_of(state)
    if raised:
        return _raise(state, before)
    if lower:
        return _lower(state, before)
    members = [one.host for one in state.standings]
    if named:
        about = tuple(host.name for host, _ in named)
        more = {host.last.kind: profile for host, profile in named}
        others = [host for host in members if host.name not in about]
        after = standing_again(state, [*others, *(host for host, _ in named)], more)
        return _compared("add", about, state, before, after)
    if canary is not None:
        return _as(state, before, *canary)
    names = [host.name for host in members]
    gone = tuple(dict.fromkeys(one for text in remove for one in names_meant(text, names)))
    after = standing_again(state, [host for host in members if host.name not in gone], {})
    return _compared("remove", gone, state, before, after)


def host_or_profile(connection: Connection, state: PoolState, text: str) -> tuple[FleetHost, Host]:
    """Return a host of the fleet, or of a profile that is in no fleet yet, and its profile."""
    try:
        host = reading.host_called(connection, text)
    except UnknownName:
        (profile,) = _one_profile(text)
        kind = parts_of(profile).kind.digest
        at = time_text(state.now)
        return FleetHost(new_id(), profile.name, seen=(Seen(new_id(), kind, at, at, _LATER),)), profile
    profile = reading.profile_of_kind(connection, host.last.kind, host.name, state.values)
    # It would be heard of: what is asked is what it is.
    now = replace(host.last, last_seen=time_text(state.now), event=_LATER)
    return replace(host, retired=None, seen=(now,)), profile


def _one_profile(text: str) -> list[Host]:
    hosts, _ = hosts_named([text])
    if len(hosts) != 1:
        raise UsageError(f"{text}: {len(hosts)} hosts", hint="name each with an option of its own")
    return hosts


def _as(state: PoolState, before: Candidate, canary: FleetHost, profile: Host) -> FleetCheckResult:
    cores = {cpu.implementation for cpu in profile.every_cpu}
    at, kind = time_text(state.now), canary.last.kind
    members, about = [], []
    for one in state.standings:
        host = one.host
        if {cpu.implementation for cpu in state.profiles[host.last.kind].every_cpu} == cores:
            about.append(host.name)
            host = replace(host, seen=(*host.seen, Seen("", kind, at, at, _LATER)))
        members.append(host)
    if not about:
        raise UsageError(f"no host of pool {state.pool.name} has the cores of {canary.name}")
    return _compared("as", tuple(about), state, before, standing_again(state, members, {kind: profile}))


def _compared(
    question: Question, about: tuple[str, ...], state: PoolState, before: Candidate, after: PoolState
) -> FleetCheckResult:
    then = candidate_of(after)
    stood = {one.host.name: one.answer for one in state.standings}
    hosts = tuple(
        one
        for one in after.standings
        if (question != "remove" and one.host.name in about) or stood.get(one.host.name) != one.answer
    )
    return FleetCheckResult(
        state.pool.name,
        question,
        about,
        state.in_force is not None,
        hosts,
        before,
        then,
        gained(_sure(before), _sure(then)),
        refusals(after, [one.host.last.kind for one in hosts if one.outside]),
    )


def _sure(candidate: Candidate) -> Any:
    return candidate.guest if candidate.cpu is not None else None


def _in_force(state: PoolState) -> Any:
    return None if state.in_force is None else level_guest(state.in_force, state.values).guest


def _raise(state: PoolState, before: Candidate) -> FleetCheckResult:
    changes = gained(_in_force(state), _sure(before))
    blockers = blockers_of(state, before)
    silent = tuple(one for one in state.standings if one.silent)
    about = tuple(one.host.name for one in silent)
    return FleetCheckResult(
        state.pool.name, "raise", about, state.in_force is not None, (), before, before, changes, {}, blockers
    )


def blockers_of(state: PoolState, candidate: Candidate) -> tuple[Blocker, ...]:
    """Return each kind without which the others would have more; nothing where there are too many kinds to ask."""
    kinds, guest = list(candidate.inputs), _sure(candidate)
    if guest is None or not 1 < len(kinds) <= _MOST_KINDS:
        return ()
    names = {one.host.id: one.host.name for one in state.standings}
    found = []
    for kind in kinds:
        others = [state.profiles[other] for other in kinds if other != kind]
        without = baseline(others, state.pool.policy.choices, name=state.pool.name)
        if without.answer != "runs":
            continue
        gains = gained(guest, without.guest)
        if any(one.direction == "more" for one in gains):
            hosts = tuple(names.get(one, one) for one in candidate.inputs[kind])
            found.append(Blocker(kind, hosts, gains))
    return tuple(found)


def _lower(state: PoolState, before: Candidate) -> FleetCheckResult:
    then = candidate_of(state, lower=True)
    about = tuple(one.host.name for one in state.outside)
    return FleetCheckResult(
        state.pool.name,
        "lower",
        about,
        state.in_force is not None,
        (),
        before,
        then,
        gained(_in_force(state), _sure(then)),
        {},
    )
