"""In which order to roll a kernel through a pool, as canaries show it: who goes where, and who loses the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.engine import Answer, Finding, worst
from armlevel.errors import UsageError
from armlevel.fleet.database import Connection
from armlevel.fleet.instances import Reported, running_of
from armlevel.fleet.rollout import Rider, Rolled, RolloutOrder, order_of
from armlevel.fleet.values import FleetHost
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.fleet_check import host_or_profile
from armlevel.operations.fleet_evacuate import travellers
from armlevel.operations.fleet_standing import PoolState, pool_state
from armlevel.operations.fleet_store import request_now, store_named
from armlevel.operations.fleet_ways import Arrives, Traveller, Ways, of_level, started_on
from armlevel.operations.named import guests_named
from armlevel.profile import Guest, Host, Implementation

__all__ = ["FleetRolloutResult", "Lost", "Saved", "Trap", "fleet_rollout"]


@dataclass(frozen=True, slots=True)
class Lost:
    """Guests that lose their way: ``refused`` where no order keeps it, ``unknown`` where it cannot be said.

    ``cornered``  they stay where they are in the end, and no other host is known to take them
    """

    guest: str
    host: str
    count: int
    answer: Answer
    cornered: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Trap:
    """A way that is open in one direction only: guests go from a host that was not rolled to one that was, not back."""

    guest: str
    before: str
    after: str
    answer: Answer
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved image or memory snapshot on a host: whether it can be restored there once the host is rolled.

    ``to``  other hosts of the pool, as they will be, that would take it
    """

    host: str
    guest: str
    answer: Answer
    to: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRolloutResult:
    """An order in which to roll hosts, and what it costs.

    ``left``      hosts that no canary is like: they stay what they are;  ``silent``  those that nobody heard of
    ``outside``   hosts that would not certainly run the level in force once they are rolled, with the answer
    ``rollback``  what guests that are started on a rolled host say to going back, by the canary
    ``labels``    what guests are called in steps
    ``not_reported``  hosts of whose guests nothing is known: they are taken to be at the level in force, or to be what
                  starts there now, which nobody said
    """

    kind: ClassVar[str] = "fleet-rollout/1"

    pool: str
    canaries: tuple[str, ...]
    order: RolloutOrder
    lost: tuple[Lost, ...]
    traps: tuple[Trap, ...]
    saved: tuple[Saved, ...]
    outside: Mapping[str, Answer]
    rollback: Mapping[str, Answer]
    left: tuple[str, ...]
    silent: tuple[str, ...]
    not_reported: tuple[str, ...]
    labels: Mapping[str, str]
    guests: int

    @property
    def answer(self) -> Answer:
        """The worst for guests, saved images and hosts; of a silent host it cannot be said."""
        answers = [*(one.answer for one in self.lost), *(one.answer for one in self.saved)]
        not_known: list[Answer] = ["unknown"] if self.silent or self.not_reported else []
        return worst([*answers, *self.outside.values(), *not_known])

    @property
    def status(self) -> int:
        """The exit status: that of the answer."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the fleet-rollout/1 object."""
        return {
            "kind": self.kind,
            "pool": self.pool,
            "canaries": list(self.canaries),
            "answer": self.answer,
            "proven": self.order.proven,
            "guests": self.guests,
            "steps": [
                {
                    "hosts": list(step.hosts),
                    "travels": [
                        {
                            "guest": self.labels[one.rider.guest],
                            "born_at": one.rider.host,
                            "count": one.rider.count,
                            "from": list(one.source),
                            "to": list(one.target),
                        }
                        for one in step.travels
                    ],
                    "stopped": [
                        {"guest": self.labels[one.guest], "host": one.host, "count": one.count}
                        for one in step.lost
                    ],
                }
                for step in self.order.steps
            ],
            "lost": [
                {
                    "guest": self.labels[one.guest],
                    "host": one.host,
                    "count": one.count,
                    "answer": one.answer,
                    "cornered": one.cornered,
                    "findings": findings_told(one.findings),
                }
                for one in self.lost
            ],
            "traps": [
                {
                    "guest": self.labels.get(one.guest, one.guest),
                    "before": one.before,
                    "after": one.after,
                    "answer": one.answer,
                    "findings": findings_told(one.findings),
                }
                for one in self.traps
            ],
            "saved": [
                {
                    "host": one.host,
                    "guest": one.guest,
                    "answer": one.answer,
                    "to": list(one.to),
                    "findings": findings_told(one.findings),
                }
                for one in self.saved
            ],
            "outside": dict(self.outside),
            "rollback": dict(self.rollback),
            "left": list(self.left),
            "silent": list(self.silent),
            "not_reported": list(self.not_reported),
        }


