"""Accept a level: the one act that moves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.errors import UsageError
from armlevel.fleet import writing
from armlevel.fleet.database import Connection
from armlevel.fleet.events import Entry
from armlevel.fleet.values import Level
from armlevel.fleet.writing import Request
from armlevel.operations.answers import status_of
from armlevel.operations.fleet_level import candidate_object
from armlevel.operations.fleet_pools import reason_given
from armlevel.operations.fleet_standing import (
    ENGINE,
    Candidate,
    PoolState,
    candidate_of,
    level_guest,
    pool_state,
)
from armlevel.operations.fleet_store import request_now, store_named
from armlevel.operations.freeze import freeze

__all__ = ["FleetAcceptResult", "fleet_accept"]


@dataclass(frozen=True, slots=True)
class FleetAcceptResult:
    """What was accepted: ``level`` is in force now; ``moved`` is whether it was not before.

    Where nothing could be accepted ``level`` is what was in force, ``lacking`` what the candidate does not record.
    ``again`` is the version whose bytes these are, if they were accepted before
    """

    kind: ClassVar[str] = "fleet-accept/1"

    pool: str
    level: Level | None
    moved: bool
    candidate: Candidate | None
    again: int | None = None
    lacking: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 0 if what was wanted is in force, 1 if there is none, 3 if that cannot be said."""
        if self.candidate is None:
            return 0
        return 3 if self.lacking else status_of([self.candidate.answer])

    def document(self) -> dict[str, Any]:
        """Return the fleet-accept/1 object."""
        level = self.level
        return {
            "kind": self.kind,
            "pool": self.pool,
            "moved": self.moved,
            "level": None
            if level is None
            else {"version": level.version, "digest": level.digest, "cpu": level.cpu},
            "again": self.again,
            "candidate": None if self.candidate is None else candidate_object(self.candidate),
            "lacking": list(self.lacking),
            "outside": list(self.outside),
        }


def fleet_accept(  # noqa: PLR0913 (a question with options)
    name: str,
    fleet: str = "",
    *,
    reason: str,
    version: int | None = None,
    lower: bool = False,
    actor: str = "",
) -> FleetAcceptResult:
    """Put the candidate of a pool into force; or an earlier version, byte for byte, if one is named.

    With ``lower`` hosts outside count as what they are, so that they come in.

    Raises:
        UnknownName: no pool is called so.
        UsageError: no reason is given, or there is no such version, or hosts outside are to be counted for it.
        StoreError: the store cannot be written.

    """
    why, request = reason_given(reason, needed=True), request_now(actor)
    if version is not None and lower:
        raise UsageError("an earlier version is what it is", hint="leave --version or --lower away")
    # Nobody writes between what is seen here and what is accepted.
    with store_named(fleet).writing() as connection:
        state = pool_state(connection, name, request.now)
        if version is not None:
            return _earlier(connection, request, state, version, why)
        candidate = candidate_of(state, lower=lower)
        return _candidate(connection, request, state, candidate, why)


def _earlier(
    connection: Connection, request: Request, state: PoolState, version: int, reason: str | None
) -> FleetAcceptResult:
    found = next((one for one in state.levels if one.version == version), None)
    if found is None:
        known = ", ".join(str(one.version) for one in state.levels[-10:]) or "none"
        raise UsageError(f"pool {state.pool.name} has no version {version}", hint=f"there are: {known}")
    assert state.in_force is not None, "there is a version"
    if found.digest == state.in_force.digest:
        return FleetAcceptResult(state.pool.name, state.in_force, moved=False, candidate=None)
    level = replace(found, id=writing.new_id(), version=state.in_force.version + 1)
    return _put(connection, request, state, level, reason, again=version, candidate=None)


def _candidate(
    connection: Connection, request: Request, state: PoolState, candidate: Candidate, reason: str | None
) -> FleetAcceptResult:
    name, in_force = state.pool.name, state.in_force
    if candidate.cpu is None or candidate.guest is None:
        return FleetAcceptResult(name, in_force, moved=False, candidate=candidate)
    if in_force is not None and candidate.cpu == in_force.cpu:
        return FleetAcceptResult(name, in_force, moved=False, candidate=candidate)
    level = Level(
        id=writing.new_id(),
        pool=state.pool.id,
        version=1 if in_force is None else in_force.version + 1,
        digest="",
        cpu=candidate.cpu,
        inputs=candidate.inputs,
        policy=state.pool.policy,
        catalogue=load().version,
        engine=ENGINE,
        event=0,
    )
    # The same CPU is the same bytes: no guest is on another level than before.
    earlier = next((one for one in reversed(state.levels) if one.cpu == candidate.cpu), None)
    if earlier is not None:
        level = replace(level, digest=earlier.digest, data=earlier.data)
        return _put(connection, request, state, level, reason, again=earlier.version, candidate=candidate)
    parent = None if in_force is None else level_guest(in_force, state.values)
    hosts = [state.profiles[kind] for kind in candidate.inputs]
    frozen = freeze(candidate.guest, name, str(level.version), hosts=hosts, parent=parent)
    if frozen.frozen is None:
        lacking = (*frozen.lacking, *(f"{host}: {answer}" for host, answer in frozen.against))
        return FleetAcceptResult(name, in_force, moved=False, candidate=candidate, lacking=lacking)
    level = replace(level, digest=frozen.frozen.digest, data=frozen.data)
    return _put(connection, request, state, level, reason, again=None, candidate=candidate)


def _put(  # noqa: PLR0913 (what an acceptance is of)
    connection: Connection,
    request: Request,
    state: PoolState,
    level: Level,
    reason: str | None,
    *,
    again: int | None,
    candidate: Candidate | None,
) -> FleetAcceptResult:
    entry = Entry(
        action="level-accepted",
        subject=f"pool:{state.pool.id}",
        before=None if state.in_force is None else state.in_force.digest,
        after=level.digest,
        reason=reason,
        state=writing.state_of_pool(connection, state.pool, level),
    )
    (event,) = writing.append(connection, request, [entry])
    level = replace(level, event=event.seq)
    writing.insert_level(connection, level)
    after = pool_state(connection, state.pool.name, state.now)
    outside = tuple(one.host.name for one in after.outside)
    return FleetAcceptResult(
        state.pool.name, level, moved=True, candidate=candidate, again=again, outside=outside
    )
