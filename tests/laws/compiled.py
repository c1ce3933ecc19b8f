"""Hosts to compile: recorded ones, and such as have what few recorded ones have; and what two judges say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from armlevel.arch import mentioned
from armlevel.documents import load_hosts
from armlevel.engine import Answer, Part, Policy, check, passthrough
from armlevel.engine.moves.moves import judged_move
from armlevel.engine.screen.compiled import HostVector, Screen
from armlevel.engine.screen.moves import End, MoveScreen, behaviour_of
from armlevel.kvm import name_of
from armlevel.profile import (
    Accepts,
    Cpu,
    Guest,
    GuestMachine,
    Host,
    HostMachine,
    Implementation,
    Offer,
    Shape,
)
from armlevel.profile.machine import TriedField
from tests.fidelity import hosts as lab
from tests.laws.fleet import catalogue, recorded
from tests.laws.test_partial import VIEWS

__all__ = ["Moved", "Screened", "every_host", "given_machine", "guests_of", "stranger"]

_HISTORY = Path(__file__).parents[1] / "machines" / "hosts"

Parts = Mapping[Part, tuple[Answer, Answer]]


@cache
def every_host() -> tuple[Host, ...]:
    """Every recorded machine and every host of the lab; and what less was recorded of some."""
    history = load_hosts(sorted(map(str, _HISTORY.glob("*.json"))))
    whole = [*recorded(), *history, *lab.read(lab.HOSTS)]
    less = [
        replace(view(host), name=f"{host.name}, {name}")
        for host in (whole[2], whole[5], whole[-1])
        for name, view in VIEWS.items()
    ]
    return (*whole, *less)


def guests_of(host: Host, chance: Random | None = None) -> Iterator[Guest]:
    """The passthrough guest of each shape of a host; with ``chance``, something may stand around its vCPUs."""
    for shape in host.shapes:
        machine = None if chance is None else given_machine(chance)
        yield passthrough(host, catalogue(), shape=shape, machine=machine)


def stranger(host: Host, chance: Random) -> Host:
    """A host with what few have: fields that KVM changes by itself, CPUs of two kinds, kernels nobody measured."""
    size = chance.choice((host.facts.page_size, 4096, 16384, None))
    steal = chance.choice(({}, {"STEAL_TIME": 0}, {"STEAL_TIME": 1}))
    return replace(
        _other_cpus(host, chance),
        facts=replace(
            host.facts, page_size=size, dczid=chance.choice((host.facts.dczid, host.facts.dczid, None))
        ),
        machine=_around(chance),
        offers=tuple(_stranger(offer, host, chance) for offer in host.offers),
        software=replace(
            host.software,
            kernel=chance.choice((host.software.kernel, host.software.kernel, "6.18.1", "5.14.0-1", None)),
            kvm_capabilities={**host.software.kvm_capabilities, **steal},
        ),
    )


def _around(chance: Random) -> HostMachine | None:
    if not chance.randint(0, 2):
        return None
    field = TriedField(chance.choice((4, 5)), frozenset({4}), frozenset({7}))
    return HostMachine(
        gic=chance.choice((None, {"v2": "yes", "v3": "yes", "its": "yes"}, {"v2": "ENODEV", "v3": "yes"})),
        icc_ctlr=chance.choice((None, dict.fromkeys(("PRIbits", "IDbits", "SEIS", "A3V"), field))),
        gicd_iidr=chance.choice((None, field)),
        ipa_bits=chance.choice((None, 40, 48)),
        counter_offset=chance.choice((None, True, False)),
        steal_time=chance.choice((None, True, False)),
        unknown=chance.choice((None, (), ("KVM_CAP 9999",))),
    )


def given_machine(chance: Random) -> GuestMachine | None:
    """What a VMM may be asked for around a guest's vCPUs."""
    if not chance.randint(0, 2):
        return None
    return GuestMachine(
        vmm=chance.choice(("qemu", "firecracker", None)),
        gic_asked=chance.choice(("default", "host", "max", "2", "3", None)),
        its=chance.choice((None, True, False)),
        vcpus=chance.choice((None, 1, 65)),
        memory=chance.choice((None, 1 << 30)),
        maxmem=chance.choice((None, 600 << 30)),
        virtualization=chance.choice((None, False)),
        steal_time_asked=chance.choice((None, "on", "off", "default")),
    )


def _other_cpus(host: Host, chance: Random) -> Host:
    other = Cpu(Implementation(chance.choice((0x412FD050, None)), 0, chance.choice((0, None))))
    match chance.randint(0, 5):
        case 0:
            return replace(host, cpus=(*host.cpus, other))
        case 1:
            return replace(host, other_cpus=(other,))
        case 2:
            return replace(host, cpus=())
    return host


@cache
def _telling() -> frozenset[str]:
    # What rows about several fields lean on, what may be tolerated, and what a cache geometry is held against.
    known = catalogue()
    coupled = {
        name
        for row in known.couplings
        for name in (*row.then, *(() if isinstance(row.when, str) else mentioned(row.when)))
    }
    tolerated = {name for row in known.tolerances.values() for name in row.fields}
    caches = {one.subject for name in ("CTR_EL0", "CLIDR_EL1") for one in known.registers[name].fields}
    return frozenset(coupled | tolerated | caches)


