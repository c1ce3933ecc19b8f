"""A law over remedies: each that is told is followed here, and the answer changes as it was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, permutations, product

import pytest

from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import (
    Answer,
    Move,
    Policy,
    Remedy,
    check,
    level,
    migrate,
    passthrough,
    stack_of,
    switches_named,
)
from armlevel.engine.remedies import remedies_of_baseline, remedies_of_guest, tolerating
from armlevel.machines import folder, names
from armlevel.profile import Host
from tests.fidelity.hosts import read

CATALOGUE = load()
VMMS = ("kvm", "qemu-10.0", "qemu-11.1", "firecracker")
with folder() as _shipped:
    RECORDED = {host.name: host for host in load_hosts([str(_shipped / f"{name}.json") for name in names()])}
LAB = {host.name: host for host in read()}

# One silicon under other kernels, other silicon, another clock, and what ships.
SAMPLE = (
    ("neoverse-n1@7.x", "neoverse-n1@6.18", "qemu-11.1"),
    ("neoverse-n1@7.x", "neoverse-n1@6.12", "qemu-11.1"),
    ("neoverse-n1@6.12", "neoverse-n1@7.x", "kvm"),
    ("neoverse-n2@7.x", "neoverse-n2@6.12", "qemu-11.1"),
    ("neoverse-n2@6.12", "neoverse-n2@7.x", "qemu-10.0"),
    ("neoverse-v1@7.x", "neoverse-v1,sve=off@7.x", "qemu-11.1"),
    ("neoverse-n2@7.x", "neoverse-v1@7.x", "qemu-11.1"),
    ("neoverse-n1,cntfrq=100000000@7.x", "neoverse-n1@7.x", "qemu-11.1"),
    ("neoverse-n1@7.x", "cortex-a72@6.12", "firecracker"),
    ("graviton2@6.18", "graviton2@6.1", "kvm"),
    ("graviton3@6.18", "graviton4@6.18", "qemu-11.1"),
)


def host_of(name: str) -> Host:
    return LAB.get(name) or RECORDED[name]


def followed(way: Remedy, source: Host, target: Host, vmm: str) -> Answer:
    """Carry a way out of a move out, and answer the move anew."""
    stack = stack_of(way) or vmm
    if way.kind == "switches":
        switches = switches_named(str(way.args[0]), stack, CATALOGUE)
        return migrate(source, target, CATALOGUE, vmm=stack, switches=switches)[0].answer
    if way.kind == "vmm":
        return migrate(source, target, CATALOGUE, vmm=stack)[0].answer
    if way.kind in ("level-and-run", "level-and-export"):
        outcome = level([source, target], CATALOGUE, Policy(tolerate=tuple(map(str, way.args))))
        assert outcome.guest is not None
        moves = migrate(source, target, CATALOGUE, guest=outcome.guest, vmm=vmm)
        return "runs" if {move.answer for move in moves} == {outcome.answer} == {"runs"} else "refused"
    if way.kind == "upgrade-kernel":
        newer = next(host for host in (source, target) if host.name not in way.hosts)
        older = source if newer is target else target
        moved = replace(newer, name=older.name)
        ends = (moved, target) if older is source else (source, moved)
        return migrate(*ends, CATALOGUE, vmm=vmm)[0].answer
    if way.kind == "nothing":
        facts = [str(name) for name in way.args]
        assert facts
        assert all(getattr(source.facts, name) != getattr(target.facts, name) for name in facts)
        return "runs"
    assert way.kind == "restart"
    return check(passthrough(target, CATALOGUE), target, CATALOGUE).start


def told_and_followed(pairs: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, Move]]:
    """Follow what is told of refused moves; give the kinds of remedies."""
    for one, two, vmm in pairs:
        source, target = host_of(one), host_of(two)
        move = migrate(source, target, CATALOGUE, vmm=vmm)[0]
        if move.answer != "refused":
            continue
        assert move.ways, (one, two, vmm)
        for way in move.ways:
            assert followed(way, source, target, vmm) == "runs", (one, two, vmm, way)
            yield way.kind, move


def test_each_way_out_of_a_refused_move_works_when_it_is_followed(tell):
    kinds = {kind for kind, _ in told_and_followed(SAMPLE)}
    wanted = {"switches", "vmm", "level-and-run", "upgrade-kernel", "nothing", "restart"}
    assert wanted <= kinds
    tell(f"remedies: {len(kinds)} kinds followed on {len(SAMPLE)} moves")


@pytest.mark.slow
@pytest.mark.parametrize("vmm", VMMS)
def test_each_way_out_of_every_refused_move_works_when_it_is_followed(vmm, tell):
    pairs = [(one, two, vmm) for hosts in (LAB, RECORDED) for one, two in permutations(hosts, 2)]
    found = sum(1 for _ in told_and_followed(pairs))
    assert found > len(pairs)
    tell(f"remedies: {found} followed on {len(pairs)} moves under {vmm}")


def levelled_again(way: Remedy, hosts: Sequence[Host]) -> Answer:
    """Carry a remedy of a baseline out, and level anew."""
    if way.kind == "tolerate":
        return level(hosts, CATALOGUE, Policy(tolerate=tuple(map(str, way.args)))).answer
    if way.kind == "kernel-as":
        twin = next(host for host in hosts if host.name == str(way.args[1]))
        assert twin.software.kernel == str(way.args[0])
        moved = [replace(twin, name=host.name) if host.name in way.hosts else host for host in hosts]
        return level(moved, CATALOGUE).answer
    if way.kind == "fact":
        return "unknown" if kernels_told(way, hosts) else "refused"
    assert way.kind == "nothing"
    return "unknown"


def kernels_told(way: Remedy, hosts: Sequence[Host]) -> bool:
    """Whether some kernels of the hosts of which none is recorded have the kernel of another host help."""
    for releases in product(("4.14.1", "9.9.9"), repeat=len(way.hosts)):
        given: dict[str, str] = dict(zip(way.hosts, releases, strict=True))
        told = [
            replace(host, software=replace(host.software, kernel=given.get(host.name, host.software.kernel)))
            for host in hosts
        ]
        ways = remedies_of_baseline(told, level(told, CATALOGUE), CATALOGUE, Policy())
        if any(one.kind == "kernel-as" and levelled_again(one, told) != "refused" for one in ways):
            return True
    return False


FLEETS = (
    ("neoverse-n2@7.x", "neoverse-n2@6.12"),
    ("neoverse-n2@6.1", "neoverse-n2@6.18", "neoverse-n1@7.x"),
    ("neoverse-n1,cntfrq=100000000@7.x", "neoverse-n1@7.x"),
    ("graviton2@6.1", "graviton3@6.18"),
)


def remedies_that_change(fleet: Sequence[Host]) -> list[str]:
    outcome = level(fleet, CATALOGUE)
    ways = remedies_of_baseline(fleet, outcome, CATALOGUE, Policy())
    assert bool(ways) == (outcome.answer == "refused")
    for way in ways:
        assert levelled_again(way, fleet) != "refused", (way, [host.name for host in fleet])
    return [way.kind for way in ways]


def test_each_remedy_of_a_baseline_that_is_not_there_works_when_it_is_followed():
    kinds = {kind for names in FLEETS for kind in remedies_that_change([host_of(name) for name in names])}
    assert {"tolerate", "kernel-as", "nothing"} <= kinds


@pytest.mark.slow
def test_each_remedy_of_every_pair_without_a_baseline_works_when_it_is_followed(tell):
    pairs = list(combinations(LAB.values(), 2))
    found = [kind for pair in pairs for kind in remedies_that_change(pair)]
    assert len(found) > len(pairs) // 4
    tell(f"remedies: {len(found)} of baselines followed, {len(pairs)} pairs")


@pytest.mark.parametrize(("one", "two", "_vmm"), SAMPLE)
def test_each_remedy_of_a_guest_that_is_refused_works_when_it_is_followed(one, two, _vmm):
    guest, host = passthrough(host_of(one), CATALOGUE), host_of(two)
    verdict = check(guest, host, CATALOGUE)
    for way in remedies_of_guest(guest, host, verdict, CATALOGUE, Policy()):
        if way.kind == "tolerate":
            wider = tolerating(guest, map(str, way.args), CATALOGUE)
            assert check(wider, host, CATALOGUE).arrive != verdict.arrive == "refused"
        elif way.kind == "start-on":
            assert verdict.arrive == "runs"
            assert set(way.hosts) <= set(guest.starts_on)
        else:
            assert way.kind in ("nothing", "restart")


def unrecorded(name: str) -> Host:
    host = host_of(name)
    return replace(host, software=replace(host.software, kernel=None))


@pytest.mark.parametrize("ends", [("old",), ("new",), ("old", "new")])
def test_no_kernel_is_named_where_that_of_an_end_is_not_recorded(ends):
    old, new = "neoverse-n1@6.12", "neoverse-n1@7.x"
    one, two = (
        unrecorded(name) if end in ends else host_of(name) for end, name in (("old", old), ("new", new))
    )
    moves = [
        migrate(source, target, CATALOGUE, vmm=VMMS[0])[0] for source, target in ((one, two), (two, one))
    ]
    kinds = {way.kind for move in moves for way in move.ways}
    assert kinds
    assert not kinds & {"upgrade-kernel", "kernel-as"}
    upgraded = [
        migrate(source, target, CATALOGUE, vmm=VMMS[0])[0]
        for source, target in permutations([host_of(old), host_of(new)])
    ]
    assert "upgrade-kernel" in {way.kind for move in upgraded for way in move.ways}


def test_no_baseline_is_promised_under_the_kernel_of_another_where_kernels_are_not_recorded():
    names = FLEETS[0]
    assert "kernel-as" in remedies_that_change([host_of(name) for name in names])
    for silent in ({names[0]}, {names[1]}, {*names}):
        fleet = [unrecorded(name) if name in silent else host_of(name) for name in names]
        assert "kernel-as" not in remedies_that_change(fleet)
