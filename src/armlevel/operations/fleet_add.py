"""Put profiles of hosts and guests into a fleet store: all of them, or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from armlevel.documents import Loaded, guest_object
from armlevel.documents.write import canonical
from armlevel.errors import BadDocument, UsageError
from armlevel.fleet import reading, writing
from armlevel.fleet.contents import Parts, parts_of
from armlevel.fleet.database import Connection
from armlevel.fleet.events import Entry, Head
from armlevel.fleet.hearing import heard_again, heard_anew, other_evidence
from armlevel.fleet.values import FleetHost, time_of, time_text
from armlevel.fleet.writing import Request
from armlevel.operations.fleet_store import request_now, store_named
from armlevel.operations.named import load_all
from armlevel.profile import Guest, Host

__all__ = [
    "AddedGuest",
    "AddedHost",
    "FleetAddResult",
    "fleet_add",
    "fleet_add_loaded",
    "labelled",
    "labels_of",
]

#: ``new``: nothing was known of it; ``same``: it is still of its kind; ``changed``: it is of another one; ``known``:
#: this very profile was there.
AddedState = Literal["new", "same", "changed", "known"]

#: What a clock may be ahead of ours.
_SKEW = timedelta(minutes=10)
_MOST = 20
_NUMBERED = re.compile(r"(.+)#[0-9]+")
_LABEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._/-]{0,62})=([A-Za-z0-9._/-]{0,63})")


@dataclass(frozen=True, slots=True)
class AddedHost:
    """What became of a host's profile; ``dated`` is whether it says when it was made."""

    name: str
    state: AddedState
    kind: str
    seen: str
    dated: bool


@dataclass(frozen=True, slots=True)
class AddedGuest:
    """What became of a guest's profile."""

    name: str
    digest: str
    new: bool


@dataclass(frozen=True, slots=True)
class FleetAddResult:
    """What was added; ``kinds`` is how many kinds of hosts these are, ``new_kinds`` how many of them were not known."""

    kind: ClassVar[str] = "fleet-add/1"
    status: ClassVar[int] = 0

    hosts: tuple[AddedHost, ...]
    guests: tuple[AddedGuest, ...]
    kinds: int
    new_kinds: int
    head: Head

    def document(self) -> dict[str, Any]:
        """Return the fleet-add/1 object."""
        return {
            "kind": self.kind,
            "hosts": [
                {"name": o.name, "state": o.state, "kind": o.kind, "seen": o.seen, "dated": o.dated}
                for o in self.hosts
            ],
            "guests": [{"name": o.name, "digest": o.digest, "new": o.new} for o in self.guests],
            "kinds": self.kinds,
            "new_kinds": self.new_kinds,
            "head": self.head.document(),
        }


@dataclass(frozen=True, slots=True)
class _Given:
    """A host's profile in parts, with when it was made."""

    path: str
    name: str
    parts: Parts
    at: str
    dated: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """What is written for one profile: an event, if anything is to be told, and its rows with that event's number."""

    entry: Entry | None
    write: Callable[[int], None]


def fleet_add(
    files: Sequence[str], fleet: str = "", *, labels: Sequence[str] = (), actor: str = ""
) -> FleetAddResult:
    """Add the profiles of files and directories; ``labels`` (``KEY=VALUE``) are given to every host of them.

    Raises:
        InputError: a file cannot be read, is no profile or has faults.
        UsageError: two profiles of one host, or one that is older than what is known of its host, or of the future.
        StoreError: the store cannot be written.

    """
    labels_of(labels)
    store_named(fleet)
    return fleet_add_loaded(load_all(files), fleet, labels=labels, actor=actor)


def fleet_add_loaded(
    loaded: Sequence[Loaded], fleet: str = "", *, labels: Sequence[str] = (), actor: str = ""
) -> FleetAddResult:
    """Add profiles that were read already; raises as :func:`fleet_add` does."""
    store, request = store_named(fleet), request_now(actor)
    wanted = labels_of(labels)
    hosts, guests = _sorted_out(loaded, request.now)
    with store.writing() as connection:
        before = {host.name: host for host in reading.hosts(connection)}
        known = set(reading.kinds(connection))
        states = _states(hosts, before)
        writing.keep_parts(connection, [one.parts for one in hosts])
        steps = [
            step
            for one, state in zip(hosts, states, strict=True)
            for step in _steps(connection, one, state, before.get(one.name), wanted)
        ]
        there = set(reading.guests(connection))
        steps += [_guest_step(connection, *one) for one in guests.items() if one[0] not in there]
        _take(connection, request, steps)
        if any(state != "known" for state in states):
            writing.append(connection, request, [writing.heard_entry(connection)])
        head = writing.head(connection)
    kinds = {one.parts.kind.digest for one in hosts}
    return FleetAddResult(
        tuple(
            AddedHost(one.name, state, one.parts.kind.digest, one.at, one.dated)
            for one, state in zip(hosts, states, strict=True)
        ),
        tuple(AddedGuest(guest.name, digest, digest not in there) for digest, guest in guests.items()),
        len(kinds),
        len(kinds - known),
        head,
    )


def labels_of(texts: Iterable[str]) -> dict[str, str]:
    """Read labels, ``KEY=VALUE``.

    Raises:
        UsageError: one is not of that form, or a key has two values.

    >>> labels_of(["rack=r1", "site=ams"])
    {'rack': 'r1', 'site': 'ams'}
    """
    found: dict[str, str] = {}
    for text in texts:
        match = _LABEL.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--label {ascii(text)[1:-1][:80]}: not of the form KEY=VALUE",
                hint="letters, digits and . _ / - as in rack=r12",
            )
        if found.setdefault(match[1], match[2]) != match[2]:
            raise UsageError(f"--label {match[1]}: has two values")
    return found


