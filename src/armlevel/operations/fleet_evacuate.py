"""Where the guests of some hosts may go now: out of what the store remembers, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import new_pool
from armlevel.engine import Answer, Finding, Part, worst
from armlevel.errors import UnknownName, UsageError
from armlevel.fleet import reading
from armlevel.fleet.database import Connection
from armlevel.fleet.instances import Reported, running_of
from armlevel.fleet.values import SILENT_AFTER, FleetHost, Level
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.fleet_add import labels_of
from armlevel.operations.fleet_guests import guests_called, levels_by_cpu
from armlevel.operations.fleet_standing import cpu_digest
from armlevel.operations.fleet_store import request_now, store_named
from armlevel.operations.fleet_ways import ANY, Traveller, Ways, of_level, started_on
from armlevel.operations.given import names_meant
from armlevel.profile import KNOWN, Host
from armlevel.profile.birth import KNOWN_BY

__all__ = ["EvacuateResult", "Leaving", "fleet_evacuate", "travellers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Guests of one host that are alike, and where they may go.

    ``names``     the guests; none: those that were not reported, which may be any, of the level, or what starts there
                  now (``known`` tells which)
    ``guest``     the digest of their CPU, None if it may be any;  ``level``  which level that is, ``POOL VERSION``
    ``to``        hosts that certainly take them;  ``silent``  those that would, of which nothing was heard for long
    ``unsaid``    hosts of which it cannot be said;  ``start``  hosts on which they can be started anew, no others
    ``findings``  why not, of the kind that is nearest to taking them
    """

    host: str
    names: tuple[str, ...]
    guest: str | None
    level: str | None
    known: KNOWN
    to: tuple[str, ...]
    silent: tuple[str, ...]
    unsaid: tuple[str, ...]
    refusing: tuple[str, ...]
    start: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[Part, ...] = ()

    @property
    def answer(self) -> Answer:
        """Whether they may go somewhere."""
        if self.to:
            return "runs"
        return "unknown" if self.silent or self.unsaid else "refused"


@dataclass(frozen=True, slots=True)
class EvacuateResult:
    """Where guests may go; ``as_of`` is when what is known of the hosts' guests was reported, None: never."""

    kind: ClassVar[str] = "fleet-evacuate/1"

    hosts: tuple[str, ...]
    leaving: tuple[Leaving, ...]
    as_of: Mapping[str, str | None]
    targets: int

    @property
    def answer(self) -> Answer:
        """The worst of all guests."""
        return worst(one.answer for one in self.leaving)

    @property
    def status(self) -> int:
        """The exit status: 0 if every guest may go somewhere, 1 if one may not, 3 where it cannot be said."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the fleet-evacuate/1 object."""
        return {
            "kind": self.kind,
            "answer": self.answer,
            "hosts": [{"host": name, "reported": self.as_of[name]} for name in self.hosts],
            "targets": self.targets,
            "guests": [
                {
                    "host": one.host,
                    "names": list(one.names),
                    "guest": one.guest,
                    "level": one.level,
                    "known": one.known,
                    "answer": one.answer,
                    "to": list(one.to),
                    "silent": list(one.silent),
                    "unknown": list(one.unsaid),
                    "refused": list(one.refusing),
                    "start": list(one.start),
                    "findings": findings_told(one.findings),
                    "not_judged": list(one.not_judged),
                }
                for one in self.leaving
            ],
        }


def fleet_evacuate(
    names: Sequence[str], fleet: str = "", *, labels: Sequence[str] = (), to: Sequence[str] = ()
) -> EvacuateResult:
    """Say where the guests of hosts may go: hosts by name or pattern, or all that have every label.

    ``to`` are names or patterns of hosts that they may go to; else all others of the fleet.

    Raises:
        UsageError: no host is named, or none is left to go to.
        UnknownName: no host is called so, or has these labels.
        StoreError: there is no store, or it cannot be read.

    """
    if not names and not labels:
        raise UsageError("no host was named", hint="name hosts, or --label KEY=VALUE")
    now = request_now().now
    with store_named(fleet).reading() as connection:
        every = [host for host in reading.hosts(connection) if host.retired is None]
        sources = _chosen(every, names, labels)
        leaving = {host.name for host in sources}
        targets = [host for host in every if host.name not in leaving]
        if to:
            wanted = {one for text in to for one in names_meant(text, [host.name for host in every])}
            targets = [host for host in targets if host.name in wanted]
        running = running_of(connection, [host.id for host in sources])
        found = _Evacuation(connection, sources, targets, running, now)
        said = tuple(one for host in sources for one in found.leaving(host))
    as_of = {host.name: running[host.id].at if host.id in running else None for host in sources}
    return EvacuateResult(tuple(host.name for host in sources), said, as_of, len(targets))


