"""Plans: the cover is the smallest, what is called a certain conflict is one, and every group's baseline holds."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest

from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import Policy, check, level
from armlevel.engine.planning.advice import holdouts, merges, one_way
from armlevel.engine.planning.cover import cover
from armlevel.engine.planning.pairs import certain_conflicts
from armlevel.engine.planning.plan import Planner, plan, planned
from armlevel.errors import UsageError
from armlevel.machines import folder, names
from armlevel.profile import Host
from bench.fleet import mixed
from tests.fidelity.hosts import read

CATALOGUE = load()


@cache
def everybody() -> tuple[Host, ...]:
    """The nine recorded hosts and the 57 emulated ones."""
    with folder() as shipped:
        recorded = load_hosts([str(shipped / f"{name}.json") for name in names()])
    return (*recorded, *read())


@cache
def planner() -> Planner:
    return Planner(everybody(), CATALOGUE, Policy())


def fewest(count: int, allowed) -> int:
    """The smallest number of groups, by trying every one: a reference that is plainly right."""
    groups = [mask for mask in range(1, 1 << count) if allowed(mask)]
    least = {0: 0}
    for mask in range(1, 1 << count):
        low = mask & -mask
        least[mask] = min(least[mask & ~group] + 1 for group in groups if group & low and not group & ~mask)
    return least[(1 << count) - 1]


@pytest.mark.parametrize("seed", range(150))
def test_a_cover_is_the_smallest_and_keeps_apart_what_must_be(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randint(1, 8)
    conflicts = [0] * count
    for i, j in combinations(range(count), 2):
        if rng.random() < rng.choice((0.2, 0.5, 0.8)):
            conflicts[i] |= 1 << j
            conflicts[j] |= 1 << i
    triples = [sum(1 << i for i in some) for some in combinations(range(count), 3) if rng.random() < 0.15]

    def allowed(mask: int) -> bool:
        pairs = any(mask >> i & 1 and conflicts[i] & mask for i in range(count))
        return not pairs and all(one & ~mask for one in triples)

    found = cover(count, conflicts, triples)
    assert sum(found.groups) == (1 << count) - 1
    assert all(map(allowed, found.groups))
    best = fewest(count, allowed)
    assert found.least <= best
    assert len(found.groups) == best


def test_a_search_that_is_cut_short_still_covers_and_says_how_far_it_may_be_off() -> None:
    rng = random.Random(7)
    conflicts = [0] * 60
    for i, j in combinations(range(60), 2):
        if rng.random() < 0.5:
            conflicts[i] |= 1 << j
            conflicts[j] |= 1 << i
    found = cover(60, conflicts, effort=50)
    assert sum(found.groups) == (1 << 60) - 1
    assert found.least < len(found.groups)
    assert not found.optimal


def test_what_is_called_a_certain_conflict_has_no_baseline_in_any_shape() -> None:
    hosts = everybody()
    conflicts = certain_conflicts(hosts, CATALOGUE, Policy())
    pairs = [(i, j) for i, j in combinations(range(len(hosts)), 2) if conflicts[i] >> j & 1]
    assert len(pairs) > 1500
    for i, j in random.Random(1).sample(pairs, 30):
        for without in ((), ("sve", "pmu_v3", "ptrauth")):
            found = level([hosts[i], hosts[j]], CATALOGUE, Policy(without=frozenset(without)))
            assert found.answer == "refused", (hosts[i].name, hosts[j].name)


def test_the_groups_of_recorded_and_emulated_hosts_are_fewest_and_every_baseline_verifies(tell) -> None:
    found = planned(planner())
    by_name = {host.name: host for host in everybody()}
    assert sorted(name for pool in found.pools for name in pool.hosts) == sorted(by_name)
    assert found.optimal
    for pool in found.pools:
        guest = pool.baseline.guest
        assert pool.baseline.answer == "runs"
        assert guest is not None
        for name in pool.hosts:
            assert check(guest, by_name[name], CATALOGUE).arrive == "runs", (pool.hosts, name)
        for name in guest.starts_on:
            assert check(guest, by_name[name], CATALOGUE).start == "runs", (pool.hosts, name)
    tell(
        f"plan: {len(by_name)} hosts of {len(planner().kinds)} kinds in {len(found.pools)} groups, all verified"
    )


@pytest.mark.parametrize("seed", range(2))
def test_a_plan_is_as_small_as_trying_every_group(seed: int) -> None:
    hosts = random.Random(seed).sample(everybody(), 4)
    hosts += [host for host in everybody() if host.name in ("neoverse-n1@6.1", "neoverse-n1@7.x")]
    hosts = list({host.name: host for host in hosts}.values())[:6]
    found = plan(hosts, CATALOGUE)
    weaker = ("sve", "pmu_v3", "ptrauth")

    def allowed(mask: int) -> bool:
        some = [host for i, host in enumerate(hosts) if mask >> i & 1]
        policies = (Policy(), Policy(without=frozenset(weaker)))
        return any(level(some, CATALOGUE, policy).answer != "refused" for policy in policies)

    assert len(found.pools) == fewest(len(hosts), cache(allowed))


def test_who_holds_a_group_back_gives_the_rest_what_it_says() -> None:
    found = planned(planner())
    held = [
        (pool, one) for pool, one in zip(found.pools, holdouts(planner(), found.pools), strict=True) if one
    ]
    assert len(held) > 4
    for pool, one in held:
        rest = [kind.host for kind in pool.kinds if kind.host.name not in one.hosts]
        before, after = pool.baseline.guest, level(rest, CATALOGUE).guest
        assert before is not None
        assert after is not None
        gained = planner().features(after.registers) - planner().features(before.registers)
        assert set(one.gains) == gained != set()


def test_a_merge_holds_with_the_recorded_twin_in_place_of_the_old_host() -> None:
    hosts = [
        host for host in everybody() if host.name.startswith(("neoverse-n2", "cortex-a710", "neoverse-v1"))
    ]
    asked = Planner(hosts, CATALOGUE, Policy())
    found = planned(asked)
    by_name = {host.name: host for host in hosts}
    some = merges(asked, found.pools)
    assert some
    for one in some:
        changed = {host: by_name[like] for host, _, _, like in one.upgrades}
        assert {host.software.kernel for host in changed.values()} == {then for _, _, then, _ in one.upgrades}
        union = [name for place in (one.one, one.two) for name in found.pools[place].hosts]
        now = [changed.get(name, by_name[name]) for name in union]
        then = {host.name: host for host in now}
        shapes = (Policy(), Policy(without=frozenset({"sve", "pmu_v3", "ptrauth"})))
        assert any(level(list(then.values()), CATALOGUE, policy).answer != "refused" for policy in shapes)


def test_a_one_way_road_is_one_that_check_allows() -> None:
    hosts = [host for host in everybody() if host.name.startswith(("graviton2", "neoverse-n1"))]
    found = plan(hosts, CATALOGUE, Policy())
    alone = [replace(pool) for pool in found.pools]
    for i, j in one_way(alone, CATALOGUE):
        guest = alone[i].baseline.guest
        assert guest is not None
        assert all(check(guest, kind.host, CATALOGUE).arrive == "runs" for kind in alone[j].kinds)


def test_tolerances_never_make_more_groups() -> None:
    hosts = [host for host in everybody() if host.name.startswith(("neoverse", "graviton3"))]
    wide = plan(hosts, CATALOGUE, Policy(tolerate=tuple(CATALOGUE.tolerances)))
    assert len(wide.pools) < len(plan(hosts, CATALOGUE).pools)


@pytest.mark.parametrize("blocks", [24, 8])
def test_two_hundred_different_hosts_are_planned_with_a_bound(blocks: int, tell) -> None:
    hosts = list(mixed(200, blocks=blocks))
    asked = Planner(hosts, CATALOGUE, Policy())
    found = planned(asked)
    assert len(asked.kinds) == 200
    assert sum(len(pool.hosts) for pool in found.pools) == 200
    assert 1 <= found.least <= len(found.pools)
    assert len(found.pools) - found.least <= 2
    tell(f"plan, 200 different hosts: {len(found.pools)} groups, at least {found.least}")


def test_hosts_of_equal_content_are_planned_as_one() -> None:
    (one,) = list(mixed(1))
    many = [replace(one, name=f"copy-{i}") for i in range(50)]
    asked = Planner(many, CATALOGUE, Policy())
    assert len(asked.kinds) == 1
    assert planned(asked).pools[0].hosts == tuple(host.name for host in many)


def test_fewer_pools_than_needed_leave_the_smallest_groups_out() -> None:
    found = planned(planner(), 2)
    assert len(found.pools) == 2
    assert sum(len(kind.names) for kind in found.left) + sum(len(p.hosts) for p in found.pools) == len(
        everybody()
    )
    with pytest.raises(UsageError, match="0 pools"):
        plan(everybody(), CATALOGUE, pools=0)
    with pytest.raises(UsageError, match="no hosts"):
        plan([], CATALOGUE)


def test_a_merge_needs_kernels_that_are_recorded() -> None:
    hosts = [host for host in everybody() if host.name.startswith(("neoverse-n2", "cortex-a710"))]
    silent = [replace(host, software=replace(host.software, kernel=None)) for host in hosts]
    counts = []
    for some in (hosts, silent[:1] + hosts[1:], silent):
        asked = Planner(some, CATALOGUE, Policy())
        found = [upgrade for one in merges(asked, planned(asked).pools) for upgrade in one.upgrades]
        assert all(now and then for _, now, then, _ in found)
        counts.append(len(found))
    assert counts[0]
    assert counts[2] == 0