def fleet_rollout(
    name: str, canaries: Sequence[str], fleet: str = "", *, saved: Sequence[str] = ()
) -> FleetRolloutResult:
    """Say in which order to roll a pool so that its hosts become what canaries are.

    ``canaries`` are profiles, or hosts of the fleet, each of other cores: every host of the pool with its cores is to
    become what it is. ``saved`` are images and snapshots, ``HOST:GUEST``, with a guest profile.

    Raises:
        UsageError: no canary, two of the same cores, or one that no host of the pool is like.
        UnknownName: no pool or host is called so.
        StoreError: there is no store, or it cannot be read.

    """
    if not canaries:
        raise UsageError(
            "no canary was named", hint="--as CANARY: a profile of a host that was rolled, or its name"
        )
    with store_named(fleet).reading() as connection:
        state = pool_state(connection, name, request_now().now)
        known = [host_or_profile(connection, state, text) for text in canaries]
        running = running_of(connection, [one.host.id for one in state.standings])
        plan = _Plan(connection, state, known, running)
    return plan.result(saved)


class _Plan:
    # A rollout of one pool: what each host is to become, and the guests that are there.
    def __init__(
        self,
        connection: Connection,
        state: PoolState,
        canaries: Sequence[tuple[FleetHost, Host]],
        running: Mapping[str, Reported],
    ) -> None:
        self.state = state
        self.canaries = {host.name: host.last.kind for host, _ in canaries}
        self.profiles = {**state.profiles, **{host.last.kind: profile for host, profile in canaries}}
        self.hosts = list(self._rolled(canaries))
        self.kinds = {one.name: one for one in self.hosts}
        self.guests, self.levels = travellers(connection, running)
        self.level = self._level()
        self.ways = Ways(self.profiles, state.pool.policy.choices)
        self.riders = list(self._riders(running))
        self.not_reported = tuple(
            one.host.name for one in state.standings if one.host.id not in running and not one.silent
        )

    def _rolled(self, canaries: Sequence[tuple[FleetHost, Host]]) -> Iterator[Rolled]:
        by_cores: dict[frozenset[Implementation], tuple[str, str]] = {}
        for host, profile in canaries:
            cores = _cores(profile)
            if cores in by_cores:
                text = f"{by_cores[cores][0]} and {host.name} have the same cores"
                raise UsageError(text, hint="one canary for each sort of cores")
            by_cores[cores] = (host.name, host.last.kind)
        met = set()
        for one in self.state.standings:
            cores = _cores(self.profiles[one.host.last.kind])
            met.add(cores)
            if not one.silent:
                kind = one.host.last.kind
                yield Rolled(one.host.name, kind, by_cores.get(cores, ("", kind))[1])
        for cores, (name, _) in by_cores.items():
            if cores not in met:
                raise UsageError(f"no host of pool {self.state.pool.name} has the cores of {name}")

    def _riders(self, running: Mapping[str, Reported]) -> Iterator[Rider]:
        for one in self.state.standings:
            host = one.host
            if one.silent:
                continue
            if host.id not in running:
                kind = host.last.kind
                there = self.level or started_on(kind, self.profiles[kind])
                self.guests.setdefault(there.key, there)
                yield Rider(there.key, host.name)
                continue
            counts: dict[str, int] = {}
            for guest in running[host.id].guests:
                key = guest.guest or "not known"
                self.guests.setdefault(key, Traveller(key, None))
                counts[key] = counts.get(key, 0) + 1
            yield from (Rider(key, host.name, count) for key, count in counts.items())

    def _level(self) -> Traveller | None:
        level = self.state.in_force
        if level is None:
            return None
        self.levels[level.digest] = f"{self.state.pool.name} {level.version}"
        return of_level(level, self.state.values)

    def arrives(self, key: str, here: str, there: str) -> Arrives:
        # A guest of which not all is known is what it was where it is; one that is known carries on what it came to.
        guest = self.guests[key]
        return self.ways.arrives(guest, here, there, came=guest.guest is not None)

    def way(self, *answers: Answer) -> Callable[[str, str, str], bool]:
        return lambda key, here, there: self.arrives(key, here, there).answer in answers

    def result(self, saved: Sequence[str]) -> FleetRolloutResult:
        order = order_of(self.hosts, self.riders, self.way("runs"))
        moving = [one for one in self.hosts if one.before != one.after]
        return FleetRolloutResult(
            pool=self.state.pool.name,
            canaries=tuple(self.canaries),
            order=order,
            lost=(
                *(self._lost(rider, cornered=False) for rider in order.lost),
                *(self._lost(rider, cornered=True) for rider in order.cornered),
            ),
            traps=tuple(self._traps(moving)),
            saved=tuple(self._saved(text) for text in saved),
            outside=self._outside(moving),
            rollback=self._rollback(moving),
            left=tuple(one.name for one in self.hosts if one.after not in self.canaries.values()),
            silent=tuple(one.host.name for one in self.state.standings if one.silent),
            not_reported=self.not_reported,
            labels=self._labels(),
            guests=sum(one.count for one in self.riders if one.host not in self.not_reported),
        )

    def _labels(self) -> dict[str, str]:
        said = {"not known": "guests of which not enough is known"}
        for key, guest in self.guests.items():
            started = guest.guest is not None and key.startswith("started on ")
            name = guest.guest.name if started and guest.guest is not None else f"cpu {key[7:19]}"
            said.setdefault(key, f"level {self.levels[key]}" if key in self.levels else name)
        return said

    def _lost(self, rider: Rider, *, cornered: bool) -> Lost:
        alone = order_of(self.hosts, [rider], self.way("runs", "unknown"))
        never = bool(alone.cornered or alone.lost)
        kind = self.kinds[rider.host].before
        others = {one.after for one in self.hosts if one.name != rider.host}
        said = [self.arrives(rider.guest, kind, there) for there in sorted(others)]
        against = [one for one in said if one.answer != "runs"]
        nearest = min(against, key=lambda one: len(one.findings), default=Arrives("unknown"))
        return Lost(
            rider.guest,
            rider.host,
            rider.count,
            "refused" if never else "unknown",
            cornered,
            nearest.findings,
        )

    def _traps(self, moving: Sequence[Rolled]) -> Iterator[Trap]:
        pairs = dict.fromkeys((one.before, one.after) for one in moving)
        for before, after in pairs:
            for key in dict.fromkeys(one.guest for one in self.riders):
                there, back = self.arrives(key, before, after), self.arrives(key, after, before)
                if there.answer == "runs" and back.answer != "runs":
                    yield Trap(key, before, after, back.answer, back.findings)

    def _rollback(self, moving: Sequence[Rolled]) -> dict[str, Answer]:
        found: dict[str, list[Answer]] = {}
        for before, after in dict.fromkeys((one.before, one.after) for one in moving):
            name = next(name for name, kind in self.canaries.items() if kind == after)
            said = self.ways.arrives(started_on(after, self.profiles[after]), after, before)
            found.setdefault(name, []).append(said.answer)
        return {name: worst(answers) for name, answers in found.items()}

    def _outside(self, moving: Sequence[Rolled]) -> dict[str, Answer]:
        if self.level is None:
            return {}
        said = {one.name: self.ways.arrives(self.level, one.before, one.after).answer for one in moving}
        return {name: answer for name, answer in said.items() if answer != "runs"}

    def _saved(self, text: str) -> Saved:
        name, sign, path = text.partition(":")
        if not sign or name not in self.kinds:
            hint = "--saved HOST:GUEST, with a host of the pool and a guest profile"
            raise UsageError(
                f"--saved {ascii(text)[1:-1][:80]}: names no host of the pool and a guest", hint=hint
            )
        guest = _one_guest(path)
        own = self.kinds[name]
        traveller = Traveller(f"saved {path}", guest, "stamp", levelled=True)
        answers = {one.name: self.ways.arrives(traveller, own.before, one.after) for one in self.hosts}
        others = tuple(one for one, said in answers.items() if one != name and said.answer == "runs")
        return Saved(name, guest.name, answers[name].answer, others, answers[name].findings)


def _one_guest(path: str) -> Guest:
    guests = list(guests_named([path]))
    if len(guests) != 1:
        raise UsageError(f"{path}: {len(guests)} guests", hint="name one guest profile")
    return guests[0]


def _cores(profile: Host) -> frozenset[Implementation]:
    return frozenset(cpu.implementation for cpu in profile.every_cpu)
