"""What a fleet remembers, as frozen values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from armlevel.documents.values import lineage_of
from armlevel.documents.write import canonical, digest, policy_object
from armlevel.profile import Policy
from armlevel.profile.host import nothing

__all__ = [
    "FleetHost",
    "Kind",
    "Level",
    "Pool",
    "PoolPolicy",
    "Seen",
    "SeenEvidence",
    "time_of",
    "time_text",
]

#: A host of which nothing came for so many days is silent, if a pool says nothing else.
SILENT_AFTER = 30


def time_text(when: datetime) -> str:
    """Return a time as every row has it: UTC, to the second; such texts sort as the times do.

    >>> time_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime | None:
    """Return the time that a text says, None if it says none; without a zone it is UTC.

    >>> time_of("2026-01-02T03:04:05Z") == time_of("2026-01-02T04:04:05+01:00"), time_of("yesterday")
    (True, None)
    """
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class SeenEvidence:
    """What a host said of its software while it was of one kind: evidence for a person, by digest, with its interval.

    ``document`` is the digest of the profile that said it first
    """

    evidence: str
    document: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A host was of a kind from ``first_seen`` to ``last_seen``; ``event`` is the number of the event that says so."""

    id: str
    kind: str
    first_seen: str
    last_seen: str
    event: int
    evidence: tuple[SeenEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetHost:
    """A host of a fleet, and what it was, oldest first; ``retired`` is when a person took it out, None: nobody did."""

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=nothing)
    retired: str | None = None
    seen: tuple[Seen, ...] = ()

    @property
    def last(self) -> Seen:
        """What it is, as far as anybody knows; every host was seen once at least."""
        return self.seen[-1]

    def is_silent(self, now: datetime, days: int) -> bool:
        """Whether nothing came of it for longer than some days."""
        last = time_of(self.last.last_seen)
        return last is None or now - last > timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of hosts, with what tells kinds apart at a glance; None is not recorded."""

    digest: str
    view: str
    midrs: tuple[str, ...]
    kernel: str | None
    cntfrq_hz: int | None
    dczid: int | None
    gmid: int | None
    page_size: int | None
    capabilities: str


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """What a pool is: which hosts belong to it, what its level may be, and when a host is silent.

    ``hosts``   patterns of names;  ``labels``  ``KEY=VALUE``, of which a host has to have every one; a host belongs
                to it if a pattern fits its name, or if there are labels and it has them all
    """

    hosts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    silent_after: int = SILENT_AFTER
    choices: Policy = field(default_factory=Policy)

    def takes(self, host: FleetHost) -> bool:
        """Whether a host belongs to the pool; one that was retired belongs to none.

        >>> PoolPolicy(("n*",)).takes(FleetHost("1", "n1")), PoolPolicy(("n*",)).takes(FleetHost("2", "v1"))
        (True, False)
        """
        if host.retired is not None:
            return False
        if any(host.name == one or fnmatchcase(host.name, one) for one in self.hosts):
            return True
        wanted = [one.partition("=") for one in self.labels]
        return bool(wanted) and all(host.labels.get(key) == value for key, _, value in wanted)

    def document(self) -> dict[str, Any]:
        """Return the policy as JSON."""
        return {
            "hosts": list(self.hosts),
            "labels": list(self.labels),
            "silent_after": self.silent_after,
            "choices": policy_object(self.choices),
        }

    @property
    def text(self) -> str:
        """The policy as canonical text."""
        return canonical(self.document()).decode()

    @property
    def digest(self) -> str:
        """The digest of the policy."""
        return digest(self.document())

    @staticmethod
    def read(text: str) -> PoolPolicy:
        """Read what ``text`` gives.

        >>> PoolPolicy.read(PoolPolicy(("n*",), silent_after=7).text)
        PoolPolicy(hosts=('n*',), labels=(), silent_after=7, choices=Policy(without=frozenset(), hide=(), require=(), \
pins={}, implementation=None, also_targets=(), assume_same_impdef=False, accept_weaker_mitigation=False, tolerate=()))
        """
        said = json.loads(text)
        choices = lineage_of({"policy": said["choices"]})[1] or Policy()
        return PoolPolicy(tuple(said["hosts"]), tuple(said["labels"]), said["silent_after"], choices)


@dataclass(frozen=True, slots=True)
class Pool:
    """Hosts that share a guest CPU."""

    id: str
    name: str
    policy: PoolPolicy
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What is in force in a pool: a frozen profile, and what it was made of.

    ``digest`` is that of the frozen profile, ``cpu`` that of the guest CPU alone; ``inputs`` are the kinds of hosts
    that were levelled, each with the hosts (by id) that counted for it; ``event`` is the one that accepted it
    """

    id: str
    pool: str
    version: int
    digest: str
    cpu: str
    inputs: Mapping[str, tuple[str, ...]]
    policy: PoolPolicy
    catalogue: str
    engine: str
    event: int
    data: bytes = b""

    def kind_of(self, host: str) -> str | None:
        """Return the kind as which a host counted; None if it did not count."""
        return next((kind for kind, hosts in self.inputs.items() if host in hosts), None)
