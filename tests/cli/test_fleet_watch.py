"""`fleet watch`: what changed since the look before, each with host, time and cause."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from armlevel.fleet.values import time_text
from armlevel.profile import Host, Made
from tests.cli.hosts import ISAR0, V1, Command, host, write


def at(one: Host, days_ago: float) -> Host:
    when = datetime.now(UTC) - timedelta(days=days_ago)
    return replace(one, made=Made("armlevel", at=time_text(when)))


class Store:
    """A store, into which hosts are put."""

    def __init__(self, folder: Path, armlevel: Command) -> None:
        self.folder, self.armlevel, self.count = folder, armlevel, 0
        assert armlevel("fleet", "init").code == 0

    def add(self, *hosts: Host) -> None:
        self.count += 1
        folder = self.folder / f"in{self.count}"
        folder.mkdir()
        assert self.armlevel("fleet", "add", *write(folder, *hosts)).code == 0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, armlevel: Command) -> Store:
    monkeypatch.setenv("ARMLEVEL_FLEET", str(tmp_path / "fleet.db"))
    return Store(tmp_path, armlevel)


def test_a_look_tells_what_came_after_the_look_before(store: Store, armlevel: Command):
    store.add(at(host("n1"), 3), at(host("n2"), 3), at(host("n3"), 3))
    first = armlevel("fleet", "watch")
    assert (first.code, first.out) == (0, "a first look: 3 hosts of 1 kind\n")
    assert armlevel("fleet", "watch").out == "nothing changed among 3 hosts\n"
    lowered = [
        host(name, limits={"ID_AA64ISAR0_EL1": ISAR0 & ~0xF0}, kernel="6.12.77") for name in ("n1", "n2")
    ]
    store.add(at(lowered[0], 2), at(lowered[1], 1), at(host("v1", cpu=V1), 1))
    kept = armlevel("fleet", "watch", "--keep", "--json")
    (changed,) = kept.json["changed"]
    assert ([one["host"] for one in changed["hosts"]], changed["cause"]) == (["n1", "n2"], "kernel")
    assert changed["software"] == {"kernel": ["6.18.1", "6.12.77"]}
    assert [one["subject"] for one in changed["changes"]] == ["ID_AA64ISAR0_EL1.AES"]
    assert kept.json["joined"] == ["v1"]
    said = armlevel("fleet", "watch")
    assert (said.code, said.out.splitlines()[0]) == (1, "4 hosts: 2 changed, 1 joined")
    assert "kernel 6.18.1 to 6.12.77" in " ".join(said.out.split())
    assert armlevel("fleet", "watch").code == 0
    assert armlevel("fleet", "watch", "-q").out == "nothing changed among 4 hosts\n"


def test_hosts_that_leave_a_level_or_fall_silent_are_told_once(store: Store, armlevel: Command):
    store.add(at(host("n1"), 2), at(host("n2"), 2))
    armlevel("fleet", "pool", "create", "web", "--host", "n*")
    assert armlevel("fleet", "accept", "web", "--reason", "first").code == 0
    armlevel("fleet", "watch")
    store.add(at(host("n1", limits={"ID_AA64ISAR0_EL1": ISAR0 & ~0xF0}), 1))
    found = armlevel("fleet", "watch", "--json").json
    assert found["outside"] == {"web": {"n1": "refused"}}
    assert found["pools"][0]["candidate"] == "same"
    assert armlevel("fleet", "watch").code == 0
    store.add(at(host("n1"), 0.5))
    assert armlevel("fleet", "watch", "--json").json["inside"] == {"web": ["n1"]}
    armlevel("fleet", "host", "retire", "n2", "--reason", "scrapped")
    assert armlevel("fleet", "watch", "--json").json["retired"] == ["n2"]


def test_another_history_than_the_one_that_was_looked_at_is_told(
    store: Store, armlevel, tmp_path: Path, monkeypatch
):
    store.add(host("n1"))
    armlevel("fleet", "watch")
    monkeypatch.setenv("ARMLEVEL_FLEET", str(tmp_path / "other.db"))
    armlevel("fleet", "init")
    said = armlevel("fleet", "watch", "--mark", tmp_path / "fleet.db.watch")
    assert (said.code, said.out.splitlines()[0]) == (
        1,
        "the history is not the one that was looked at before; armlevel fleet audit says",
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "[", '{"kind": "fleet-mark/1", "head": {"length": -1, "digest": null}}']
)
def test_a_mark_that_is_none_is_said_and_kept(text: str, store: Store, armlevel: Command, tmp_path: Path):
    (tmp_path / "mark").write_text(text)
    said = armlevel("fleet", "watch", "--mark", tmp_path / "mark")
    assert (said.code, "no mark of armlevel fleet watch" in said.err) == (2, True)
    assert (tmp_path / "mark").read_text() == text
    assert store.count == 0


def test_figures_for_a_monitor_replace_earlier_ones_and_nothing_else(store: Store, armlevel, tmp_path: Path):
    store.add(at(host("n1"), 1))
    armlevel("fleet", "pool", "create", "web", "--host", "n*")
    figures, notes = tmp_path / "armlevel.prom", tmp_path / "notes"
    for _ in range(2):
        armlevel("fleet", "watch", "--prometheus", figures)
    lines = figures.read_text().splitlines()
    assert "armlevel_fleet_hosts 1" in lines
    assert 'armlevel_pool_hosts{pool="web"} 1' in lines
    assert all(line.startswith(("# HELP armlevel_", "# TYPE armlevel_", "armlevel_")) for line in lines)
    notes.write_text("mine\n")
    assert armlevel("fleet", "watch", "--prometheus", notes).code == 2
    assert notes.read_text() == "mine\n"
    assert json.loads((tmp_path / "fleet.db.watch").read_text())["kind"] == "fleet-mark/1"
