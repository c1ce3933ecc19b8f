"""fleet-export/1: a fleet in one file, with which a question can be asked where no store is: on the way out of a fire.

Its hosts are those of every verb that takes hosts: each is read as the profile of its kind, called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from armlevel.documents.frozen import Frozen, read_frozen
from armlevel.documents.maps import ValuePool
from armlevel.documents.read import from_parsed, new_pool, parse
from armlevel.documents.write import GUEST_KIND, HOST_KIND, canonical, digest_fault
from armlevel.errors import BadDocument
from armlevel.profile import Guest, Host

__all__ = [
    "FLEET_EXPORT_KIND",
    "ExportedGuest",
    "ExportedHost",
    "ExportedLevel",
    "FleetExport",
    "read_fleet_export",
]

FLEET_EXPORT_KIND = "fleet-export/1"

_HINT = "make it anew: armlevel fleet export -o FILE"


@dataclass(frozen=True, slots=True)
class ExportedGuest:
    """A guest that runs: the digest of what it was born with (None: any of its host), and how that is known."""

    name: str
    guest: str | None
    known: str
    since: str


@dataclass(frozen=True, slots=True)
class ExportedHost:
    """A host: its kind, and when it was last heard of; ``pools`` says of each whether it runs the level in force.

    That answer is ``runs``, ``refused`` or ``unknown``, None where there is no level. ``retired`` is when a person took
    it out, None if nobody did; ``silent`` is whether nothing came of it for a month when this was written. ``running``
    is what runs on it as of ``reported_at``, None if nobody ever reported that.
    """

    name: str
    kind: str
    labels: Mapping[str, str]
    last_seen: str
    silent: bool
    retired: str | None
    pools: Mapping[str, str | None]
    running: tuple[ExportedGuest, ...] | None = None
    reported_at: str | None = None


@dataclass(frozen=True, slots=True)
class ExportedLevel:
    """A level of a pool that was accepted; the one in force, or an earlier one, which guests may still run."""

    pool: str
    version: int
    in_force: bool
    frozen: Frozen


@dataclass(frozen=True, slots=True)
class FleetExport:
    """A fleet as it was at a moment (``at``): hosts, the profile of each kind, levels, guest profiles by digest.

    ``head`` is the head of its history as one line, to be held against
    """

    at: str
    head: str
    hosts: tuple[ExportedHost, ...]
    profiles: Mapping[str, Host]
    levels: tuple[ExportedLevel, ...]
    guests: Mapping[str, Guest]

    def profile_of(self, host: ExportedHost) -> Host:
        """Return a host's profile, called as the host is."""
        return replace(self.profiles[host.kind], name=host.name)


def read_fleet_export(data: bytes, path: str, pool: ValuePool | None = None) -> FleetExport:
    """Read a fleet from a file.

    Raises:
        BadDocument: it is none, was changed, or something in it has a fault.

    """
    document = parse(data, path)
    if not isinstance(document, dict) or document.get("kind") != FLEET_EXPORT_KIND:
        raise BadDocument(path, (f"kind: a {FLEET_EXPORT_KIND} is needed here",), hint=_HINT)
    if document.get("digest") is None:
        raise BadDocument(path, ("digest: the document has none",), hint=_HINT)
    if (fault := digest_fault(document)) is not None:
        raise BadDocument(path, (fault,), hint=_HINT)
    pool = pool or new_pool()
    try:
        return _built(document, path, pool)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        # The digest holds, so a program wrote it so.
        fault = f"not laid out as a {FLEET_EXPORT_KIND}: {type(exc).__name__} {str(exc)[:80]}"
        raise BadDocument(path, (fault,), hint=_HINT) from exc


def _built(document: Mapping[str, Any], path: str, pool: ValuePool) -> FleetExport:
    profiles = {}
    for one in document["kinds"]:
        found = from_parsed(_of_kind(one["profile"], HOST_KIND), f"{path}, kind {one['digest'][:80]}", pool)
        assert isinstance(found, Host), "its kind says so"
        profiles[str(one["digest"])] = found
    guests = {}
    for one in document["guests"]:
        guest = from_parsed(_of_kind(one["profile"], GUEST_KIND), f"{path}, guest {one['name'][:80]}", pool)
        assert isinstance(guest, Guest), "its kind says so"
        guests[str(one["digest"])] = guest
    hosts = tuple(_host(one) for one in document["hosts"])
    if strange := sorted({host.kind for host in hosts} - profiles.keys()):
        raise BadDocument(
            path, (f"kind {strange[0][:80]}: a host is of it, and it is not there",), hint=_HINT
        )
    levels = tuple(
        ExportedLevel(
            str(one["name"]),
            int(level["version"]),
            level["version"] == one["level"],
            read_frozen(canonical(level["profile"]) + b"\n", f"{path}, level {level['version']}", pool),
        )
        for one in document["pools"]
        for level in one["levels"]
    )
    head = document["head"]
    line = f"armlevel-fleet {head['length']} {head['digest'] or '-'}"
    return FleetExport(str(document["at"]), line, hosts, profiles, levels, guests)


def _of_kind(document: dict[str, Any], kind: str) -> dict[str, Any]:
    if document["kind"] != kind:
        raise ValueError(f"a {kind} is needed")
    return document


def _host(said: Mapping[str, Any]) -> ExportedHost:
    there = said["running"]
    running = None if there is None else tuple(ExportedGuest(**one) for one in there["guests"])
    return ExportedHost(
        name=str(said["name"]),
        kind=str(said["kind"]),
        labels=dict(said["labels"]),
        last_seen=str(said["last_seen"]),
        silent=bool(said["silent"]),
        retired=said["retired"],
        pools={str(one["pool"]): one["answer"] for one in said["pools"]},
        running=running,
        reported_at=None if there is None else str(there["at"]),
    )