def _stranger(offer: Offer, host: Host, chance: Random) -> Offer:
    if offer.like is not None:
        return offer
    known = catalogue()
    fields = [
        f for f in known.fields.values() if f.register in offer.limits and f.width <= 4 and not f.derived
    ]
    changed, beside = (
        dict(offer.changed_by_kvm),
        {key: dict(some) for key, some in offer.side_effects.items()},
    )
    firmware = dict(offer.accepts)
    if chance.randint(0, 2) == 0:
        field = chance.choice(fields)
        limit = offer.limits[field.register]
        changed[field.register] = field.put(limit, field.get(limit) ^ 1)
    if chance.randint(0, 1) == 0:
        one, two = chance.sample(fields, 2)
        value = chance.choice((one.get(offer.limits[one.register]), 0, 1))
        own = two.get(offer.limits[two.register])
        beside[f"{one.subject}={value}"] = {two.subject: chance.choice((None, own, own ^ 1))}
    for name, value in offer.firmware.items():
        if chance.randint(0, 5) == 0:
            some = {value, chance.randint(0, 3), 0x10000}
            firmware[f"{name}.63:0"] = Accepts.of(some, others=chance.choice(("refused", "unknown")))
    # Two hosts of one list, of which one has a 0 in a register that may then stay behind.
    dropped = [row for row in known.drops if chance.randint(0, 9) == 0]
    listed = sorted({*(offer.register_list or ()), *(one for row in dropped for one in row.kvm_ids)})
    state = {**offer.state, **{name_of(one): chance.randint(0, 1) for row in dropped for one in row.kvm_ids}}
    limits = dict(offer.limits)
    for _ in range(chance.randint(0, 2)):
        # A lower limit of which nobody knows what else it takes; a bit without a name that is set.
        field = chance.choice(chance.choice((fields, [one for one in fields if one.subject in _telling()])))
        limits[field.register] = field.put(limits[field.register], chance.randint(0, 1))
        some = {field.get(limits[field.register])}
        others: Accepts = chance.choice(
            (Accepts.of(some), Accepts.of(some, others="unknown"), Accepts.of(None))
        )
        firmware[field.subject] = others
        run = chance.choice(list(known.registers[field.register].reserved) or [None])
        if run is not None and run.value is not None and not chance.randint(0, 2):
            limits[field.register] ^= 1 << run.lsb
    counters = chance.choice((None, 4, 6))
    pmu = {} if counters is None else {"counters": counters}
    return replace(
        offer,
        limits=limits,
        changed_by_kvm=changed,
        side_effects=beside,
        accepts=firmware,
        pmu=pmu,
        register_list=None if offer.register_list is None else tuple(listed),
        state=state,
    )


class Screened:
    """Hosts and what was compiled of them, held against the full judgement."""

    def __init__(self, hosts: Sequence[Host], policy: Policy | None = None) -> None:
        """Compile nothing yet."""
        self.hosts = tuple(hosts)
        self.policy = policy
        self.screen = Screen(catalogue())
        self._vectors: dict[tuple[int, Shape], HostVector | None] = {}

    def vector(self, place: int, shape: Shape) -> HostVector | None:
        """The vector of a host in a shape, compiled when it is first asked for."""
        key = (place, shape)
        if key not in self._vectors:
            offer = self.hosts[place].offer(shape)
            self._vectors[key] = None if offer is None else self.screen.host(self.hosts[place], offer)
        return self._vectors[key]

    def judged(self, guest: Guest, places: Sequence[int]) -> Iterator[tuple[str, Parts, Parts]]:
        """Yield what the full judgement and the vectors say of a guest on hosts that have its shape."""
        compiled = self.screen.guest(guest, self.policy)
        for place in places:
            vector = self.vector(place, guest.shape)
            if vector is not None:
                host = self.hosts[place]
                full = check(guest, host, catalogue(), self.policy)
                assert self.screen.runs(compiled, vector) is (full.arrive == "runs"), (guest.name, host.name)
                yield f"{guest.name} on {host.name}", full.parts, self.screen.answers(compiled, vector)


class Moved:
    """Hosts under one VMM, and what was compiled of them, held against the full judgement of moves."""

    def __init__(self, hosts: Sequence[Host], vmm: str, policy: Policy | None = None) -> None:
        """Compile each host."""
        self.hosts, self.vmm, self.policy = tuple(hosts), vmm, policy or Policy()
        known, row = behaviour_of(vmm, catalogue())
        assert known
        self.screen = MoveScreen(catalogue(), self.policy, row)
        self._ends: dict[int, End] = {}

    def end(self, place: int) -> End:
        """What was compiled of a host."""
        if place not in self._ends:
            self._ends[place] = self.screen.end(self.hosts[place])
        return self._ends[place]

    def judged(self, here: int, there: int) -> tuple[Mapping[Part, Answer], Mapping[Part, Answer]]:
        """What the full judgement and the vectors say of the arrival of a passthrough guest."""
        source, target = self.hosts[here], self.hosts[there]
        full = judged_move(source, target, catalogue(), self.vmm, None, self.policy)
        goes = self.screen.goes(self.end(here), self.end(there))
        assert goes is (full.answer == "runs"), (self.vmm, source.name, target.name)
        parts = {part: arrive for part, (_, arrive) in full.verdict.parts.items()}
        return parts, self.screen.answers(self.end(here), self.end(there))
