"""Levelling without reasons says what levelling says, part by part, or nothing: of pairs and of larger sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armlevel.engine import Policy, level
from armlevel.engine.fields.vectors.levelled import FieldLevels
from armlevel.engine.findings import answer_of
from armlevel.engine.parts.registers import level_fields
from armlevel.engine.screen.levels import Levels
from armlevel.profile import IMPLEMENTATION_REGISTERS, Accepts, Host, Offer, Shape
from tests.laws.compiled import every_host, stranger
from tests.laws.fleet import catalogue, make_fleet, recorded
from tests.laws.strategies import QUICK

_ANSWERS = ("runs", "refused", "unknown")


def _agree(hosts: Sequence[Host], sets: Iterable[Sequence[int]], policy: Policy, seen: Counter[str]) -> None:
    # Each set twice: what is remembered is what was worked out.
    levels = Levels(hosts, catalogue(), policy)
    for some in sets:
        told = levels.parts(some)
        seen["told" if told is not None else "in full"] += 1
        if told is not None:
            full = level([hosts[place] for place in some], catalogue(), policy)
            assert dict(told) == dict(full.parts), [hosts[place].name for place in some]
            assert levels.answer(some) == full.answer
            seen[full.answer] += 1


def _agree_of_fields(hosts: Sequence[Host], sets: Iterable[Sequence[int]], seen: Counter[str]) -> None:
    # Answers say little of values: fields are held against those of levelling, value by value.
    for shape in sorted({shape for host in hosts for shape in host.shapes}, key=str):
        fields = FieldLevels(catalogue(), shape)
        offers = [host.offer(shape) for host in hosts]
        contents = [None if offer is None else fields.contents(offer) for offer in offers]
        for some in sets:
            few = [one for place in some if (one := contents[place]) is not None]
            told = fields.level(few) if len(few) == len(some) else None
            if told is None:
                continue
            named = [(hosts[place].name, offer) for place in some if (offer := offers[place]) is not None]
            full = level_fields(named, [hosts[place] for place in some], catalogue(), Policy())
            about = [hosts[place].name for place in some]
            assert dict(told.values) == dict(full.values), about
            assert told.gone == full.gone, about
            assert told.registers == (None if full.registers is None else full.registers.keys()), about
            assert told.answer == answer_of(full.findings, "arrive"), about
            stops = {one.subject.key for one in full.findings if one.severity == "stops"}
            assert stops >= set(told.conflicts), about
            seen["fields"] += 1


def _near(one: Host, two: Host) -> bool:
    return one.name.partition("@")[0] == two.name.partition("@")[0]


def _recorded(chance: Random, count: int, tell) -> None:
    hosts, seen = every_host(), Counter[str]()
    pairs = list(combinations(range(len(hosts)), 2))
    near = [(one, two) for one, two in pairs if _near(hosts[one], hosts[two])]
    larger = [sorted(chance.sample(range(len(hosts)), 3)) for _ in range(count // 4)]
    if count < len(pairs):
        pairs = [*chance.sample(pairs, count // 2), *chance.sample(near, min(len(near), count // 4))]
    _agree(hosts, [*pairs, *larger], Policy(), seen)
    assert seen["runs"]
    assert seen["refused"]
    assert seen["told"] > seen["in full"]
    tell(f"levelling without reasons: {seen['told']} sets of {len(hosts)} recorded hosts agree: {dict(seen)}")


def test_levelling_recorded_hosts_without_reasons_says_what_levelling_says(tell):
    _recorded(Random(5), 80, tell)


@pytest.mark.slow
def test_levelling_every_pair_of_recorded_hosts_without_reasons_says_what_levelling_says(tell):
    _recorded(Random(5), 1 << 16, tell)


def odd_levels(chance: Random, seen: Counter[str] | None = None) -> None:
    """Hold levelling without reasons against levelling, for sets of a few odd hosts."""
    hosts: list[Host] = [*make_fleet(chance, hosts=(2, 4))]
    change = chance.choice((None, None, stranger, _with_pmu, _with_sve, _of_another_core))
    if change is not None:
        hosts = [change(one, chance) for one in hosts]
    hosts = [replace(one, name=f"{one.name}{place}") for place, one in enumerate(hosts)]
    policy = chance.choice(
        (Policy(), Policy(), Policy(assume_same_impdef=True), Policy(frozenset({"pmu_v3"})))
    )
    sets = [some for size in (1, 2, 3) for some in combinations(range(len(hosts)), size)]
    counted = Counter[str]() if seen is None else seen
    _agree(hosts, sets, policy, counted)
    _agree_of_fields(hosts, sets, counted)


def _with_pmu(host: Host, chance: Random) -> Host:
    # Counters and workaround levels both say where a guest may start.
    first = host.offers[0]
    firmware = dict(first.firmware)
    for name in firmware:
        if "WORKAROUND" in name:
            firmware[name] = chance.randint(0, 1)
    shape = Shape(frozenset({"pmu_v3"}))
    changed = replace(first, shape=shape, pmu={"counters": chance.choice((4, 6))}, firmware=firmware)
    return replace(host, offers=(changed, *host.offers[1:]))


def _with_sve(host: Host, chance: Random) -> Host:
    # Lengths that cannot be shared stand in the way of the richer shape alone.
    limits = {"ID_AA64PFR0_EL1": host.offers[0].limits.get("ID_AA64PFR0_EL1", 0x11) | 1 << 32}
    lengths = chance.choice(((128,), (128, 256), (256, 512), (512,)))
    sve = Offer(Shape(frozenset({"sve"})), "tried", "limit-only", limits, {}, sve_vls=lengths, like=0)
    return replace(host, offers=(host.offers[0], sve))


def _of_another_core(host: Host, chance: Random) -> Host:
    # Signed pointers of one core mean nothing to another; that shape alone lets the cores be shown alike.
    isar1 = chance.choice((0x100, 0x500, 0))
    midr = chance.choice((host.offers[0].limits.get("MIDR_EL1", 0), 0x410FD0C0))
    return _signing(host, isar1, midr, chance.choice((midr, midr, None)))


def _signing(host: Host, isar1: int, midr: int, real: int | None) -> Host:
    # A host of a core, which may not be recorded, that signs by an algorithm of ID_AA64ISAR1_EL1.
    first = host.offers[0]
    plain = first.limits.get("ID_AA64ISAR1_EL1", 0) & ~0xFF0
    limits = {**first.limits, "ID_AA64ISAR1_EL1": plain, "MIDR_EL1": midr}
    fields = (field for name in IMPLEMENTATION_REGISTERS for field in catalogue().registers[name].fields)
    accepts = {
        **first.accepts,
        **{field.subject: Accepts.of(None) for field in fields},
        "ID_AA64ISAR1_EL1.API": Accepts.of(range((isar1 >> 8) + 1)),
    }
    cpus = tuple(replace(one, implementation=replace(one.implementation, midr=real)) for one in host.cpus)
    signed = {**limits, "ID_AA64ISAR1_EL1": plain | isar1}
    shape = Shape(frozenset({"ptrauth"}), imp_id_writable=True)
    richer = replace(first, shape=shape, limits=signed, accepts=accepts)
    return replace(host, cpus=cpus, offers=(richer, replace(first, limits=limits)))


def of_two_cores(_: Random | None = None) -> None:
    """Hold hosts against levelling, of two cores that sign alike as far as registers tell."""
    plain = next(one for one in recorded() if one.offers[0].like is None and not one.mixed)
    cores = {"a": 0x410FD0C0, "b": 0x410FD080, "c": 0x410FD080}
    hosts = [replace(_signing(plain, 0x100, midr, midr), name=name) for name, midr in cores.items()]
    seen = Counter[str]()
    _agree(hosts, [(1, 2), (0, 1), (0, 1, 2)], Policy(), seen)
    assert (seen["runs"], seen["refused"]) == (1, 2), seen


def starts_nowhere(_: Random | None = None) -> None:
    """Hold two hosts against levelling, of which each alone has what a guest may start with."""
    plain = next(one for one in every_host() if "PSCI" in str(one.offers[0].firmware))
    level_of = "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1"
    shape = Shape(frozenset({"pmu_v3"}))

    def host(name: str, counters: int, workaround: int) -> Host:
        first = plain.offers[0]
        changed = replace(
            first,
            shape=shape,
            pmu={"counters": counters},
            firmware={**first.firmware, level_of: workaround},
        )
        return replace(plain, name=name, offers=(changed,))

    hosts = [host("a", 4, 1), host("b", 6, 0), host("c", 4, 0)]
    seen = Counter[str]()
    _agree(hosts, [(0, 2), (1, 2), (0, 1), (0, 1, 2)], Policy(), seen)
    assert (seen["runs"], seen["refused"]) == (3, 1), seen


def coupled(_: Random | None = None) -> None:
    """Hold hosts against levelling of which one has no PMU, and both show AArch32 one."""
    pmu, view = catalogue().field("ID_AA64DFR0_EL1.PMUVer"), catalogue().field("ID_DFR0_EL1.PerfMon")
    el0 = catalogue().field("ID_AA64PFR0_EL1.EL0")
    plain = recorded()[0]
    base = plain.offers[0]

    def host(called: str, version: int) -> Host:
        limits = dict(base.limits)
        for field, value in ((pmu, version), (view, 5), (el0, 2)):
            limits[field.register] = field.put(limits[field.register], value)
        accepts = {pmu.subject: Accepts.of(range(version + 1)), view.subject: Accepts.of(range(6))}
        shape = Shape(frozenset({"pmu_v3"}))
        changed = replace(base, shape=shape, limits=limits, accepts={**base.accepts, **accepts})
        return replace(plain, name=called, offers=(changed,))

    hosts, seen = [host("a", 5), host("b", 0), host("c", 0)], Counter[str]()
    _agree_of_fields(hosts, [(0, 1), (1, 2), (0, 1, 2)], seen)
    assert seen["fields"] == 3


def test_a_guest_that_may_start_nowhere_is_refused_without_reasons_too():
    starts_nowhere()


def test_pointers_of_two_cores_are_not_shared_without_reasons_either():
    of_two_cores()


def test_couplings_lower_what_is_levelled_without_reasons():
    coupled()


@given(st.integers(0, 1 << 32))
@settings(max_examples=12, phases=QUICK)
def test_levelling_odd_hosts_without_reasons_says_what_levelling_says(number):
    odd_levels(Random(number))


@pytest.mark.slow
def test_levelling_very_many_odd_hosts_without_reasons_says_what_levelling_says(tell):
    seen = Counter[str]()
    for number in range(2000):
        odd_levels(Random(number), seen)
    assert all(seen[one] for one in _ANSWERS)
    tell(f"levelling without reasons: sets of 2000 odd fleets agree: {dict(seen)}")


def test_what_a_policy_changes_in_values_is_levelled_in_full():
    hosts = [one for one in every_host() if "@" in one.name][:2]
    for policy in (
        Policy(hide=("FEAT_SHA3",)),
        Policy(pins={"CTR_EL0.DIC": 0}),
        Policy(tolerate=("caches",)),
    ):
        assert Levels(hosts, catalogue(), policy).parts((0, 1)) is None
    assert Levels([hosts[0]] * 2, catalogue(), Policy()).parts((0, 1)) is None
