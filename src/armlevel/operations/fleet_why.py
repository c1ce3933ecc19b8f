"""Why a level is what it is: who accepted it, out of what, computed anew, and which hosts hold it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from armlevel.arch import load
from armlevel.documents import Frozen
from armlevel.engine import Change
from armlevel.errors import UsageError
from armlevel.fleet import reading
from armlevel.operations.baseline import baseline
from armlevel.operations.diff import change_object
from armlevel.operations.fleet_check import Blocker, blockers_of
from armlevel.operations.fleet_level import InForce, in_force_of
from armlevel.operations.fleet_standing import (
    Candidate,
    PoolState,
    gained,
    level_guest,
    pool_state,
)
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetWhyResult", "Recomputed", "fleet_why"]

#: ``same``: levelling the inputs gives it again; ``tables-changed``: it does not, and the facts are of another edition;
#: ``program-changed``: it does not, under the same edition; ``unknown``: it gives no certain answer any more.
Recomputed = Literal["same", "tables-changed", "program-changed", "unknown"]


@dataclass(frozen=True, slots=True)
class Held:
    """A kind that holds the level down, since when its hosts are of it, and what the others would gain without it."""

    blocker: Blocker
    since: str


@dataclass(frozen=True, slots=True)
class FleetWhyResult:
    """The level in force and its reasons.

    ``before``   the level that it replaced, with what changed from that one to this;  ``moved``  hosts that are of
                 another kind now than when they counted (facts changed)
    """

    kind: ClassVar[str] = "fleet-why/1"
    status: ClassVar[int] = 0

    pool: str
    in_force: InForce
    frozen: Frozen
    hosts: int
    recomputed: Recomputed
    before: int | None
    changes: tuple[Change, ...]
    held: tuple[Held, ...]
    moved: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the fleet-why/1 object."""
        return {
            "kind": self.kind,
            "pool": self.pool,
            "in_force": self.in_force.document(),
            "kinds": sorted(self.in_force.level.inputs),
            "hosts": self.hosts,
            "recomputed": self.recomputed,
            "before": self.before,
            "changes": [change_object(one) for one in self.changes],
            "held": [
                {
                    "kind": one.blocker.kind,
                    "hosts": list(one.blocker.hosts),
                    "since": one.since,
                    "changes": [change_object(change) for change in one.blocker.gains],
                }
                for one in self.held
            ],
            "moved": list(self.moved),
        }


def fleet_why(name: str, fleet: str = "") -> FleetWhyResult:
    """Explain the level in force in a pool.

    Raises:
        UnknownName: no pool is called so.
        UsageError: no level was accepted there.
        StoreError: there is no store, or it cannot be read.

    """
    with store_named(fleet).reading() as connection:
        state = pool_state(connection, name, request_now().now)
        in_force = in_force_of(connection, state)
        if in_force is None:
            raise UsageError(f"pool {name} has no level", hint=f"armlevel fleet accept {name} --reason ...")
        every = {host.id: host for host in reading.hosts(connection)}
    level = in_force.level
    frozen = level_guest(level, state.values)
    profiles = [state.profiles[kind] for kind in level.inputs]
    result = baseline(profiles, level.policy.choices, name=name)
    again = Candidate(level.inputs, result, result.guest)
    if again.cpu is None:
        recomputed: Recomputed = "unknown"
    elif again.cpu == level.cpu:
        recomputed = "same"
    else:
        recomputed = "program-changed" if load().version == level.catalogue else "tables-changed"
    earlier = state.levels[-2] if len(state.levels) > 1 else None
    before = None if earlier is None else level_guest(earlier, state.values).guest
    counted = {host for hosts in level.inputs.values() for host in hosts}
    moved = [
        every[h].name for h in counted if h in every and every[h].last.kind not in _kinds_of(level.inputs, h)
    ]
    return FleetWhyResult(
        name,
        in_force,
        frozen,
        len(counted),
        recomputed,
        None if earlier is None else earlier.version,
        gained(before, frozen.guest),
        tuple(Held(one, _since(every, level.inputs, one.kind)) for one in _blockers(state, again, every)),
        tuple(sorted(moved)),
    )


def _kinds_of(inputs: Any, host: str) -> set[str]:
    return {kind for kind, hosts in inputs.items() if host in hosts}


def _since(every: Any, inputs: Any, kind: str) -> str:
    seen = [
        one.first_seen
        for host in inputs[kind]
        if host in every
        for one in every[host].seen
        if one.kind == kind
    ]
    return min(seen, default="")


def _blockers(state: PoolState, again: Candidate, every: Any) -> list[Blocker]:
    names = {key: host.name for key, host in every.items()}
    return [
        Blocker(one.kind, tuple(names.get(host, host) for host in again.inputs[one.kind]), one.gains)
        for one in blockers_of(state, again)
    ]
