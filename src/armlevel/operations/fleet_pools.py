"""Pools: made, edited and listed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel.documents.names import frozen_called, named
from armlevel.errors import UsageError
from armlevel.fleet import reading, writing
from armlevel.fleet.events import Entry
from armlevel.fleet.values import Pool, PoolPolicy
from armlevel.operations.fleet_add import labels_of
from armlevel.operations.fleet_store import request_now, store_named

__all__ = [
    "FleetPoolsResult",
    "ListedPool",
    "fleet_pool_create",
    "fleet_pool_edit",
    "fleet_pools",
    "reason_given",
]

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class ListedPool:
    """A pool, the names of its hosts, and the version of the level in force; None if none was accepted."""

    pool: Pool
    hosts: tuple[str, ...]
    version: int | None


@dataclass(frozen=True, slots=True)
class FleetPoolsResult:
    """Pools, by name."""

    kind: ClassVar[str] = "fleet-pools/1"
    status: ClassVar[int] = 0

    pools: tuple[ListedPool, ...]

    def document(self) -> dict[str, Any]:
        """Return the fleet-pools/1 object."""
        return {
            "kind": self.kind,
            "pools": [
                {
                    "name": one.pool.name,
                    "policy": one.pool.policy.document(),
                    "hosts": list(one.hosts),
                    "level": one.version,
                }
                for one in self.pools
            ],
        }


def reason_given(reason: str, *, needed: bool = False) -> str | None:
    """Return a reason as the history has it.

    Raises:
        UsageError: it is needed and not there, or it is no line of text.

    """
    text = named("--reason", reason.strip())
    if len(text) > _LONGEST_REASON:
        raise UsageError(f"--reason: {len(text)} characters, and {_LONGEST_REASON} is the most")
    if needed and not text:
        raise UsageError("--reason is not given", hint="say why: it stands in the history")
    return text or None


def fleet_pools(fleet: str = "", *, name: str = "") -> FleetPoolsResult:
    """List the pools, or one.

    Raises:
        UnknownName: no pool is called so.
        StoreError: there is no store, or it cannot be read.

    """
    with store_named(fleet).reading() as connection:
        hosts = reading.hosts(connection)
        pools = [reading.pool_called(connection, name)] if name else reading.pools(connection)
        versions = {level.pool: level.version for level in reading.levels(connection)}
    return FleetPoolsResult(
        tuple(
            ListedPool(
                pool, tuple(host.name for host in hosts if pool.policy.takes(host)), versions.get(pool.id)
            )
            for pool in pools
        )
    )


def fleet_pool_create(
    name: str, policy: PoolPolicy, fleet: str = "", *, reason: str = "", actor: str = ""
) -> FleetPoolsResult:
    """Make a pool.

    Raises:
        UsageError: the name is none, or there is such a pool, or no host could ever belong to it.
        StoreError: the store cannot be written.

    """
    frozen_called(name, "1")
    _hold(policy)
    request = request_now(actor)
    with store_named(fleet).writing() as connection:
        if any(pool.name == name for pool in reading.pools(connection)):
            raise UsageError(f"pool {name} is there already", hint="armlevel fleet pool edit changes it")
        pool = Pool(writing.new_id(), name, policy, request.at)
        writing.write_pool(connection, pool, new=True)
        entry = Entry(
            action="pool-created",
            subject=f"pool:{pool.id}",
            after=policy.digest,
            reason=reason_given(reason),
            state=writing.state_of_pool(connection, pool),
        )
        writing.append(connection, request, [entry])
    return fleet_pools(fleet, name=name)


def fleet_pool_edit(
    name: str, policy: PoolPolicy, fleet: str = "", *, reason: str, actor: str = ""
) -> FleetPoolsResult:
    """Give a pool another policy; the level in force stays what it is.

    Raises:
        UnknownName: no pool is called so.
        UsageError: no host could ever belong to it, or no reason is given.
        StoreError: the store cannot be written.

    """
    _hold(policy)
    why, request = reason_given(reason, needed=True), request_now(actor)
    with store_named(fleet).writing() as connection:
        pool = reading.pool_called(connection, name)
        if pool.policy.digest != policy.digest:
            edited = replace(pool, policy=policy)
            writing.write_pool(connection, edited, new=False)
            entry = Entry(
                action="pool-edited",
                subject=f"pool:{pool.id}",
                before=pool.policy.digest,
                after=policy.digest,
                reason=why,
                state=writing.state_of_pool(connection, edited),
            )
            writing.append(connection, request, [entry])
    return fleet_pools(fleet, name=name)


def _hold(policy: PoolPolicy) -> None:
    labels_of(policy.labels)
    for pattern in policy.hosts:
        named("--host", pattern)
    if not policy.hosts and not policy.labels:
        raise UsageError(
            "no host would ever belong to this pool", hint="give --host PATTERN or --label KEY=VALUE"
        )
    if policy.silent_after < 1:
        raise UsageError("--silent-after: a day at least")
