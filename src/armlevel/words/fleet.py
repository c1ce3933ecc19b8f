"""What happens in a fleet, and what is wrong with its history, as a person reads it."""

from __future__ import annotations

__all__ = [
    "CHAIN_FAULTS",
    "CONTENT_FAULTS",
    "RECOMPUTED",
    "counted_guests",
    "counted_hosts",
    "counted_kinds",
    "event_text",
    "short_digest",
]

# What an event says; ``before`` and ``after`` are the first digits of digests.
_ACTIONS = {
    "host-seen": "{name} is of kind {after}, before {before}",
    "host-labelled": "{name} was given labels",
    "host-retired": "{name} was retired",
    "host-renamed": "{name} has the name that it has from then on",
    "host-software": "{name} came with other software or facts, of the same kind",
    "host-forgotten": "{name} was forgotten",
    "host-sealed": "{name}: all that is known of it is proved from here on",
    "hosts-heard": "until when each host was seen is proved up to here",
    "guests-proved": "which guests run where is proved up to here",
    "actor-named": "the name of {name} is proved from here on",
    "actor-forgotten": "{name}: this name of somebody was forgotten",
    "guest-forgotten": "guest {name} was forgotten",
    "pool-sealed": "pool {name}: all that is known of it is proved from here on",
    "store-restored": "the store was restored from a backup",
    "host-returned": "{name} came back after it was retired",
    "guest-added": "guest {name} was added",
    "guests-seen": "{name}: other guests run there",
    "pool-created": "pool {name} was made",
    "pool-edited": "pool {name} was edited",
    "level-accepted": "pool {name}: level {after} was accepted, before {before}",
}

# The same where nothing was before.
_FIRST = {
    "host-seen": "{name} was added, of kind {after}",
    "guests-seen": "{name}: its guests were reported",
    "level-accepted": "pool {name}: level {after} was accepted, the first",
}

CHAIN_FAULTS = {
    "changed": "event {seq} was changed: its digest is not that of what it says",
    "missing": "event {seq} is gone",
    "unlinked": "event {seq} does not follow the one before it",
    "shortened": "event {seq} and all behind it are gone: the kept head counts more",
    "other-history": "event {seq} is another one than when the head was kept: the history was made anew",
}

CONTENT_FAULTS = {
    "content": "{table} {row}: its content is not what its digest says",
    "no-event": "{table} {row}: no event tells of it",
    "no-row": "{table} {row}: an event tells of it, and it is gone",
    "other-row": "{table} {row}: says something else than its event",
    "forgotten": "{table} {row}: is there, and an event says that it was forgotten",
}

#: What levelling the inputs of a level anew gives.
RECOMPUTED = {
    "same": "levelling the same kinds today gives the same CPU",
    "tables-changed": "levelling the same kinds gives another CPU, because the facts that armlevel knows changed",
    "program-changed": "levelling the same kinds gives another CPU, with the same facts: please report it",
    "unknown": "levelling the same kinds gives no certain answer any more",
}


def counted_hosts(count: int) -> str:
    """Return how many hosts, in words.

    >>> counted_hosts(1), counted_hosts(3000)
    ('1 host', '3000 hosts')
    """
    return "1 host" if count == 1 else f"{count} hosts"


def counted_guests(count: int) -> str:
    """Return how many guests, in words.

    >>> counted_guests(1), counted_guests(0)
    ('1 guest', '0 guests')
    """
    return "1 guest" if count == 1 else f"{count} guests"


def counted_kinds(count: int) -> str:
    """Return how many kinds of hosts, in words.

    >>> counted_kinds(1), counted_kinds(20)
    ('1 kind', '20 kinds')
    """
    return "1 kind" if count == 1 else f"{count} kinds"


def event_text(action: str, name: str, before: str | None, after: str | None) -> str:
    """Return what an event says.

    >>> event_text("host-seen", "n1", None, "sha256:0123456789abcdef")
    'n1 was added, of kind 0123456789ab'
    """
    text = _FIRST.get(action, "") if before is None else ""
    return (text or _ACTIONS[action]).format(
        name=name, before=short_digest(before), after=short_digest(after)
    )


def short_digest(digest: str | None) -> str:
    """Return the first digits of a digest, which tell it apart in one fleet.

    >>> short_digest("sha256:0123456789abcdef"), short_digest(None)
    ('0123456789ab', '-')
    """
    return (digest or "-").removeprefix("sha256:")[:12]
