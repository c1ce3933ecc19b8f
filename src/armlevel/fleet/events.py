"""The history: events, each with the digest of the one before it, and what is wrong with a chain of them.

An event's digest is SHA-256 of its canonical JSON (RFC 8785), its place and the digest before it included. So no event
can be changed, moved, taken out or put in without every later digest changing; the head (length and last digest) that
somebody keeps elsewhere finds what was done to all of them, and that the last ones are gone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import rfc8785

__all__ = [
    "ChainFault",
    "ChainFaultKind",
    "Entry",
    "Event",
    "Head",
    "chain_faults",
    "follow",
    "head_of",
    "read_head",
]

#: ``changed``: the digest is not that of the content; ``missing``: a number is left out; ``unlinked``: it follows
#: another event than the one before it; ``shortened``: there are fewer than the kept head counts; ``other-history``:
#: the event at the kept head's place is another one.
ChainFaultKind = Literal["changed", "missing", "unlinked", "shortened", "other-history"]

_HEAD = re.compile(r"armlevel-fleet ([0-9]{1,15}) (sha256:[0-9a-f]{64}|-)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened: an action on an object; ``before`` and ``after`` are digests or short texts, None for nothing.

    ``state`` is the digest of all that is known of the object after it (:mod:`armlevel.fleet.proving`)
    """

    action: str
    subject: str
    before: str | None = None
    after: str | None = None
    reason: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An entry in its place: ``seq`` counts from 1; ``previous`` is the digest before it, None for the first.

    ``at`` is UTC (RFC 3339), ``actor`` the id of who did it, ``request`` that of the command it belongs to
    """

    seq: int
    at: str
    actor: str
    request: str
    entry: Entry
    previous: str | None
    digest: str = ""

    def computed(self) -> str:
        """Return the digest of what the event says."""
        said: dict[str, Any] = {
            "kind": "event/1",
            "seq": self.seq,
            "at": self.at,
            "actor": self.actor,
            "request": self.request,
            "action": self.entry.action,
            "object": self.entry.subject,
            "before": self.entry.before,
            "after": self.entry.after,
            "reason": self.entry.reason,
            "previous": self.previous,
        }
        if self.entry.state is not None:  # events of the first stores had none
            said["state"] = self.entry.state
        return "sha256:" + hashlib.sha256(rfc8785.dumps(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain is, and the digest of its last event; None of an empty one.

    >>> Head(0, None).text
    'armlevel-fleet 0 -'
    """

    length: int
    digest: str | None

    @property
    def text(self) -> str:
        """The head as one line, to be kept elsewhere."""
        return f"armlevel-fleet {self.length} {self.digest or '-'}"

    def document(self) -> dict[str, Any]:
        """Return the head as JSON objects have it."""
        return {"length": self.length, "digest": self.digest}


def read_head(text: str) -> Head | None:
    """Read the last line of a text that is a head; None if none is.

    >>> read_head(Head(2, "sha256:" + "0" * 64).text).length, read_head("hello")
    (2, None)
    """
    found = None
    for line in text.splitlines():
        if (match := _HEAD.fullmatch(line.strip())) is not None:
            length, digest = int(match[1]), match[2]
            if (digest == "-") == (length == 0):
                found = Head(length, None if digest == "-" else digest)
    return found


def follow(head: Head, entries: Iterable[Entry], *, at: str, actor: str, request: str) -> list[Event]:
    """Return entries as the events that follow a head.

    >>> first, second = follow(
    ...     Head(0, None), [Entry(action="a", subject="x")] * 2, at="", actor="", request=""
    ... )
    >>> second.seq, second.previous == first.digest, first.previous
    (2, True, None)
    """
    events = []
    for entry in entries:
        event = Event(
            seq=head.length + 1, at=at, actor=actor, request=request, entry=entry, previous=head.digest
        )
        event = replace(event, digest=event.computed())
        head = Head(event.seq, event.digest)
        events.append(event)
    return events


def head_of(events: Iterable[Event]) -> Head:
    """Return the head of a chain."""
    head = Head(0, None)
    for event in events:
        head = Head(event.seq, event.digest)
    return head


@dataclass(frozen=True, slots=True)
class ChainFault:
    """What is wrong with a chain, and at which number."""

    kind: ChainFaultKind
    seq: int


def _is_own(event: Event) -> bool:
    try:
        return event.computed() == event.digest
    except (TypeError, ValueError):  # a column holds what no event ever held
        return False


def chain_faults(events: Iterable[Event], kept: Head | None = None) -> tuple[Head, tuple[ChainFault, ...]]:
    """Return the head of a chain, in the order of its numbers, and what is wrong with it; nothing if it is whole.

    Without a kept head, a chain that was made anew as a whole, or lost its last events, looks like another whole one.
    """
    faults: list[ChainFault] = []
    head, at_kept = Head(0, None), None
    for event in events:
        if event.seq != head.length + 1:
            faults.append(ChainFault("missing", head.length + 1))
        elif event.previous != head.digest:
            faults.append(ChainFault("unlinked", event.seq))
        if not _is_own(event):
            faults.append(ChainFault("changed", event.seq))
        head = Head(event.seq, event.digest)
        if kept is not None and event.seq == kept.length:
            at_kept = event.digest
    if kept is not None and kept.length > head.length:
        faults.append(ChainFault("shortened", head.length + 1))
    elif kept is not None and at_kept != kept.digest:
        faults.append(ChainFault("other-history", kept.length))
    return head, tuple(faults)
