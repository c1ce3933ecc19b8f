"""Making the migrations: the cases of one pair of hosts share one boot of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from armlevel.arch import Catalogue
from armlevel.documents import read_host
from armlevel.engine.moves.settings import settings_of
from armlevel.errors import LabError
from armlevel.lab import Laboratory, parse_host
from armlevel.lab.levelled import levelled_slot, observed_slot
from armlevel.lab.migration import (
    DidNotBoot,
    Migrated,
    MovingGuest,
    Slot,
    Waiting,
    await_guest,
    begin,
    machine_of,
    move,
)
from armlevel.lab.session import Refused, Session
from armlevel.profile import Host
from tests.fidelity.hosts import read
from tests.migrations.plan import Case
from tests.migrations.predicted import Seen, guests_of, see

__all__ = ["migrations", "profiles"]

_LOG = "/tmp/armlevel/log"


def profiles(lab: Laboratory, names: Iterable[str]) -> dict[str, Host]:
    """Return the hosts as they were recorded; one whose kernel is another by now is probed."""
    found = {host.name: host for host in read(tuple(names))}
    for name, host in found.items():
        line = parse_host(name)
        release = lab.prepare(line)
        if not (host.software.kernel or "").startswith(release):
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
) -> Iterator[tuple[Case, Seen]]:
    a, b = cases[0].pair
    qemus = tuple(sorted({version for case in cases for version in case.qemu}))
    with lab.pair(parse_host(a), parse_host(b), qemus) as (one, other):
        sessions = {a: one, b: other}
        for number, case in enumerate(cases):
            seen = _case(case, f"guest{number}", sessions, hosts, catalogue)
            for session in sessions.values():
                session.ask("end", name=f"guest{number}")
            yield case, seen


def _case(
    case: Case, name: str, sessions: Mapping[str, Session], hosts: Mapping[str, Host], catalogue: Catalogue
) -> Seen:
    here, there = sessions[case.source], sessions[case.target]
    source, target = Slot(session=here, qemu=case.qemu[0]), Slot(session=there, qemu=case.qemu[1])
    ours, theirs = guests_of(case, hosts, catalogue)
    if ours is not None and theirs is not None:
        source = levelled_slot(source, ours, hosts[case.source])
        target = levelled_slot(target, theirs, hosts[case.target], arrives=True)
    else:
        target = observed_slot(target)
    target = replace(target, files={**target.files, _LOG: ""})
    cpu = f"host,{case.switches}" if case.switches else "host"
    guest = MovingGuest(machine_of(*case.qemu), cpu, case.vcpus)
    waiting: list[Waiting] = []
    started: list[str] = []

    def meanwhile() -> None:
        waiting.append(await_guest(target, name, guest))
        started.append(there.ask("read", path=_LOG))

    try:
        running = begin(source, name, guest, meanwhile)
        moved = move(running, waiting[0])
    except DidNotBoot as exc:
        return see(Migrated(problem=f"not born: {exc}"), "", ())
    except Refused as exc:
        return see(Migrated(problem=str(exc)), "", ())
    log = there.ask("read", path=_LOG).removeprefix(started[0])
    expects = settings_of(theirs, hosts[case.target], catalogue).expects if theirs is not None else ()
    return see(moved, log, (hosts[case.source], hosts[case.target]), expects)
