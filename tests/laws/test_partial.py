"""Of a host of which only CPUs and capabilities are recorded nothing is a yes, and a no is one when all is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import product
from random import Random

import pytest
from hypothesis import event, given, settings

from armlevel.arch import evaluate
from armlevel.arch.release import release_numbers
from armlevel.documents import load_hosts
from armlevel.engine import Policy, Verdict, check, level, passthrough
from armlevel.engine.fields import partial as partial_limits
from armlevel.engine.planning.groups import groups_of
from armlevel.engine.planning.pairs import certain_conflicts
from armlevel.engine.planning.plan import plan
from armlevel.machines import folder
from armlevel.profile import Cpu, Guest, Host, Implementation, Offer, Shape, Software
from tests.fidelity import hosts as lab
from tests.laws.fleet import catalogue
from tests.laws.strategies import QUICK, pairs_of_hosts

BASE = Shape()


def capabilities(limits: Mapping[str, int], release: tuple[int, ...]) -> tuple[str, ...]:
    """What a kernel of this release, or of an unknown new one, shows programs on a host with these limits."""
    rows = catalogue().certain
    known = {
        field.subject: field.get(limits[name])
        for name, register in catalogue().registers.items()
        if name in limits
        for field in register.fields
    }
    shown = ["cpuid"]
    for name, since in rows.since.items():
        one = catalogue().hwcaps[name]
        knows = not release or release[:2] >= since
        if knows and one.condition is not None and evaluate(one.condition, known) is True:
            shown.append(one.flag)
    return tuple(shown)


def part_of(host: Host, *, kernel: bool, hwcaps: bool) -> Host:
    """What /proc/cpuinfo, and perhaps the kernel, say of a host."""
    offer = host.offer(BASE)
    assert offer is not None
    release = release_numbers(host.software.kernel)
    shown = Implementation.from_registers(offer.limits) or Implementation()
    cpus = host.cpus or (Cpu(shown),)
    limits = shown.registers() if len({cpu.implementation for cpu in cpus}) == 1 else {}
    return Host(
        host.name,
        (Offer(BASE, "predicted", "unknown", limits),),
        cpus,
        replace(host.facts, dczid=None, gmid=None),
        Software(host.software.kernel if kernel else ""),
        hwcaps=capabilities(offer.limits, release) if hwcaps else None,
        other_cpus=host.other_cpus,
    )


def unnamed(host: Host) -> Host:
    """A map of registers that says neither the kernel nor what it takes."""
    offer = host.offer(BASE)
    assert offer is not None
    bare = Offer(BASE, "predicted", "unknown", offer.limits)
    return replace(host, offers=(bare,), software=Software())


VIEWS: dict[str, Callable[[Host], Host]] = {
    "cpuinfo and kernel": partial(part_of, kernel=True, hwcaps=True),
    "cpuinfo": partial(part_of, kernel=False, hwcaps=True),
    "CPUs and kernel": partial(part_of, kernel=True, hwcaps=False),
    "CPUs": partial(part_of, kernel=False, hwcaps=False),
    "registers": unnamed,
}


@cache
def recorded() -> tuple[Host, ...]:
    with folder() as place:
        silicon = load_hosts([str(one) for one in sorted(place.glob("*.json"))])
    return (*silicon, *(host for host in lab.read() if host.offer(BASE) is not None))


def guest_of(host: Host) -> Guest:
    return passthrough(host, catalogue(), shape=BASE)


def refused_fields(verdict: Verdict) -> set[str]:
    return {
        finding.subject.key
        for finding in verdict.findings
        if finding.part == "registers" and finding.severity == "stops"
    }


@pytest.mark.parametrize("view", VIEWS)
def test_a_certain_no_of_a_partial_view_is_a_no_when_all_is_recorded(view, tell):
    hosts = recorded()
    # All pairs of one kernel, and a sample of the others.
    some = Random(view).sample([*product(hosts, hosts)], 500)
    noes, fields = 0, set()
    for home, there in some:
        less_home, less = VIEWS[view](home), VIEWS[view](there)
        full = check(guest_of(home), there, catalogue())
        for guest, host in (
            (guest_of(less_home), less),
            (guest_of(home), less),
            (guest_of(less_home), there),
        ):
            found = check(guest, host, catalogue())
            assert "runs" not in {found.start, found.arrive}
            refused = refused_fields(found)
            if refused:
                noes += 1
                assert full.arrive == full.start == "refused", (home.name, there.name, refused)
                assert refused <= refused_fields(full), (home.name, there.name, refused)
            fields |= refused
    assert noes > 100
    assert {"MIDR_EL1", "ID_AA64PFR0_EL1.FP", "ID_AA64ISAR0_EL1.ATOMIC"} <= fields
    tell(f"certain no: {noes:,} of {3 * len(some):,} partial pairs, all refused in full ({view})")


@pytest.mark.parametrize("view", VIEWS)
def test_no_baseline_of_partial_views_is_none_of_the_whole_hosts(view, tell):
    hosts = recorded()
    some = Random(view).sample([*product(hosts, hosts)], 150)
    noes = 0
    for home, there in some:
        found = level([VIEWS[view](home), VIEWS[view](there)], catalogue())
        assert found.answer != "runs"
        subjects = {f.subject.key for f in found.findings if f.part == "registers" and f.severity == "stops"}
        if subjects:
            noes += 1
            full = level([home, there], catalogue())
            assert full.answer == "refused", (home.name, there.name, subjects)
    assert noes > 10
    tell(
        f"certain no: {noes} of {len(some)} baselines of partial views, none of them has one in full ({view})"
    )


def test_a_certain_no_is_one_for_baseline_groups_and_plan(tell):
    hosts, refused = recorded(), 0
    for number, (home, there) in enumerate(Random(6).sample([*product(hosts, hosts)], 120)):
        view = list(VIEWS)[number % len(VIEWS)]
        pair = [replace(VIEWS[view](home), name="a"), replace(VIEWS[view](there), name="b")]
        found = level(pair, catalogue())
        no = found.answer == "refused"
        masks = certain_conflicts(pair, catalogue(), Policy())
        assert no or not any(masks), (home.name, there.name, view)
        groups, made = groups_of(pair, catalogue()), plan(pair, catalogue())
        left = {name for kind in made.left_open for name in kind.names}
        assert left == set(groups.left_open)
        apart = {name for kind in made.apart for name in kind.names}
        if len(made.left_open) == 2:
            assert apart == set(groups.apart) == (left if no else set()), (home.name, there.name, view)
            refused += no
    assert refused > 10
    tell(f"certain no: {refused} pairs of partial views, a no of their baseline, groups and plan alike")


@settings(max_examples=60, phases=QUICK)
@given(pairs_of_hosts())
def test_a_no_by_capabilities_alone_is_a_no_of_any_hosts(fleet: tuple[Host, ...]):
    home, there = (replace(host, offers=host.offers[:1], cpus=()) for host in fleet)
    shape = home.offers[0].shape
    guest = passthrough(home, catalogue(), shape=shape)

    def less(host: Host) -> Host:
        limits = host.offers[0].limits
        return Host(
            host.name,
            (Offer(shape, "predicted", "unknown", {}),),
            software=Software("6.12.1"),
            hwcaps=capabilities(limits, (6, 12)),
        )

    found = check(passthrough(less(home), catalogue(), shape=shape), less(there), catalogue())
    assert found.arrive != "runs"
    refused = refused_fields(found)
    event(f"refused: {bool(refused)}")
    full = check(guest, there, catalogue())
    for subject in refused:
        field = catalogue().fields[subject]
        if not all(field.register in host.offers[0].limits for host in (home, there)):
            continue
        mine, theirs = (field.get(host.offers[0].limits[field.register]) for host in (home, there))
        assert mine != theirs
        if catalogue().certain.keeps[subject] == "lower":
            assert field.compare(mine, theirs) == "more"
    event(f"full: {full.arrive}")


A72 = Host("a", (Offer(BASE),), (Cpu(Implementation(0x410FD083)),), hwcaps=("fp", "asimd", "cpuid"))
A76 = Host(
    "b", (Offer(BASE),), (Cpu(Implementation(0x414FD0B1)),), hwcaps=("fp", "fphp", "asimdhp", "atomics")
)
HALF = "ID_AA64PFR0_EL1.FP"


def test_a_newer_kernel_than_the_rows_know_is_not_spoken_of():
    for release, known in (("", True), ("7.3.9", True), ("5.14.0-570.el9_6.aarch64", True), ("7.4.0", False)):
        newer = replace(A76, software=Software(release))
        assert (HALF in refused_fields(check(guest_of(A72), newer, catalogue()))) is known, release
        assert (level([A72, newer], catalogue()).answer == "refused") is known, release


def newer(host: Host) -> Host:
    """A host of which the CPUs alone are known, and that its kernel is one that nobody measured."""
    return replace(part_of(host, kernel=False, hwcaps=True), software=Software("9.1.2"))


def test_a_no_under_a_kernel_that_nobody_measured_is_one_of_the_cpus():
    hosts, fields = recorded(), 0
    for home, there in Random(9).sample([*product(hosts, hosts)], 300):
        guest = guest_of(home)
        found = check(guest, newer(there), catalogue())
        offer = there.offer(BASE)
        assert offer is not None
        assert "runs" not in {found.start, found.arrive}
        for subject in refused_fields(found) & catalogue().fields.keys():
            field = catalogue().fields[subject]
            asked, limit = field.get(guest.registers[field.register]), field.get(offer.limits[field.register])
            # No kernel gives a guest what the CPUs have not, and any may hide what they have.
            assert field.compare(asked, limit) == "more", (home.name, there.name, subject)
            fields += 1
        both = refused_fields(check(guest_of(newer(home)), newer(there), catalogue()))
        assert not both & catalogue().fields.keys()
    assert fields > 100


def test_a_no_of_the_measured_kernels_says_so_where_the_kernel_is_not_recorded():
    def whys(verdict: Verdict, subject: str) -> list[str]:
        return [
            one.code for found in verdict.findings if found.subject.key == subject for one in found.because
        ]

    atomic, doubt = "ID_AA64ISAR0_EL1.ATOMIC", "kernel-may-be-newer"
    assert doubt in whys(check(guest_of(A72), A76, catalogue()), HALF)
    assert doubt not in whys(check(guest_of(A76), A72, catalogue()), atomic)  # no kernel can
    for release in ("6.12.1", "7.3.9"):
        told = replace(A76, software=Software(release))
        assert "no-kernel-changes" in whys(check(guest_of(A72), told, catalogue()), HALF)
        assert doubt not in whys(check(guest_of(A72), told, catalogue()), HALF)
    later = replace(A72, software=Software("9.1"))
    assert whys(check(guest_of(A76), later, catalogue()), atomic) == ["cpus-lack-it"]
    ends = [replace(host, software=Software(release)) for host, release in ((A72, "6.1.0"), (A76, "6.12.1"))]
    for hosts, said in (([A72, A76], True), (ends, False)):
        conflicts = [one for one in level(hosts, catalogue()).findings if one.subject.key == HALF]
        assert [doubt in {why.code for why in one.because} for one in conflicts] == [said]


def test_less_of_what_kvm_lowers_is_no_certain_no():
    atomic = "ID_AA64ISAR0_EL1.ATOMIC"
    assert atomic not in refused_fields(check(guest_of(A72), A76, catalogue()))
    assert atomic in refused_fields(check(guest_of(A76), A72, catalogue()))


def test_a_tolerated_field_is_let_differ():
    names = (HALF, "ID_AA64PFR0_EL1.AdvSIMD")
    guest = replace(guest_of(A72), tolerates=names)
    assert not refused_fields(check(guest, A76, catalogue())) & set(names)


def test_what_a_missing_capability_says_hangs_on_the_kernel():
    half_or_none, half, none = {*range(8)}, {*range(1, 8)}, {0}
    for hwcaps, release, values in (
        (None, "", {*range(16)}),
        (("fp", "asimd"), "", half_or_none),  # an old kernel does not know fphp
        (("fp", "asimd"), "4.4.9", half_or_none),
        (("fp", "asimd"), "4.14.1", none),
        (("fp", "asimd", "cpuid"), "", none),
        (("fp", "asimd", "fphp"), "", half),
    ):
        host = Host("a", software=Software(release), hwcaps=hwcaps)
        found = partial_limits.possible_limits(host, catalogue()).get(HALF, frozenset(range(16)))
        assert set(found) == values, (hwcaps, release)


def test_a_host_has_no_more_than_any_of_its_cpus():
    for midrs, values in (
        ([0x410FD083], {0, 15}),
        ([0x410FD034, 0x410FD083], {0, 15}),
        ([0x414FD0B1, 0x410FD034], {0, 15}),  # a host has what all of its CPUs have
        ([0x414FD0B1, 0x412FD050], {1, 15}),
        ([0x414FD0B1, None], {*range(2), *range(8, 16)}),  # a CPU that is not recorded may have less
        ([0x414FD0B1, 0x00000000], {*range(2), *range(8, 16)}),
    ):
        host = Host("a", cpus=tuple(Cpu(Implementation(midr)) for midr in midrs))
        assert set(partial_limits.possible_limits(host, catalogue())[HALF]) == values, midrs


def test_a_midr_that_no_cpu_has_is_refused_and_one_that_some_cpu_may_have_is_not_known():
    guest = guest_of(A72)
    for midrs, answer in (
        ([0x414FD0B1], "refused"),
        ([0x414FD0B1, 0x412FD050], "refused"),
        ([0x414FD0B1, 0x410FD083], "unknown"),
        ([0x414FD0B1, None], "unknown"),
        ([], "unknown"),
    ):
        # Nothing but the implementation is compared.
        cpus = tuple(Cpu(Implementation(midr)) for midr in midrs)
        host = Host("b", (Offer(BASE),), cpus, software=Software("8.0"))
        assert check(guest, host, catalogue()).arrive == answer, midrs
    painted = replace(guest, shape=Shape(imp_id_writable=True))
    host = Host("b", (Offer(painted.shape),), (Cpu(Implementation(0x414FD0B1)),), software=Software("8.0"))
    assert check(painted, host, catalogue()).arrive == "unknown"
