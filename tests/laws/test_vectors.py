"""Vectors are the judgement: of a guest on a host they say what the full one says, in every part, on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armlevel.engine import PARTS, Policy, check, level, matrix, passthrough
from armlevel.engine.fields.domains import accepts_of
from armlevel.engine.moves.moves import judged_move
from armlevel.engine.planning.matrix import switches_in_full
from armlevel.engine.planning.sets import Sets
from armlevel.engine.policy import SAME_IMPDEF, WEAKER_MITIGATION
from armlevel.engine.screen.any_guest import any_guest
from armlevel.engine.screen.tables import TABLES, parts_without
from armlevel.profile import Guest, Host, Shape
from tests.laws.compiled import Moved, Screened, every_host, guests_of, stranger
from tests.laws.fleet import catalogue, make_fleet
from tests.laws.strategies import QUICK
from tests.laws.test_partial import VIEWS

#: Of the recorded pairs, `make test` judges one of so many, and `make slow` all.
_ONE_OF = 83
_POLICIES = (
    None,
    Policy(assume_same_impdef=True),
    Policy(accept_weaker_mitigation=True),
)


def agree(judged: Iterable[tuple[str, object, object]], seen: Counter[str]) -> None:
    """Hold what the vectors say against the full judgement, and count what was said."""
    for about, full, ours in judged:
        assert ours == full, about
        seen["pairs"] += 1
        for answers in full.values():  # type: ignore[attr-defined]
            seen.update(f"{side} {answer}" for side, answer in zip(("start", "arrive"), answers, strict=True))


def _recorded(one_of: int, tell) -> None:
    every, number = every_host(), 0
    seen: Counter[str] = Counter()
    screened = Screened(every)
    for host in every:
        for guest in guests_of(host):
            number += 1
            agree(screened.judged(guest, range(number * 7 % one_of, len(every), one_of)), seen)
    assert all(
        seen[f"{side} {one}"] for side in ("start", "arrive") for one in ("runs", "refused", "unknown")
    )
    tell(f"vectors and judgement: {seen['pairs']} pairs of {len(every)} hosts, in every shape: all agree")


def test_vectors_say_of_recorded_hosts_what_the_judgement_says(tell):
    _recorded(_ONE_OF, tell)


@pytest.mark.slow
def test_vectors_say_of_every_pair_of_recorded_hosts_what_the_judgement_says(tell):
    _recorded(1, tell)


@given(st.integers(0, 1 << 32))
@settings(max_examples=12, phases=QUICK)
def test_vectors_say_of_odd_hosts_what_the_judgement_says(number):
    odd_guests(Random(number))


@given(st.integers(0, 1 << 32))
@settings(max_examples=8, phases=QUICK)
def test_vectors_say_of_hosts_of_which_less_is_recorded_what_the_judgement_says(number):
    odd_partial(Random(number))


@pytest.mark.slow
def test_vectors_say_of_very_many_odd_hosts_what_the_judgement_says(tell):
    for number in range(2000):
        odd_guests(Random(number))
        odd_partial(Random(number))
    tell("vectors and judgement: 2000 fleets of odd hosts, and as many of partial ones: all agree")


def odd_guests(chance: Random) -> None:
    """Hold the vectors of a few odd hosts and guests against full judgement."""
    # Twins: hosts that are alike in most that decides share entries of tables, and must not share a wrong one.
    fleet = [*make_fleet(chance, hosts=(1, 3))]
    # And one of which less is recorded: of it a no may be certain, and a yes never is.
    less = replace(chance.choice(list(VIEWS.values()))(chance.choice(fleet)), name="less")
    if not chance.randint(0, 2):
        pmu = Shape(frozenset({"pmu_v3"}))
        fleet = [replace(one, offers=(replace(one.offers[0], shape=pmu), *one.offers[1:])) for one in fleet]
    hosts = [stranger(replace(host, name=f"{host.name}{n}"), chance) for host in fleet for n in "ab"]
    hosts.append(less)
    screened = Screened(hosts, chance.choice(_POLICIES))
    for host in hosts:
        for guest in guests_of(host, chance):
            free = chance.choice(((), (), tuple(catalogue().tolerances), (SAME_IMPDEF, WEAKER_MITIGATION)))
            agree(screened.judged(replace(guest, tolerates=free), range(len(hosts))), Counter())


def odd_partial(chance: Random) -> None:
    """Hold the vectors against full judgement of several guests of whose hosts less is recorded."""
    fleet = [*make_fleet(chance, hosts=(2, 3))]
    less = [
        replace(chance.choice(list(VIEWS.values()))(host), name=f"less{number}")
        for number, host in enumerate(fleet)
    ]
    screened = Screened([*fleet, *less])
    for host in less:
        for guest in guests_of(host, chance):
            agree(screened.judged(guest, range(len(fleet) + len(less))), Counter())


_VMMS = ("kvm", "qemu-10.0", "qemu-11.1", "firecracker")


def _moves(one_of: int, tell) -> None:
    every, seen = every_host(), 0
    for vmm in _VMMS:
        moved = Moved(every, vmm)
        for number in range(0, len(every) ** 2, one_of):
            here, there = divmod((number * 7) % len(every) ** 2, len(every))
            full, ours = moved.judged(here, there)
            assert ours == full, (vmm, every[here].name, every[there].name)
            seen += 1
    tell(f"vectors and judgement of moves: {seen} under {len(_VMMS)} VMMs: all agree")


def test_vectors_say_of_moves_under_each_vmm_what_the_judgement_says(tell):
    _moves(41 * _ONE_OF // 31, tell)


@pytest.mark.slow
def test_vectors_say_of_every_move_what_the_judgement_says(tell):
    _moves(1, tell)


@given(st.integers(0, 1 << 32))
@settings(max_examples=8, phases=QUICK)
def test_vectors_say_of_moves_between_odd_hosts_what_the_judgement_says(number):
    odd_moves(Random(number))


def odd_moves(chance: Random) -> None:
    """Hold the vectors of a few odd hosts against full judgement of moves under some VMM."""
    hosts = [
        stranger(replace(one, name=f"{one.name}{n}"), chance) for one in make_fleet(chance) for n in "ab"
    ]
    moved = Moved(hosts, chance.choice(_VMMS), chance.choice(_POLICIES))
    for here in range(len(hosts)):
        for there in range(len(hosts)):
            full, ours = moved.judged(here, there)
            assert ours == full, (moved.vmm, hosts[here].name, hosts[there].name)


def _cells(hosts: Sequence[Host]) -> Counter[str]:
    # The matrix against what it is short for: each pair judged, switched and levelled in full.
    seen: Counter[str] = Counter()
    for cell in matrix(hosts, catalogue()):
        source, target = (
            next(one for one in hosts if one.name == name) for name in (cell.source, cell.target)
        )
        levelled = level(sorted((source, target), key=hosts.index), catalogue())
        move = judged_move(source, target, catalogue(), "kvm", None, Policy())
        assert (cell.passthrough, cell.levelled) == (move.answer, levelled.answer), cell
        if not cell.registers:
            assert levelled.parts["registers"] == "refused", cell
        assert cell.switches == switches_in_full(move, source, target, catalogue(), "kvm", Policy()), cell
        seen.update((f"levelled {cell.levelled}", f"passthrough {cell.passthrough}"))
        seen.update([f"apart {not cell.registers}", f"switched {cell.switches is not None}"])
    return seen


def test_a_matrix_of_recorded_hosts_says_what_the_judgement_says(tell):
    lab = [one for one in every_host() if "@" in one.name]
    seen: Counter[str] = Counter()
    for first in (0, 7):
        seen += _cells(lab[first::17])
    seen += _cells([one for one in lab if one.name.startswith("neoverse-n1@")][:3])
    assert seen["apart True"]
    assert seen["apart False"]
    assert seen["switched True"]
    tell(f"matrix and judgement: {sum(seen.values()) // 4} pairs agree: {dict(sorted(seen.items()))}")


@pytest.mark.slow
def test_a_matrix_of_all_hosts_says_what_the_judgement_says(tell):
    seen = _cells(every_host())
    tell(f"matrix and judgement: {sum(seen.values()) // 4} pairs agree: {dict(sorted(seen.items()))}")


@given(st.integers(0, 1 << 32))
@settings(max_examples=6, phases=QUICK)
def test_a_matrix_of_odd_hosts_says_what_the_judgement_says(number):
    _cells(make_fleet(Random(number), hosts=(2, 3)))


def _sets(hosts: Sequence[Host], chance: Random, count: int) -> Counter[str]:
    # Sets of hosts near one another, and of any.
    sets, seen = Sets(hosts, catalogue(), Policy()), Counter[str]()
    for _ in range(count):
        first = chance.choice(hosts)
        near = [place for place, one in enumerate(hosts) if _near(first, one)]
        pool = near if chance.randint(0, 2) and len(near) > 1 else range(len(hosts))
        some = sorted(chance.sample(pool, min(len(pool), chance.randint(2, 5))))
        full = level([hosts[place] for place in some], catalogue())
        answer = sets.answer(some)
        assert answer == full.answer, [hosts[place].name for place in some]
        seen.update((f"set {answer}", f"apart {sets.apart(some)}"))
    return seen


def test_a_set_that_certainly_conflicts_has_no_baseline(tell):
    seen = _sets(every_host(), Random(3), 40)
    assert seen["apart True"]
    assert seen["set runs"]
    tell(
        f"sets and levelling: 40 random sets of {len(every_host())} hosts agree: {dict(sorted(seen.items()))}"
    )


@pytest.mark.slow
def test_thousands_of_sets_that_certainly_conflict_have_no_baseline(tell):
    seen = _sets(every_host(), Random(4), 2400)
    tell(
        f"sets and levelling: 2400 random sets of {len(every_host())} hosts agree: {dict(sorted(seen.items()))}"
    )


@given(st.integers(0, 1 << 32))
@settings(max_examples=8, phases=QUICK)
def test_a_set_of_odd_hosts_that_certainly_conflicts_has_no_baseline(number):
    chance = Random(number)
    _sets([replace(one, name=f"{n}@") for n, one in enumerate(make_fleet(chance, hosts=(3, 5)))], chance, 4)


def _some_guest(here: Host, chance: Random) -> Guest:
    # Somebody's guest that may be there: values of fields, levels of firmware and vector lengths of its own.
    shape = chance.choice([one for one in here.shapes if not one.imp_id_writable])
    offer = here.offer(shape)
    assert offer is not None
    guest = passthrough(here, catalogue(), shape=shape)
    registers, firmware = dict(guest.registers), dict(guest.firmware)
    fields = [one for one in catalogue().fields.values() if one.register in registers]
    for field in chance.sample(fields, chance.randint(0, 3)):
        values = accepts_of(offer, field, field.get(registers[field.register])).values
        few = sorted(values) if values else range(1 << min(field.width, 4))
        registers[field.register] = field.put(registers[field.register], chance.choice(few))
    for name in chance.sample(sorted(firmware), min(len(firmware), chance.randint(0, 2))):
        versions = catalogue().firmware[name].versions if name in catalogue().firmware else ()
        firmware[name] = chance.choice((*versions, firmware[name] & chance.randint(0, 7), 0, 1, 2))
    most = chance.choice(guest.sve_vls or (0,))
    lengths = tuple(one for one in guest.sve_vls or () if one <= most) or None
    return replace(guest, registers=registers, firmware=firmware, sve_vls=lengths)


def _any_guest(here: Host, there: Host, chance: Random, guests: int) -> str:
    # Where any guest may go, each that may be on the one host may go to the other.
    found = any_guest(here, there, catalogue())
    assert found is not None
    own = passthrough(here, catalogue())
    if found.answer == "runs":
        assert check(own, there, catalogue()).arrive == "runs" or own.shape not in found.shapes
    for guest in [_some_guest(here, chance) for _ in range(guests if found.answer == "runs" else 0)]:
        if guest.shape in found.shapes and check(guest, here, catalogue()).arrive == "runs":
            assert check(guest, there, catalogue()).arrive == "runs", (guest, here.name, there.name)
    return found.answer


def _near(one: Host, two: Host) -> bool:
    return one.name.partition("@")[0] == two.name.partition("@")[0]


def test_any_guest_of_a_host_may_go_where_it_is_said_that_any_may(tell):
    lab, chance = [one for one in every_host() if "@" in one.name], Random(1)
    pairs = [(one, two) for one in lab for two in lab if _near(one, two)]
    seen = Counter(_any_guest(one, two, chance, 12) for one, two in chance.sample(pairs, 24))
    assert seen["runs"]
    assert seen["refused"]
    tell(f"any guest: of 24 pairs of one CPU {seen['runs']} yes, and no guest there stays behind")


@pytest.mark.slow
def test_any_guest_of_every_host_may_go_where_it_is_said_that_any_may(tell):
    chance = Random(2)
    seen = Counter(_any_guest(one, two, chance, 200) for one in every_host() for two in every_host())
    tell(f"any guest: {sum(seen.values())} pairs of hosts: {dict(seen)}, and no guest of a yes stays behind")


@given(st.integers(0, 1 << 32))
@settings(max_examples=6, phases=QUICK)
def test_any_guest_of_an_odd_host_may_go_where_it_is_said_that_any_may(number):
    chance = Random(number)
    host = make_fleet(chance, hosts=(1, 1))[0]
    twins = [replace(host, name="a"), *(stranger(replace(host, name=name), chance) for name in "bc")]
    for one in twins:
        for two in twins:
            _any_guest(one, two, chance, 10)


def test_a_part_of_the_question_that_vectors_do_not_know_is_judged_in_full_until_it_has_an_entry():
    assert parts_without(TABLES) == ()
    assert parts_without([one for one in TABLES if one.part != "list"]) == ("list",)
    assert set(PARTS) == {"registers", "facts", *(one.part for one in TABLES)}
