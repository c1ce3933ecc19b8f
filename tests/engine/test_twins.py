"""One CPU under another kernel: said of what is recorded, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from armlevel.engine import Policy, level, migrate
from armlevel.engine.remedies import remedies_of_baseline
from armlevel.engine.twins import is_newer_twin, is_twin, may_be_newer_twin
from armlevel.profile import Cpu, Facts, Host, Implementation, Offer, Shape, Software
from tests.engine.kit import CATALOGUE, N1, V1
from tests.laws.test_remedies import host_of

KNOWN = Host("a", (Offer(Shape()),), (Cpu(N1),), Facts(1_000_000_000, 4), Software("6.12.1"))
MTE = replace(KNOWN, offers=(Offer(Shape(frozenset({"mte"}))),), facts=replace(KNOWN.facts, gmid=4))


def on(host: Host, kernel: str | None) -> Host:
    return replace(host, name=f"{host.name}'", software=Software(kernel))


#: Each takes something away that decides whether two hosts are of one CPU.
LESS: list[Callable[[Host], Host]] = [
    lambda host: replace(host, cpus=()),
    lambda host: replace(host, cpus=(Cpu(Implementation(N1.midr, None, 0)),)),
    lambda host: replace(host, facts=replace(host.facts, cntfrq_hz=None)),
    lambda host: replace(host, facts=replace(host.facts, dczid=None)),
    lambda host: replace(host, software=Software(None)),
]
NO_GMID: Callable[[Host], Host] = lambda host: replace(host, facts=replace(host.facts, gmid=None))  # noqa: E731
OTHERS: list[Callable[[Host], Host]] = [
    lambda host: replace(host, cpus=(Cpu(V1),)),
    lambda host: replace(host, facts=replace(host.facts, cntfrq_hz=25_000_000)),
    lambda host: replace(host, facts=replace(host.facts, dczid=3)),
]


def test_hosts_of_one_cpu_and_another_kernel_are_twins():
    for host in (KNOWN, MTE):
        newer = on(host, "7.3.4")
        assert is_twin(host, newer)
        assert is_twin(newer, host)
        assert is_newer_twin(host, newer)
        assert not is_newer_twin(newer, host)
        assert not is_twin(host, on(host, "6.12.1"))
        for other in OTHERS:
            assert not is_twin(host, other(newer))
            assert not may_be_newer_twin(host, other(newer))
    assert not is_twin(MTE, replace(on(MTE, "7.3.4"), facts=replace(MTE.facts, gmid=5)))


def test_what_is_not_recorded_is_equal_to_nothing_on_one_side_or_on_both():
    tried = 0
    for host, some in ((KNOWN, LESS), (MTE, [*LESS, NO_GMID])):
        newer = on(host, "7.3.4")
        for one, two in product([None, *some], repeat=2):
            if one is two is None:
                continue
            here, there = one(host) if one else host, two(newer) if two else newer
            for pair in ((here, there), (there, here)):
                assert not is_twin(*pair)
                assert not is_newer_twin(*pair)
            assert may_be_newer_twin(here, there)
            tried += 1
    assert tried > 80


def test_no_upgrade_is_told_to_a_host_whose_counter_is_another():
    old, new = host_of("neoverse-n1@6.12"), host_of("neoverse-n1@7.x")
    slow = replace(new, facts=replace(new.facts, cntfrq_hz=25_000_000))
    blank = replace(new, facts=replace(new.facts, cntfrq_hz=None))
    for other, told in ((new, True), (slow, False), (blank, False)):
        for pair in ((other, old), (old, other)):
            kinds = {way.kind for way in migrate(*pair, CATALOGUE)[0].ways}
            if pair[0] is other:
                assert ("upgrade-kernel" in kinds) is told


@pytest.mark.parametrize(
    "silent", [("neoverse-n2@7.x",), ("neoverse-n2@6.12",), ("neoverse-n2@7.x", "neoverse-n2@6.12")]
)
def test_nothing_is_not_said_where_a_kernel_that_is_not_recorded_might_do_it(silent: tuple[str, ...]):
    names = ("neoverse-n2@7.x", "neoverse-n2@6.12")
    whole = [host_of(name) for name in names]
    fleet = [
        replace(host, software=replace(host.software, kernel=None)) if host.name in silent else host
        for host in whole
    ]

    def told(hosts: list[Host]) -> dict[str, tuple[str, ...]]:
        ways = remedies_of_baseline(hosts, level(hosts, CATALOGUE), CATALOGUE, Policy())
        return {way.kind: way.hosts for way in ways}

    assert "kernel-as" in told(whole)
    found = told(fleet)
    assert "kernel-as" not in found
    assert found["fact"]
    assert set(found["fact"]) <= set(silent)
    apart = [whole[0], host_of("neoverse-v1@7.x")]
    assert "fact" not in told(apart)
