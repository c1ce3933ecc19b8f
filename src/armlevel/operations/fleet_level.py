"""The level of a pool: what is in force, who is outside, and what levelling would give today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.engine import Change, Finding
from armlevel.fleet import reading
from armlevel.fleet.events import Event
from armlevel.fleet.standing import Standing
from armlevel.fleet.values import Level
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.diff import change_object
from armlevel.operations.fleet_standing import (
    Candidate,
    PoolState,
    candidate_of,
    gained,
    level_guest,
    pool_state,
    refusals,
)
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetLevelResult", "InForce", "candidate_object", "fleet_level", "in_force_of", "outside_object"]


@dataclass(frozen=True, slots=True)
class InForce:
    """The level in force, with the event that accepted it and the name of who did."""

    level: Level
    event: Event
    by: str | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "version": self.level.version,
            "digest": self.level.digest,
            "cpu": self.level.cpu,
            "at": self.event.at,
            "by": self.by,
            "reason": self.event.entry.reason,
            "catalogue": self.level.catalogue,
        }


@dataclass(frozen=True, slots=True)
class FleetLevelResult:
    """A pool's level; ``changes`` are what the candidate would change, ``reasons`` why hosts are outside, by kind."""

    kind: ClassVar[str] = "fleet-level/1"

    state: PoolState
    in_force: InForce | None
    candidate: Candidate
    changes: tuple[Change, ...]
    reasons: Mapping[str, tuple[Finding, ...]]

    @property
    def same(self) -> bool:
        """Whether the candidate is the level in force."""
        return self.in_force is not None and self.candidate.cpu == self.in_force.level.cpu

    @property
    def status(self) -> int:
        """The exit status: 0 if there is a candidate, 1 if there is none, 3 if that cannot be said."""
        return status_of([self.candidate.answer])

    def document(self) -> dict[str, Any]:
        """Return the fleet-level/1 object."""
        return {
            "kind": self.kind,
            "pool": self.state.pool.name,
            "hosts": len(self.state.standings),
            "silent": [one.host.name for one in self.state.standings if one.silent],
            "outside": outside_object(self.state.outside, self.reasons),
            "in_force": None if self.in_force is None else self.in_force.document(),
            "candidate": candidate_object(self.candidate),
            "same": self.same,
            "changes": [change_object(one) for one in self.changes],
        }


def candidate_object(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as JSON."""
    found = candidate.result
    return {
        "answer": candidate.answer,
        "cpu": candidate.cpu,
        "kinds": sorted(candidate.inputs),
        "conflicts": [] if found is None else findings_told(found.found.conflicts),
    }


def outside_object(
    outside: Sequence[Standing], reasons: Mapping[str, tuple[Finding, ...]]
) -> list[dict[str, Any]]:
    """Return hosts outside as JSON."""
    return [
        {
            "host": one.host.name,
            "answer": one.answer,
            "kind": one.host.last.kind,
            "findings": findings_told(reasons.get(one.host.last.kind, ())),
        }
        for one in outside
    ]


def in_force_of(connection: Any, state: PoolState) -> InForce | None:
    """Return the level in force with who accepted it; None if none was accepted."""
    if state.in_force is None:
        return None
    event = reading.event_of(connection, state.in_force.event)
    return InForce(state.in_force, event, reading.actors(connection).get(event.actor))


def fleet_level(name: str, fleet: str = "") -> FleetLevelResult:
    """Say what is in force in a pool, and what levelling its hosts would give today.

    Raises:
        UnknownName: no pool is called so.
        StoreError: there is no store, or it cannot be read.

    """
    with store_named(fleet).reading() as connection:
        state = pool_state(connection, name, request_now().now)
        in_force = in_force_of(connection, state)
    candidate = candidate_of(state)
    before = None if in_force is None else level_guest(in_force.level, state.values).guest
    changes = gained(before, candidate.guest if candidate.cpu is not None else None)
    reasons = refusals(state, [one.host.last.kind for one in state.outside])
    return FleetLevelResult(state, in_force, candidate, changes, reasons)
