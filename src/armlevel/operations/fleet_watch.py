"""What changed in a fleet since somebody last looked, each with its cause; and the figures that a monitor keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from armlevel.documents import new_pool
from armlevel.documents.outputs import may_replace
from armlevel.documents.replace import replace_file
from armlevel.documents.write import pretty
from armlevel.engine import Answer, Change
from armlevel.engine.causes import cause_between
from armlevel.engine.findings import Cause
from armlevel.errors import BadDocument
from armlevel.fleet import reading, writing
from armlevel.fleet.database import Connection, state_folder
from armlevel.fleet.events import Event, Head
from armlevel.fleet.values import SILENT_AFTER, FleetHost
from armlevel.operations.diff import change_object, changes_between
from armlevel.operations.fleet_standing import candidate_of, pool_state
from armlevel.operations.fleet_store import place_named, request_now, store_named
from armlevel.profile import Host

__all__ = [
    "ChangedKind",
    "FleetWatchResult",
    "PoolFigures",
    "fleet_watch",
    "keep_mark",
    "mark_place",
    "write_metrics",
]

_MARK = "fleet-mark/1"
_LARGEST = 64 << 20  # bytes; it has a name for each host that is silent or outside
_HINT = "remove it, and the next look begins anew"


@dataclass(frozen=True, slots=True)
class ChangedKind:
    """Hosts that became of another kind, from when on, and what differs; ``software`` are words of the evidence."""

    before: str
    after: str
    hosts: Mapping[str, str]
    cause: Cause
    changes: tuple[Change, ...]
    software: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """A pool as it is: ``candidate`` is what levelling gives beside the level in force, None where there is none."""

    name: str
    hosts: int
    version: int | None
    silent: int
    outside: Mapping[str, Answer]
    candidate: Literal["same", "another", "none", "unknown"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWatchResult:
    """What changed since a mark; ``since`` is None where nobody looked before, and then nothing is told as changed.

    ``rewritten``  the history is not the one that the mark is of
    ``outside``    hosts that left the level of a pool, ``inside`` those that came back: ``pool -> names``
    """

    kind: ClassVar[str] = "fleet-watch/1"

    since: Head | None
    head: Head
    at: str
    rewritten: bool
    joined: tuple[str, ...]
    retired: tuple[str, ...]
    changed: tuple[ChangedKind, ...]
    silent: tuple[str, ...]
    heard: tuple[str, ...]
    outside: Mapping[str, Mapping[str, Answer]]
    inside: Mapping[str, tuple[str, ...]]
    levels: tuple[Event, ...]
    pools: tuple[PoolFigures, ...]
    hosts: int
    kinds: int
    every_silent: tuple[str, ...]
    names: Mapping[str, str]

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to tell."""
        told = (self.joined, self.retired, self.changed, self.silent, self.heard, self.outside, self.inside)
        return self.rewritten or any(told) or bool(self.levels)

    @property
    def status(self) -> int:
        """The exit status: 0 if nothing changed, 1 if something did."""
        return int(self.has_changed)

    def document(self) -> dict[str, Any]:
        """Return the fleet-watch/1 object."""
        return {
            "kind": self.kind,
            "since": None if self.since is None else self.since.document(),
            "head": self.head.document(),
            "at": self.at,
            "rewritten": self.rewritten,
            "joined": list(self.joined),
            "retired": list(self.retired),
            "changed": [
                {
                    "before": one.before,
                    "after": one.after,
                    "hosts": [{"host": name, "since": since} for name, since in one.hosts.items()],
                    "cause": one.cause,
                    "changes": [change_object(change) for change in one.changes],
                    "software": {key: list(sides) for key, sides in one.software.items()},
                }
                for one in self.changed
            ],
            "silent": list(self.silent),
            "heard": list(self.heard),
            "outside": {pool: dict(some) for pool, some in self.outside.items()},
            "inside": {pool: list(some) for pool, some in self.inside.items()},
            "levels": [
                {
                    "pool": self.names.get(one.entry.subject, one.entry.subject),
                    "at": one.at,
                    "digest": one.entry.after,
                    "reason": one.entry.reason,
                }
                for one in self.levels
            ],
            "pools": [
                {
                    "pool": one.name,
                    "hosts": one.hosts,
                    "version": one.version,
                    "silent": one.silent,
                    "outside": dict(one.outside),
                    "candidate": one.candidate,
                }
                for one in self.pools
            ],
            "hosts": self.hosts,
            "kinds": self.kinds,
        }

    def mark(self) -> str:
        """Return what is kept for the next look, as text."""
        outside = {one.name: dict(one.outside) for one in self.pools}
        said = {
            "kind": _MARK,
            "head": self.head.document(),
            "silent": list(self.every_silent),
            "outside": outside,
        }
        return pretty(said)

    def metrics(self) -> str:
        """Return the figures as a text file for Prometheus' node exporter."""
        return "".join(f"{line}\n" for line in _metrics(self))


