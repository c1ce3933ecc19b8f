"""Hosts with CPUs of several kinds: their clusters, and that a cluster is never judged less surely than the whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from random import Random

import pytest

from armlevel.arch import load
from armlevel.engine import Policy, check, level, migrate, passthrough
from armlevel.engine.clusters import clusters_of, cpu_list, narrowed
from armlevel.engine.values import Implementations
from armlevel.errors import UnknownName, UsageError
from armlevel.profile import Cpu, Host, Implementation, Offer, Shape, Software
from tests.fidelity import hosts as lab

A55, A76, A78, X1 = (Implementation(one, 0, 0) for one in (0x412FD050, 0x414FD0B1, 0x411FD410, 0x411FD440))
UNKNOWN = Implementation()
BASE = Shape()


def cpu(one: Implementation, *numbers: int) -> Cpu:
    return Cpu(one, len(numbers), numbers)


FOUR_AND_FOUR = (cpu(A55, 0, 1, 2, 3), cpu(A76, 4, 5, 6, 7))
ONE_THREE_FOUR = (cpu(A55, 0, 1, 2, 3), cpu(A78, 4, 5, 6), cpu(X1, 7))
WITH_UNKNOWN = (cpu(A55, 0), cpu(UNKNOWN, 1, 2, 3), cpu(A76, 4))


def mixed(cpus: tuple[Cpu, ...], name: str = "soc") -> Host:
    return Host(name, (Offer(BASE, "predicted", "unknown"),), cpus)


def clusters(host: Host) -> dict[str, str]:
    return {one.name: cpu_list(one.cpu.numbers) for one in clusters_of(host, load())}


@pytest.mark.parametrize(
    ("cpus", "names"),
    [
        (FOUR_AND_FOUR, {"cortex-a55": "0-3", "cortex-a76": "4-7"}),
        (ONE_THREE_FOUR, {"cortex-a55": "0-3", "cortex-a78": "4-6", "cortex-x1": "7"}),
        (WITH_UNKNOWN, {"not-recorded": "1-3", "cortex-a55": "0", "cortex-a76": "4"}),
        ((cpu(A55, 0), cpu(Implementation(0x413FD0B1, 0, 0), 1), cpu(A76, 2)),
         {"cortex-a55": "0", "cortex-a76-r3p1": "1", "cortex-a76-r4p1": "2"}),
        ((cpu(A76, 0), cpu(Implementation(0x414FD0B1, 1, 0), 1)), {"cortex-a76-r4p1-1": "0", "cortex-a76-r4p1-2": "1"}),
        ((cpu(Implementation(0x99000010), 0), cpu(Implementation(0x51AF8000), 1)),
         {"0x99-0x001": "0", "falkor-v1-kryo": "1"}),
        ((cpu(A76, 0, 1),), {}),
        ((), {}),
    ],
)  # fmt: skip
def test_a_cluster_is_called_by_its_core(cpus, names):
    assert clusters(mixed(cpus)) == names


def test_cpus_of_which_less_is_recorded_are_no_cluster_of_their_own():
    # The registers of CPU 0 alone were read.
    cpus = (Cpu(Implementation(0x412FD050), 3, (1, 2, 3)), Cpu(Implementation(0x412FD050, 0), 1, (0,)))
    host = mixed((*cpus, cpu(Implementation(0x414FD0B1), 4, 5)))
    assert clusters(host) == {"cortex-a55": "0-3", "cortex-a76": "4-5"}
    assert narrowed(host, "cortex-a55", load()).cpus == (Cpu(Implementation(0x412FD050), 4, (0, 1, 2, 3)),)
    assert clusters(mixed(cpus)) == {}
    assert not mixed(cpus).mixed


def test_a_narrowed_host_keeps_its_other_cpus_apart():
    host = mixed(ONE_THREE_FOUR)
    one = narrowed(host, "Cortex-A78", load())
    assert one.name == "soc/cortex-a78"
    assert (one.cpus, set(one.other_cpus)) == ((ONE_THREE_FOUR[1],), {ONE_THREE_FOUR[0], ONE_THREE_FOUR[2]})
    assert one.mixed
    assert clusters_of(one, load()) == ()


def test_a_cluster_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UnknownName, match="cortex-a75") as fault:
        narrowed(mixed(FOUR_AND_FOUR), "cortex-a75", load())
    assert "cortex-a76" in str(fault.value)
    with pytest.raises(UsageError, match="alike"):
        narrowed(mixed((cpu(A76, 0),)), "cortex-a76", load())


# ---- answers


@cache
def recorded(line: str) -> Host:
    (host,) = lab.read([f"cortex-a76@{line}"])
    return host


def big_little(line: str, *, taken: Implementation | None = None, other: Implementation = A55) -> Host:
    """A recorded host, as if half of its CPUs were of another kind; KVM takes the numbers of one of them."""
    host = recorded(line)
    own = host.cpus[0].implementation
    shown = (own if taken is None else taken).registers()
    offers = tuple(
        replace(offer, limits={**offer.limits, **shown}) if "MIDR_EL1" in offer.limits else offer
        for offer in host.offers
    )
    return replace(
        host, name="soc", cpus=(cpu(other, 0, 1), replace(own_cpu(host), numbers=(2, 3))), offers=offers
    )


def own_cpu(host: Host) -> Cpu:
    return replace(host.cpus[0], count=2)


def test_a_guest_of_one_kind_may_go_to_the_cluster_whose_numbers_kvm_took():
    home = recorded("7.x")
    guest = passthrough(home, load(), shape=BASE)
    host = big_little("7.x")
    whole = check(guest, host, load())
    assert (whole.start, whole.arrive) == ("unknown", "unknown")
    (finding,) = [one for one in whole.findings if one.severity == "unknown"]
    assert [reason.code for reason in finding.because] == ["cpus-differ", "kvm-took-one"]
    assert ("pin-cpus", ("2-3", "soc/cortex-a76")) in [(one.kind, one.args) for one in finding.remedies]

    # The remedy is carried out.
    pinned = check(guest, narrowed(host, "cortex-a76", load()), load())
    assert (pinned.start, pinned.arrive) == ("runs", "runs")
    (risk,) = [one for one in pinned.findings if one.subject.key == "MIDR_EL1"]
    assert risk.severity == "risk"
    assert [reason.code for reason in risk.because] == ["kvm-took-one"]

    assert check(guest, narrowed(host, "cortex-a55", load()), load()).arrive == "unknown"
    # KVM took those of the other kind: what the guest reads pinned is not what KVM takes.
    swapped = big_little("7.x", taken=A55)
    assert check(guest, narrowed(swapped, "cortex-a76", load()), load()).arrive == "unknown"


def test_before_6_3_pinning_leaves_cache_sizes_unknown():
    guest = passthrough(recorded("6.1"), load(), shape=BASE)
    pinned = check(guest, narrowed(big_little("6.1"), "cortex-a76", load()), load())
    assert pinned.arrive == "unknown"
    assert {one.subject.key for one in pinned.findings if one.severity == "unknown"} == {"CCSIDR_EL1"}
    old = narrowed(big_little("6.1"), "cortex-a76", load())
    silent = replace(old, software=replace(old.software, kernel=None))
    for host, kind in ((old, "upgrade-kernel"), (silent, "fact")):
        (doubt,) = [one for one in check(guest, host, load()).findings if one.subject.key == "CCSIDR_EL1"]
        assert [way.kind for way in doubt.remedies] == [kind]


def test_a_guest_that_no_cpu_could_have_started_is_refused_on_the_whole_and_on_each_cluster():
    guest = passthrough(lab.read(["neoverse-n1@7.x"])[0], load(), shape=BASE)
    host = big_little("7.x")
    hosts = [host, *(narrowed(host, one.name, load()) for one in clusters_of(host, load()))]
    assert [check(guest, one, load()).arrive for one in hosts] == ["refused"] * 3
    assert [migrate(mixed(FOUR_AND_FOUR), one, load())[0].answer for one in [recorded("7.x")]] == ["unknown"]
    assert migrate(mixed(ONE_THREE_FOUR), recorded("7.x"), load())[0].answer == "refused"
    # A CPU that is not recorded may be the one.
    assert migrate(mixed((*ONE_THREE_FOUR, cpu(UNKNOWN, 9))), recorded("7.x"), load())[0].answer == "unknown"


def test_of_a_guest_from_a_host_with_several_kinds_it_is_said_which_numbers_it_may_have():
    for home in (mixed(FOUR_AND_FOUR), narrowed(mixed(FOUR_AND_FOUR), "cortex-a55", load())):
        found = check(passthrough(home, load()), recorded("7.x"), load())
        (finding,) = [one for one in found.findings if one.subject.key == "MIDR_EL1"]
        assert finding.severity == "unknown"
        assert [reason.code for reason in finding.because] == ["guest-of-one-kind"]
        (needs,) = finding.needs
        assert isinstance(needs, Implementations)
        assert {one.midr for one in needs.shown} == {A55.midr, A76.midr}


def test_the_pmu_of_a_host_with_several_kinds_is_not_known():
    shape = Shape(frozenset({"pmu_v3"}))
    home, host = recorded("7.x"), big_little("7.x")
    guest = passthrough(home, load(), shape=shape)
    for one in (host, narrowed(host, "cortex-a76", load())):
        found = check(guest, one, load())
        assert found.parts["shape"] == ("unknown", "unknown")
        assert "pmu-follows-cpu" in {reason.code for f in found.findings for reason in f.because}
        assert level([home, one], load()).answer != "runs"


def test_the_whole_is_never_judged_more_surely_than_its_clusters(tell):
    """Where the answer for a whole host is known, it is that of each of its clusters."""
    homes = [host for host in lab.read() if host.offer(BASE) is not None]
    chance = Random(11)
    known = {"runs": 0, "refused": 0, "unknown": 0}
    without = Policy(without=frozenset({"pmu_v3"}))
    for home, there in chance.sample([*product(homes, homes)], 60) + [(one, one) for one in homes[::5]]:
        kinds = [there.cpus[0], Cpu(chance.choice([A55, X1, UNKNOWN, home.cpus[0].implementation]), 1, (9,))]
        host = replace(there, name="soc", cpus=tuple(kinds))
        parts = [narrowed(host, one.name, load()) for one in clusters_of(host, load())]
        both = level([home, host], load(), without, name="g")
        guests = [passthrough(home, load(), shape=shape) for shape in {BASE, chance.choice(home.shapes)}]
        for guest in [*guests, *([both.guest] if both.guest is not None else [])]:
            whole = check(guest, host, load())
            for found in [check(guest, one, load()) for one in parts]:
                for mine, theirs in ((whole.start, found.start), (whole.arrive, found.arrive)):
                    known[mine] += 1
                    assert mine in ("unknown", theirs), (home.name, there.name, found.host)
        for one in parts:
            assert both.answer in ("unknown", level([home, one], load(), without, name="g").answer), home.name
    assert all(count > 20 for count in known.values()), known
    tell(f"clusters: {sum(known.values())} answers for whole hosts, none surer than for a cluster ({known})")


def test_a_newer_kernel_settles_cache_sizes():
    guest = passthrough(recorded("6.12"), load(), shape=BASE)
    host = big_little("6.12")
    assert check(guest, narrowed(host, "cortex-a76", load()), load()).arrive == "runs"
    unnamed = replace(host, software=Software())
    assert check(guest, narrowed(unnamed, "cortex-a76", load()), load()).arrive == "unknown"