def _sorted_out(loaded: Sequence[Loaded], now: datetime) -> tuple[list[_Given], dict[str, Guest]]:
    hosts, guests = [], {}
    names = {one.document.name for one in loaded if isinstance(one.document, Host)}
    twice = []
    for one in loaded:
        document = one.document
        if isinstance(document, Guest):
            guests[guest_object(document)["digest"]] = document
        elif not isinstance(document, Host):
            raise BadDocument(one.path, ("a verdict, and a fleet takes profiles of hosts and guests",))
        elif document.accelerator != "kvm":
            why = f"what a guest reads under {document.accelerator.upper()}, and no host with KVM"
            raise BadDocument(one.path, (why,))
        elif (match := _NUMBERED.fullmatch(document.name)) is not None and match[1] in names:
            twice.append(f"{one.path}: another profile of {match[1]}")
        else:
            hosts.append(_given(document, one.path, now))
    if twice:
        raise UsageError(_listed(twice), hint="add one profile of a host at a time, the oldest first")
    return hosts, guests


def _given(host: Host, path: str, now: datetime) -> _Given:
    made = time_of(host.made.at) if host.made.at else None
    if made is not None and made > now + _SKEW:
        raise UsageError(
            f"{path}: made at {time_text(made)}, and it is {time_text(now)}", hint="is a clock wrong?"
        )
    when = now if made is None else min(made, now)
    return _Given(path, host.name, parts_of(host), time_text(when), made is not None)


def _listed(lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return f"{len(lines)} profiles cannot be taken:" + "".join(f"\n  {o}" for o in [*lines[:_MOST], *more])


def _states(hosts: Sequence[_Given], before: Mapping[str, FleetHost]) -> list[AddedState]:
    states: list[AddedState] = []
    refused = []
    for one in hosts:
        host = before.get(one.name)
        if host is None:
            states.append("new")
            continue
        documents = {noted.document for seen in host.seen for noted in seen.evidence}
        last = host.last
        if one.dated and one.parts.document in documents and one.at <= last.last_seen:
            states.append("known")
        elif one.dated and one.at < last.last_seen:
            why = f"{one.path}: {one.name} as it was at {one.at}, and it was seen at {last.last_seen}"
            refused.append(why)
        elif one.dated and one.at == last.last_seen and one.parts.kind.digest != last.kind:
            refused.append(f"{one.path}: {one.name} was seen as another kind at that very time, {one.at}")
        else:
            states.append("same" if one.parts.kind.digest == last.kind else "changed")
    if refused:
        hint = "what is known is newer: probe the host again, or leave the file out"
        raise UsageError(_listed(refused), hint=hint)
    return states


def _steps(
    connection: Connection, one: _Given, state: AddedState, host: FleetHost | None, labels: Mapping[str, str]
) -> list[_Step]:
    there = host or FleetHost(writing.new_id(), one.name)
    after = _after(there, one, state)
    after = replace(after, labels=dict(there.labels) | dict(labels))
    entries: list[tuple[str, str | None, str | None]] = []
    if state in ("new", "changed"):
        before = None if host is None else host.last.kind
        entries.append(("host-seen", before, one.parts.kind.digest))
    elif state == "same" and other_evidence(there, after):
        pair = there.last.evidence[-1].evidence, after.last.evidence[-1].evidence
        entries.append(("host-software", *pair))
    if there.retired is not None and state != "known":
        after = replace(after, retired=None)
        entries.append(("host-returned", None, None))
    if after.labels != there.labels:
        entries.append(labelled(there, after))
    proved = writing.state_of_host(after)
    steps = [
        _Step(Entry(action=action, subject=f"host:{after.id}", before=was, after=now, state=proved), _nothing)
        for action, was, now in entries
    ]
    if after != host:
        write = lambda event: writing.write_host(connection, host, after, event)  # noqa: E731
        # The first of its events is the one that begins an interval, if one begins.
        steps[:1] = [_Step(steps[0].entry if steps else None, write)]
    return steps


def _after(host: FleetHost, one: _Given, state: AddedState) -> FleetHost:
    if state == "known":
        return host
    # What says no time comes after what is known, also where the clock was put back, or the second is the same.
    at = max(one.at, host.last.last_seen) if host.seen else one.at
    if state == "same":
        return heard_again(host, one.parts, at)
    return heard_anew(host, one.parts, at, writing.new_id())


def _nothing(_: int) -> None:
    pass


def labelled(before: FleetHost, after: FleetHost) -> tuple[str, str, str]:
    """Return what an event says of other labels: its action, and both."""
    texts = [canonical(dict(host.labels)).decode() for host in (before, after)]
    return "host-labelled", texts[0], texts[1]


def _guest_step(connection: Connection, digest: str, guest: Guest) -> _Step:
    body = {key: value for key, value in guest_object(replace(guest)).items() if key != "digest"}
    return _Step(
        Entry(action="guest-added", subject=f"guest:{digest}", after=digest),
        lambda event: writing.insert_guest(connection, digest, guest.name, body, event),
    )


def _take(connection: Connection, request: Request, steps: Sequence[_Step]) -> None:
    events = iter(writing.append(connection, request, [o.entry for o in steps if o.entry is not None]))
    for step in steps:
        step.write(next(events).seq if step.entry is not None else 0)