def _chosen(every: Sequence[FleetHost], names: Sequence[str], labels: Sequence[str]) -> list[FleetHost]:
    wanted = labels_of(labels)
    called = [host.name for host in every]
    meant = {one for text in names for one in names_meant(text, called)}
    if wanted:
        labelled = {host.name for host in every if all(host.labels.get(k) == v for k, v in wanted.items())}
        if not labelled:
            raise UnknownName("host with the label", ", ".join(labels))
        meant = meant & labelled if names else labelled
    if not meant:
        raise UsageError("none of these hosts has the label", hint="leave names or --label out")
    return [host for host in every if host.name in meant]


def travellers(
    connection: Connection, running: Mapping[str, Reported]
) -> tuple[dict[str, Traveller], dict[str, str]]:
    """Return the guest CPUs that run, by digest, and which of them are levels."""
    digests = {one.guest: one.known for there in running.values() for one in there.guests if one.guest}
    levels = levels_by_cpu(connection)
    profiles = guests_called(connection, digests)
    called = {one: levels.get(cpu_digest(guest), "") for one, guest in profiles.items()}
    found = {
        one: Traveller(one, guest, _known(digests[one]), levelled=bool(called[one]))
        for one, guest in profiles.items()
    }
    return found, {one: level for one, level in called.items() if level}


def _known(text: str) -> KNOWN:
    return next((one for one in KNOWN_BY if one == text), "any")


class _Evacuation:
    def __init__(
        self,
        connection: Connection,
        sources: Sequence[FleetHost],
        targets: Sequence[FleetHost],
        running: Mapping[str, Reported],
        now: datetime,
    ) -> None:
        self.running = running
        self.by_kind: dict[str, list[FleetHost]] = {}
        for host in targets:
            self.by_kind.setdefault(host.last.kind, []).append(host)
        self.silent = {host.name for host in targets if host.is_silent(now, SILENT_AFTER)}
        values = new_pool()
        names = {host.last.kind: host.name for host in (*targets, *sources)}
        self.profiles: dict[str, Host] = {
            kind: reading.profile_of_kind(connection, kind, name, values) for kind, name in names.items()
        }
        self.ways = Ways(self.profiles)
        self.guests, self.levels = travellers(connection, running)
        self.in_force = _in_force(connection, sources)
        self.at_level = {one.id: of_level(one, values) for _, one in self.in_force.values()}

    def leaving(self, host: FleetHost) -> Iterable[Leaving]:
        there = self.running.get(host.id)
        if there is None:
            yield self.goes(host, Traveller(ANY, None, reported=False), (), None)
            if host.name in self.in_force:
                pool, level = self.in_force[host.name]
                yield self.goes(host, self.at_level[level.id], (), f"{pool} {level.version}")
            else:
                kind = host.last.kind
                yield self.goes(host, started_on(kind, self.profiles[kind]), (), None)
            return
        alike: dict[tuple[str | None, str], list[str]] = {}
        for one in there.guests:
            alike.setdefault((one.guest, one.known), []).append(one.name)
        for (mark, _), names in alike.items():
            traveller = self.guests[mark] if mark else Traveller("not known", None)
            yield self.goes(host, traveller, tuple(names), self.levels.get(mark or ""))

    def goes(self, host: FleetHost, guest: Traveller, names: tuple[str, ...], level: str | None) -> Leaving:
        answers = {kind: self.ways.arrives(guest, host.last.kind, kind) for kind in self.by_kind}

        def those(*wanted: Answer, silent: bool | None = None) -> tuple[str, ...]:
            return tuple(
                one.name
                for kind, some in self.by_kind.items()
                if answers[kind].answer in wanted
                for one in some
                if silent is None or (one.name in self.silent) == silent
            )

        go = those("runs", silent=False)
        nearest = min(
            (one for one in answers.values() if one.answer != "runs" and one.findings),
            key=lambda one: (one.answer == "refused", len(one.findings)),
            default=None,
        )
        return Leaving(
            host=host.name,
            names=names,
            guest=guest.key if guest.key.startswith("sha256:") else None,
            level=level,
            known=guest.known,
            to=go,
            silent=those("runs", silent=True),
            unsaid=those("unknown"),
            refusing=those("refused"),
            start=() if go else self.starts(guest),
            findings=() if go or nearest is None else nearest.findings,
            not_judged=tuple(dict.fromkeys(part for one in answers.values() for part in one.not_judged)),
        )

    def starts(self, guest: Traveller) -> tuple[str, ...]:
        if guest.guest is None:
            return ()
        return tuple(
            one.name
            for kind, some in self.by_kind.items()
            if engine.check(guest.guest, self.profiles[kind], load()).start == "runs"
            for one in some
            if one.name not in self.silent
        )


def _in_force(connection: Connection, hosts: Sequence[FleetHost]) -> dict[str, tuple[str, Level]]:
    # The level in force for each host, by name: of the first pool that it belongs to.
    found: dict[str, tuple[str, Level]] = {}
    for pool in reading.pools(connection):
        levels = reading.levels(connection, pool.id)
        for host in hosts:
            if levels and pool.policy.takes(host):
                found.setdefault(host.name, (pool.name, levels[-1]))
    return found
