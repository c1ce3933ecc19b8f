"""Pools and levels, as a person types them: a level moves by accept alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from armlevel.profile import Accepts, Host, Made
from tests.cli.hosts import ISAR0, V1, Command, host, write

FIELDS = (("CRC32", 16), ("TS", 52), ("RNDR", 60))
TS, RNDR = 1 << 52, 1 << 60  # FEAT_FlagM, FEAT_RNG


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, armlevel: Command) -> str:
    place = str(tmp_path / "fleet.db")
    monkeypatch.setenv("ARMLEVEL_FLEET", place)
    assert armlevel("fleet", "init").code == 0
    return place


def takes(name: str, isar0: int = ISAR0, **more: Any) -> Host:
    """A host that lets a guest have less than it shows."""
    fields = {
        f"ID_AA64ISAR0_EL1.{field}": Accepts.of(range(((isar0 >> at) & 0xF) + 1)) for field, at in FIELDS
    }
    return host(name, limits={"ID_AA64ISAR0_EL1": isar0}, accepts=fields, **more)


def put(armlevel: Command, tmp_path: Path, *hosts: Host) -> None:
    folder = tmp_path / f"in{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    said = armlevel("fleet", "add", *write(folder, *hosts))
    assert said.code == 0, said.err


def level(armlevel: Command) -> Any:
    return armlevel("fleet", "level", "web", "--json").json


def web(armlevel: Command, tmp_path: Path, *hosts: Host) -> None:
    put(armlevel, tmp_path, *hosts)
    assert armlevel("fleet", "pool", "create", "web", "--host", "n*").code == 0


def accept(armlevel: Command, *more: str) -> Any:
    said = armlevel("fleet", "accept", "web", "--reason", "because", "--json", *more)
    assert said.code == 0, said
    return said.json


def test_a_level_is_what_was_accepted_until_something_else_is(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1"), takes("n2", ISAR0 | TS))
    before = level(armlevel)
    assert (before["in_force"], before["candidate"]["answer"], before["hosts"]) == (None, "runs", 2)
    first = accept(armlevel)
    assert (first["moved"], first["level"]["version"], first["outside"]) == (True, 1, [])
    assert level(armlevel)["same"]
    again = accept(armlevel)
    assert (again["moved"], again["level"]) == (False, first["level"])
    put(armlevel, tmp_path, takes("n1", ISAR0 | TS))
    there = level(armlevel)
    assert (there["in_force"]["version"], there["same"]) == (1, False)
    assert [one["features"] for one in there["changes"]] == [["+FEAT_FlagM"]]
    page = armlevel("fleet", "level", "web").out
    assert page.startswith("pool web: level 1 is in force; 2 of 2 hosts run it\n")
    assert "1 features come (FEAT_FlagM)" in page
    second = accept(armlevel)
    assert (second["level"]["version"], second["again"]) == (2, None)
    back = accept(armlevel, "--version", "1")
    assert (back["level"]["version"], back["again"]) == (3, 1)
    assert back["level"]["digest"] == first["level"]["digest"]
    forth = accept(armlevel)  # the candidate is what version 2 was
    assert (forth["again"], forth["level"]["digest"]) == (2, second["level"]["digest"])
    assert armlevel("fleet", "audit").code == 0
    told = armlevel("fleet", "log", "--pool", "web", "--json").json["events"]
    assert [one["action"] for one in told] == ["pool-created", *["level-accepted"] * 4]
    assert [one["after"] for one in told[1:]] == [
        one["level"]["digest"] for one in (first, second, first, second)
    ]


def test_a_host_that_cannot_run_the_level_is_outside_and_lowers_nothing(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1", ISAR0 | TS), takes("n2", ISAR0 | TS))
    accept(armlevel)
    put(armlevel, tmp_path, takes("n3"))
    there = level(armlevel)
    assert ([one["host"] for one in there["outside"]], there["same"]) == (["n3"], True)
    assert there["outside"][0]["answer"] == "refused"
    assert "ID_AA64ISAR0_EL1.TS" in armlevel("fleet", "level", "web").out
    # A person may lower it.
    cost = armlevel("fleet", "check", "web", "--lower", "--json").json
    assert [one["features"] for one in cost["changes"]] == [["-FEAT_FlagM"]]
    assert level(armlevel)["in_force"]["version"] == 1
    lowered = accept(armlevel, "--lower")
    assert (lowered["level"]["version"], lowered["outside"]) == (2, [])


def test_the_weakest_host_gone_back_to_less_or_unknown_lets_nothing_rise(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1"), takes("n2", ISAR0 | TS))
    accept(armlevel)
    no_crc = takes("n1", ISAR0 & ~(0xF << 16))
    unknown = takes("n1", registers=None, kernel="6.19.1")
    for number, weak in enumerate((no_crc, unknown)):
        put(armlevel, tmp_path, weak)
        there = level(armlevel)
        assert [one["answer"] for one in there["outside"]] == [("refused", "unknown")[number]]
        assert there["same"], "the candidate is what it was"
    assert armlevel("fleet", "host", "retire", "n1", "--reason", "scrapped").code == 0
    assert [one["features"] for one in level(armlevel)["changes"]] == [["+FEAT_FlagM"]]


def test_a_host_that_falls_silent_counts_as_all_it_was(armlevel: Command, tmp_path: Path):
    def old(one: Host, day: int) -> Host:
        return replace(one, made=Made("armlevel", at=f"2026-01-{day:02}T00:00:00Z"))

    web(armlevel, tmp_path, old(takes("n1"), 1), takes("n2", ISAR0 | TS))
    accept(armlevel)
    put(armlevel, tmp_path, old(takes("n1", ISAR0 | TS), 2))  # it got better, long ago
    there = level(armlevel)
    assert (there["silent"], there["same"]) == (["n1"], True)
    assert "let nothing rise" in armlevel("fleet", "level", "web").out
    put(armlevel, tmp_path, takes("n1", ISAR0 | TS))  # it is heard of
    assert not level(armlevel)["same"]


def test_what_cannot_be_levelled_is_not_accepted(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1"), takes("n2", cpu=V1))
    said = armlevel("fleet", "accept", "web", "--reason", "first")
    assert said.code == 1
    assert said.out.startswith("pool web: nothing was accepted, and there is no level\n")
    put(armlevel, tmp_path, takes("n2", registers=None))
    assert armlevel("fleet", "accept", "web", "--reason", "first").code == 3
    assert [one["action"] for one in armlevel("fleet", "log", "--pool", "web", "--json").json["events"]] == [
        "pool-created"
    ]


def test_a_reason_is_needed_and_a_pool_has_hosts(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1"))
    assert "--reason is empty" in armlevel("fleet", "accept", "web", "--reason", "").err
    assert "--reason is not given" in armlevel("fleet", "accept", "web", "--reason", " ").err
    assert armlevel("fleet", "accept", "web").code == 2
    assert "there are: none" in armlevel("fleet", "accept", "web", "--reason", "x", "--version", "3").err
    assert "did you mean web?" in armlevel("fleet", "level", "wbe").err
    assert "no host would ever belong" in armlevel("fleet", "pool", "create", "db").err
    assert "is there already" in armlevel("fleet", "pool", "create", "web", "--host", "x").err
    assert "of a frozen profile" in armlevel("fleet", "pool", "create", "a b", "--host", "x").err
    assert armlevel("fleet", "pool", "create", "db", "--label", "rack=r1").out.endswith(
        "0 hosts belong to it\n"
    )
    accepted = armlevel("fleet", "accept", "db", "--reason", "x")
    assert (accepted.code, "no host of the pool counts" in accepted.out) == (3, True)


def test_a_pool_is_edited_and_its_level_stays(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1", ISAR0 | TS), takes("v1", ISAR0 | TS))
    accept(armlevel)
    armlevel("fleet", "pool", "edit", "web", "--hide", "FEAT_FlagM", "--host", "?1", "--reason", "both")
    there = level(armlevel)
    assert (there["hosts"], there["in_force"]["version"], there["same"]) == (2, 1, False)
    assert [one["features"] for one in there["changes"]] == [["-FEAT_FlagM"]]
    listed = armlevel("fleet", "pool", "list").out
    assert "--hide FEAT_FlagM" in listed
    assert armlevel("fleet", "audit").code == 0


def test_a_dry_run_says_who_would_be_outside_and_changes_nothing(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1", ISAR0 | TS), takes("n2", ISAR0 | TS))
    accept(armlevel)
    new, weak = write(tmp_path, takes("x1", ISAR0 | TS | RNDR), takes("x2"))
    joins = armlevel("fleet", "check", "web", "--add", new, "--json")
    assert (joins.code, [one["answer"] for one in joins.json["hosts"]]) == (0, ["runs"])
    outside = armlevel("fleet", "check", "web", "--add", weak)
    assert outside.code == 1
    assert outside.out.startswith("pool web, if x2 joined: refused; its level stays what it is\n")
    assert "ID_AA64ISAR0_EL1.TS" in outside.out
    canary = armlevel("fleet", "check", "web", "--as", weak, "--json").json
    assert ([one["host"] for one in canary["hosts"]], canary["answer"]) == (["n1", "n2"], "refused")
    put(armlevel, tmp_path, takes("n3", ISAR0 | TS))
    gone = armlevel("fleet", "check", "web", "--remove", "n3")
    assert (gone.code, "what it is without that" in gone.out) == (0, True)
    assert armlevel("fleet", "check", "web").code == 2
    assert armlevel("fleet", "check", "web", "--raise", "--lower").code == 2
    assert armlevel("fleet", "pool", "list", "--json").json["pools"][0]["hosts"] == ["n1", "n2", "n3"]


def test_why_names_who_accepted_and_who_holds_it_down(armlevel: Command, tmp_path: Path):
    web(armlevel, tmp_path, takes("n1"), takes("n2", ISAR0 | TS), takes("n3", ISAR0 | TS))
    assert "pool web has no level" in armlevel("fleet", "why", "web").err
    armlevel("fleet", "accept", "web", "--reason", "first", "--actor", "ann")
    said = armlevel("fleet", "why", "web", "--json").json
    assert (said["in_force"]["by"], said["in_force"]["reason"], said["recomputed"]) == (
        "ann",
        "first",
        "same",
    )
    assert [(one["hosts"], one["changes"][0]["features"]) for one in said["held"]] == [
        (["n1"], ["+FEAT_FlagM"])
    ]
    page = armlevel("fleet", "why", "web").out
    assert "n1 since" in page
    assert armlevel("fleet", "check", "web", "--raise").out.count("held by") == 1
    put(armlevel, tmp_path, takes("n2", ISAR0 | TS, kernel="6.19.1"))
    assert armlevel("fleet", "why", "web", "--json").json["moved"] == ["n2"]
