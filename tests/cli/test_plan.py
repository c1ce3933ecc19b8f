from __future__ import annotations

from tests.cli.hosts import Command


def test_a_plan_names_groups_costs_and_who_holds_back(armlevel: Command):
    said = armlevel("plan", "@graviton*")
    assert said.code == 0
    assert "9 hosts of 9 kinds: 8 groups, and fewer are impossible" in said.out
    assert "hosts     graviton2@6.1 and graviton2@6.18" in said.out
    assert "held by   graviton2@6.1: without it the others gain 2 features" in said.out
    assert "graviton3@6.18" in said.out


def test_json_has_the_baseline_of_every_group(armlevel: Command):
    found = armlevel("plan", "@graviton2*", "--json").json
    assert (found["hosts"], found["least"], found["optimal"]) == (3, 2, True)
    first = found["groups"][0]
    assert first["hosts"] == ["graviton2@6.1", "graviton2@6.18"]
    assert first["baseline"]["kind"] == "guest-profile/1"
    assert first["costs"]["graviton2@6.18"] == ["FEAT_Debugv8p1", "FEAT_Debugv8p2"]


def test_a_host_that_may_come_and_one_that_may_go_are_weighed(armlevel: Command):
    said = armlevel(
        "plan", "@graviton2-6.1", "@graviton3-6.18", "--add", "@graviton2-6.18", "--remove", "graviton3@6.18"
    )
    assert said.code == 0
    assert "graviton2@6.18 could join group 1 (costs it nothing)" in said.out
    assert "then 1 group, and fewer are impossible" in said.out
    assert armlevel("plan", "@graviton2*", "--remove", "nobody").code == 2
    alone = armlevel("plan", "@graviton2-6.1", "--add", "@graviton4-6.18")
    assert "graviton4@6.18 would be a group of its own" in alone.out


def test_pools_bound_the_groups_and_name_who_is_left(armlevel: Command):
    said = armlevel("plan", "@graviton2*", "--pools", "1")
    assert "left out: graviton2@5.10" in said.out
