"""What only a person says of a host: its name, its labels, and that it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel.documents.names import named
from armlevel.errors import UsageError
from armlevel.fleet import reading, writing
from armlevel.fleet.database import Connection
from armlevel.fleet.events import Entry
from armlevel.fleet.values import FleetHost
from armlevel.fleet.writing import Request
from armlevel.operations.fleet_add import labelled, labels_of
from armlevel.operations.fleet_pools import reason_given
from armlevel.operations.fleet_show import FleetHostResult, fleet_show
from armlevel.operations.fleet_store import request_now, store_named

__all__ = ["FleetRetireResult", "fleet_label", "fleet_rename", "fleet_retire"]


@dataclass(frozen=True, slots=True)
class FleetRetireResult:
    """A host that was retired, when, and the pools that it belonged to."""

    kind: ClassVar[str] = "fleet-retire/1"
    status: ClassVar[int] = 0

    host: str
    at: str
    pools: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the fleet-retire/1 object."""
        return {"kind": self.kind, "host": self.host, "at": self.at, "pools": list(self.pools)}


def fleet_retire(name: str, fleet: str = "", *, reason: str, actor: str = "") -> FleetRetireResult:
    """Take a host out of every question, by a person's word.

    Raises:
        UnknownName: no host is called so.
        UsageError: it was retired before, or no reason is given.
        StoreError: the store cannot be written.

    """
    why, request = reason_given(reason, needed=True), request_now(actor)
    with store_named(fleet).writing() as connection:
        host = reading.host_called(connection, name)
        if host.retired is not None:
            raise UsageError(f"{name} was retired at {host.retired}")
        pools = tuple(pool.name for pool in reading.pools(connection) if pool.policy.takes(host))
        after = replace(host, retired=request.at)
        _change(connection, request, host, after, ("host-retired", None, request.at), why)
    return FleetRetireResult(name, request.at, pools)


def fleet_label(  # noqa: PLR0913 (a question with options)
    name: str,
    labels: Sequence[str],
    fleet: str = "",
    *,
    remove: Sequence[str] = (),
    reason: str = "",
    actor: str = "",
) -> FleetHostResult:
    """Give a host labels (``KEY=VALUE``), and take others away by their keys; all else of it stays.

    Raises:
        UnknownName: no host is called so, or it has no label of that key.
        UsageError: nothing is asked for, or a label is none.
        StoreError: the store cannot be written.

    """
    wanted, why, request = labels_of(labels), reason_given(reason), request_now(actor)
    if not wanted and not remove:
        raise UsageError("no label is given and none taken away", hint="give KEY=VALUE, or --remove KEY")
    if both := sorted(wanted.keys() & set(remove)):
        raise UsageError(f"--remove {both[0]}: it is given at the same time")
    with store_named(fleet).writing() as connection:
        host = reading.host_called(connection, name)
        if missing := [key for key in remove if key not in host.labels]:
            there = ", ".join(sorted(host.labels)) or "none"
            raise UsageError(f"{name} has no label {ascii(missing[0])[1:-1][:80]}", hint=f"it has: {there}")
        kept = {key: value for key, value in host.labels.items() if key not in remove}
        after = replace(host, labels=kept | wanted)
        if after.labels != host.labels:
            _change(connection, request, host, after, labelled(host, after), why)
    return fleet_show(name, fleet)


def fleet_rename(
    name: str, new: str, fleet: str = "", *, reason: str = "", actor: str = ""
) -> FleetHostResult:
    """Call a host by another name; it stays the same host, with all it was.

    Raises:
        UnknownName: no host is called so.
        UsageError: the new name is none, or another host has it.
        StoreError: the store cannot be written.

    """
    called, why, request = named("NEW", new), reason_given(reason), request_now(actor)
    if not called.strip():
        raise UsageError("the new name is empty")
    with store_named(fleet).writing() as connection:
        host = reading.host_called(connection, name)
        if called != name:
            if reading.hosts(connection, [called]):
                raise UsageError(f"{called} is the name of another host", hint="give one that is free")
            # No name stands in an event, so that it can be forgotten.
            _change(connection, request, host, replace(host, name=called), ("host-renamed", None, None), why)
    return fleet_show(called, fleet)


def _change(  # noqa: PLR0913, PLR0917 (what a change is of)
    connection: Connection,
    request: Request,
    before: FleetHost,
    after: FleetHost,
    event: tuple[str, str | None, str | None],
    reason: str | None,
) -> None:
    action, was, now = event
    entry = Entry(
        action=action,
        subject=f"host:{after.id}",
        before=was,
        after=now,
        reason=reason,
        state=writing.state_of_host(after),
    )
    writing.append(connection, request, [entry])
    writing.write_host(connection, before, after)