def mark_place(fleet: str = "") -> str:
    """Return where the mark of a store is kept, if nobody says so: beside the store, or in the state directory."""
    place = Path(place_named(fleet))
    if os.access(place.parent, os.W_OK):
        return f"{place}.watch"
    return str(state_folder(os.environ) / f"{place.name}.watch")


def keep_mark(path: str, found: FleetWatchResult) -> None:
    """Write the mark: the next look tells what comes after this one."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    may_replace(path, found.mark().encode(), force=None)
    replace_file(path, found.mark())


def write_metrics(path: str, found: FleetWatchResult) -> None:
    """Write the figures over earlier ones."""
    may_replace(path, found.metrics().encode(), force=None)
    replace_file(path, found.metrics())


@dataclass(frozen=True, slots=True)
class _Mark:
    head: Head
    silent: frozenset[str]
    outside: Mapping[str, Mapping[str, str]]


def _mark(path: str) -> _Mark | None:
    # It is no input of this question: what is read is what is written over.
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(_LARGEST)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise BadDocument(path, ("the mark cannot be read",), hint=_HINT) from exc
    try:
        said = json.loads(data)
        head = Head(said["head"]["length"], said["head"]["digest"])
        if said["kind"] != _MARK or type(head.length) is not int or head.length < 0:
            raise BadDocument(path, ("no mark of armlevel fleet watch",), hint=_HINT)
        outside = {str(pool): dict(some) for pool, some in said["outside"].items()}
        return _Mark(head, frozenset(map(str, said["silent"])), outside)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise BadDocument(path, ("no mark of armlevel fleet watch",), hint=_HINT) from exc


def fleet_watch(mark: str, fleet: str = "") -> FleetWatchResult:
    """Say what changed since the mark was kept; the mark stays as it is.

    Raises:
        StoreError: there is no store, or it cannot be read.
        BadDocument: what is at ``mark`` is none.

    """
    before = _mark(mark)
    request = request_now()
    with store_named(fleet).reading() as connection:
        return _watched(connection, before, request)


def _watched(connection: Connection, before: _Mark | None, request: writing.Request) -> FleetWatchResult:
    head = writing.head(connection)
    rewritten = before is not None and not _holds(connection, before.head, head)
    since = 0 if before is None or rewritten else before.head.length
    events = [] if before is None or rewritten else list(reading.events(connection, after=since))
    every = reading.hosts(connection)
    there = [host for host in every if host.retired is None]
    silent = tuple(host.name for host in there if host.is_silent(request.now, SILENT_AFTER))
    known = reading.pools(connection)
    pools = tuple(_figures(connection, pool.name, request) for pool in known)
    first = before is None or rewritten
    earlier = _Mark(head, frozenset(silent), {one.name: one.outside for one in pools}) if first else before
    assert earlier is not None, "what there was, or what there is"
    by_id = {f"host:{host.id}": host for host in every}
    actions: dict[str, list[str]] = {"host-seen": [], "host-retired": []}
    for event in events:
        if event.entry.action in actions and event.entry.subject in by_id and event.entry.before is None:
            actions[event.entry.action].append(by_id[event.entry.subject].name)
    return FleetWatchResult(
        since=None if before is None else before.head,
        head=head,
        at=request.at,
        rewritten=rewritten,
        joined=tuple(dict.fromkeys(actions["host-seen"])),
        retired=tuple(dict.fromkeys(actions["host-retired"])),
        changed=tuple(_changed(connection, every, since)) if events else (),
        silent=tuple(one for one in silent if one not in earlier.silent),
        heard=tuple(host.name for host in there if host.name in earlier.silent - set(silent)),
        outside=dict(_left(pools, earlier.outside)),
        inside=dict(_back(pools, earlier.outside)),
        levels=tuple(one for one in events if one.entry.action == "level-accepted"),
        pools=pools,
        hosts=len(there),
        kinds=len({host.last.kind for host in there}),
        every_silent=silent,
        names={f"pool:{one.id}": one.name for one in known},
    )


def _holds(connection: Connection, kept: Head, head: Head) -> bool:
    if kept.length == 0:
        return True
    return kept.length <= head.length and reading.event_of(connection, kept.length).digest == kept.digest


def _figures(connection: Connection, name: str, request: writing.Request) -> PoolFigures:
    state = pool_state(connection, name, request.now)
    candidate: Literal["same", "another", "none", "unknown"] | None = None
    if state.in_force is not None:
        found = candidate_of(state)
        if found.cpu == state.in_force.cpu:
            candidate = "same"
        else:
            candidate = {"runs": "another", "refused": "none", "unknown": "unknown"}[found.answer]  # type: ignore[assignment]
    return PoolFigures(
        name,
        len(state.standings),
        None if state.in_force is None else state.in_force.version,
        sum(one.silent for one in state.standings),
        {one.host.name: one.answer for one in state.outside if one.answer is not None},
        candidate,
    )


def _changed(connection: Connection, hosts: Sequence[FleetHost], since: int) -> Iterator[ChangedKind]:
    # One line for each pair of kinds: a kernel that came to a thousand hosts is one change.
    moved: dict[tuple[str, str], dict[str, str]] = {}
    for host in hosts:
        for one, two in zip(host.seen, host.seen[1:], strict=False):
            if two.event > since:
                moved.setdefault((one.kind, two.kind), {})[host.name] = two.first_seen
    values = new_pool()
    profiles: dict[str, Host] = {}
    for pair, names in sorted(moved.items(), key=lambda one: (min(one[1].values()), one[0])):
        for kind in pair:
            if kind not in profiles:
                profiles[kind] = reading.profile_of_kind(connection, kind, next(iter(names)), values)
        old, new = profiles[pair[0]], profiles[pair[1]]
        changes = tuple(one for one in changes_between(old, new) if one.identity)
        yield ChangedKind(*pair, names, cause_between([old, new]), changes, _software(old, new))


def _software(old: Host, new: Host) -> dict[str, tuple[str, str]]:
    sides = {"kernel": (old.software.kernel or "-", new.software.kernel or "-")}
    for name in sorted({*old.software.vmms, *new.software.vmms}):
        sides[name] = (old.software.vmms.get(name, "-"), new.software.vmms.get(name, "-"))
    return {key: both for key, both in sides.items() if both[0] != both[1]}


def _left(
    pools: Sequence[PoolFigures], earlier: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, Mapping[str, Answer]]]:
    for pool in pools:
        known = earlier.get(pool.name, {})
        new = {name: answer for name, answer in pool.outside.items() if known.get(name) != answer}
        if new:
            yield pool.name, new


def _back(
    pools: Sequence[PoolFigures], earlier: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pool in pools:
        back = tuple(name for name in earlier.get(pool.name, {}) if name not in pool.outside)
        if back:
            yield pool.name, back


def _metrics(found: FleetWatchResult) -> Iterator[str]:
    def gauge(name: str, text: str, values: Mapping[str, int]) -> Iterator[str]:
        yield f"# HELP armlevel_{name} {text}"
        yield f"# TYPE armlevel_{name} gauge"
        for labels, value in values.items():
            yield f"armlevel_{name}{labels} {value}"

    pools = {f'{{pool="{_escaped(one.name)}"}}': one for one in found.pools}
    yield from gauge("fleet_hosts", "Hosts that nobody retired.", {"": found.hosts})
    yield from gauge("fleet_kinds", "Kinds of hosts.", {"": found.kinds})
    yield from gauge(
        "fleet_silent_hosts", "Hosts of which nothing came for long.", {"": len(found.every_silent)}
    )
    yield from gauge("fleet_events", "Events of the history.", {"": found.head.length})
    yield from gauge("fleet_changed", "Whether something changed since the look before.", {"": found.status})
    yield from gauge("pool_hosts", "Hosts of a pool.", {key: one.hosts for key, one in pools.items()})
    outside = {key: len(one.outside) for key, one in pools.items()}
    yield from gauge("pool_outside_hosts", "Hosts that do not certainly run the level.", outside)
    versions = {key: one.version or 0 for key, one in pools.items()}
    yield from gauge("pool_level_version", "The version in force; 0: none.", versions)
    others = {key: int(one.candidate not in ("same", None)) for key, one in pools.items()}
    yield from gauge("pool_candidate_differs", "Whether levelling gives something else.", others)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
