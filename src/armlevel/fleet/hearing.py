"""What a host is known as once it was heard of again. Pure."""

from __future__ import annotations

from dataclasses import replace

from armlevel.fleet.contents import Parts
from armlevel.fleet.values import FleetHost, Seen, SeenEvidence

__all__ = ["heard_again", "heard_anew", "other_evidence"]


def heard_anew(host: FleetHost, parts: Parts, at: str, identity: str) -> FleetHost:
    """Return a host of which another interval begins, called ``identity``: it is of another kind, or new."""
    noted = SeenEvidence(parts.evidence, parts.document, at, at)
    return replace(host, seen=(*host.seen, Seen(identity, parts.kind.digest, at, at, 0, (noted,))))


def heard_again(host: FleetHost, parts: Parts, at: str) -> FleetHost:
    """Return a host that is still of its kind: the interval ends later; other evidence begins a line of its own."""
    seen = host.last
    *before, last = seen.evidence
    if last.evidence == parts.evidence:  # by whichever document: only other evidence is an event
        last = replace(last, until=at)
    elif last.since == at:  # of one moment the last word counts
        last = replace(last, evidence=parts.evidence, document=parts.document)
    else:
        before, last = [*before, last], SeenEvidence(parts.evidence, parts.document, at, at)
    return replace(host, seen=(*host.seen[:-1], replace(seen, last_seen=at, evidence=(*before, last))))


def other_evidence(before: FleetHost, after: FleetHost) -> bool:
    """Return whether a host that is still of its kind came with other evidence."""
    return before.last.evidence[-1].evidence != after.last.evidence[-1].evidence
