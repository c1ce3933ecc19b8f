"""Making the migrations: the cases of one pair of hosts share one boot of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from armlevel.arch import Catalogue
from armlevel.documents import read_host
from armlevel.engine.moves.settings import settings_of
from armlevel.engine.parts.machine_given import given_on
from armlevel.errors import LabError
from armlevel.lab import Laboratory, parse_host
from armlevel.lab.levelled import levelled_slot, observed_slot
from armlevel.lab.migration import (
    DidNotBoot,
    Migrated,
    Running,
    Slot,
    Waiting,
    arrived_as,
    await_guest,
    begin,
    move,
    revived,
)
from armlevel.lab.session import Refused, Session
from armlevel.profile import Guest, Host
from tests.migrations.around import machine_cases
from tests.migrations.plan import USUAL, Case
from tests.migrations.predicted import Seen, asked_of, command_of, guests_of, see
from tests.migrations.recorded import recorded_hosts

__all__ = ["migrations", "profiles"]

_LOG = "/tmp/armlevel/log"


class _NoDestinationError(Exception):
    """QEMU ends where it should await the guest."""


def profiles(lab: Laboratory, names: Iterable[str]) -> dict[str, Host]:
    """Return the hosts as they were recorded; one whose kernel is another by now is probed."""
    found = recorded_hosts(names)
    for name in dict.fromkeys(names):
        line = parse_host(name)
        release = lab.prepare(line)
        host = found.get(name)
        if host is None or not (host.software.kernel or "").startswith(release):
            found[name] = read_host(lab.profile(line), name)
    return found


def migrations(
    lab: Laboratory,
    cases: Sequence[Case],
    hosts: Mapping[str, Host],
    catalogue: Catalogue,
    tell: Callable[[str], None] = lambda _line: None,
) -> Iterator[tuple[Case, Seen | LabError]]:
    """Make every migration, pair by pair; a pair that breaks is booted once more for what is left of its cases."""
    for pair, some in itertools.groupby(cases, key=lambda case: case.pair):
        left, tries = list(some), 2
        while left and tries:
            tries -= 1
            tell(f"booting {pair[0]} and {pair[1]} for {len(left)} migrations")
            try:
                for case, seen in _of_pair(lab, left[:], hosts, catalogue):
                    left.remove(case)
                    yield case, seen
            except LabError as exc:
                problem = exc
                tell(f"{exc}")
        for case in left:
            yield case, problem


def _of_pair(
    lab: Laboratory, cases: Sequence[Case], hosts: Mapping[str, Host], catalogue: Catalogue
) -> Iterator[tuple[Case, Seen | LabError]]:
    a, b = cases[0].pair
    qemus = tuple(sorted({version for case in cases for version in case.qemu}))
    with lab.pair(parse_host(a), parse_host(b), qemus) as (one, other):
        sessions = {a: one, b: other}
        kept = _Kept()
        for number, case in enumerate(cases):
            seen = _case(case, f"guest{number}", sessions, hosts, catalogue, kept)
            names = dict.fromkeys([f"guest{number}", *kept.left])
            for session, ended in itertools.product(sessions.values(), names):
                if not kept.is_it(session, ended):
                    session.ask("end", name=ended)
            kept.left = [kept.running.name] if kept.running is not None else []
            yield case, seen


@dataclass(slots=True)
class _Kept:
    """The guest of the last case where it goes on as it was: the next one that would be started so is that guest.

    ``key``  how it was started, and where it is now;  ``left``  names whose QEMU may be there still
    """

    key: tuple[object, ...] | None = None
    running: Running | None = None
    left: list[str] = field(default_factory=list)

    def is_it(self, session: Session, name: str) -> bool:
        """Tell whether it is what is called so in a host."""
        it = self.running
        return it is not None and it.name == name and it.slot.session is session

    def taken(self, key: tuple[object, ...] | None) -> Running | None:
        """Return it if it is the one that would be started so; it is kept no longer."""
        found = self.running if key is not None and key == self.key else None
        self.key = self.running = None
        return found

    def keep(self, case: Case, running: Running, waiting: Waiting, moved: Migrated) -> None:
        """Keep the guest of a case, which is at the source, or came to the destination as it was."""
        if case not in machine_cases():
            return
        if not moved.arrived:
            self.key = _key(case, case.source, case.qemu[0]) if revived(running) else None
            self.running = running if self.key else None
        elif case.there is None and (there := arrived_as(waiting, moved)) is not None:
            self.key, self.running = _key(case, case.target, case.qemu[1]), there


def _key(case: Case, host: str, qemu: str) -> tuple[object, ...]:
    return host, qemu, case.asked, case.level, case.tolerate, case.switches, case.vcpus, case.mistake


def _with_machines(
    case: Case, guests: tuple[Guest, Guest], hosts: Mapping[str, Host], catalogue: Catalogue
) -> tuple[Guest, Guest]:
    # What QEMU is told of a guest CPU says whether it has stolen time, so that each side's has to be in the profile.
    if case.asked == USUAL and case.there is None:
        return guests
    here = given_on(asked_of(case), hosts[case.source], catalogue)
    there = given_on(asked_of(case, there=True), hosts[case.target], catalogue)
    return replace(guests[0], machine=here), replace(guests[1], machine=there)


def _case(  # noqa: PLR0917
    case: Case,
    name: str,
    sessions: Mapping[str, Session],
    hosts: Mapping[str, Host],
    catalogue: Catalogue,
    kept: _Kept,
) -> Seen | LabError:
    here, there = sessions[case.source], sessions[case.target]
    source, target = Slot(session=here, qemu=case.qemu[0]), Slot(session=there, qemu=case.qemu[1])
    ours, theirs = guests_of(case, hosts, catalogue)
    if ours is not None and theirs is not None:
        ours, theirs = _with_machines(case, (ours, theirs), hosts, catalogue)
        source = levelled_slot(source, ours, hosts[case.source])
        target = levelled_slot(target, theirs, hosts[case.target], arrives=True)
    else:
        target = observed_slot(target)
    target = replace(target, files={**target.files, _LOG: ""})
    guest, awaited = command_of(case), command_of(case, there=True)
    waiting: list[Waiting] = []
    started: list[str] = []

    def meanwhile() -> None:
        waiting.append(await_guest(target, name, awaited))
        if waiting[0].status["exit"] is not None:
            raise _NoDestinationError
        started.append(there.ask("read", path=_LOG))

    known = kept.taken(_key(case, case.source, case.qemu[0]))
    try:
        if known is None:
            running = begin(source, name, guest, meanwhile)
        else:
            meanwhile()
            running = known
        moved = move(running, waiting[0])
        kept.keep(case, running, waiting[0], moved)
    except _NoDestinationError:
        # Whatever its guest does, it has nowhere to go.
        if known is not None:
            kept.key, kept.running = _key(case, case.source, case.qemu[0]), known
        problem = "QEMU does not start on the destination"
        return see(Migrated(target_said=waiting[0].status["said"], problem=problem), "", ())
    except DidNotBoot as exc:
        # No migration, and so neither right nor wrong.
        return LabError(f"its guest does not start: {exc}")
    except Refused as exc:
        return see(Migrated(problem=str(exc)), "", ())
    log = there.ask("read", path=_LOG).removeprefix(started[0])
    expects = settings_of(theirs, hosts[case.target], catalogue).expects if theirs is not None else ()
    return see(moved, log, (hosts[case.source], hosts[case.target]), expects)
