"""The verbs of ``fleet``, as a person types them."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from armlevel.fleet.writing import Request
from armlevel.profile import Host, Made
from tests.cli.hosts import N1, V1, Command, host, write


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, armlevel: Command) -> str:
    place = str(tmp_path / "fleet.db")
    monkeypatch.setenv("ARMLEVEL_FLEET", place)
    assert armlevel("fleet", "init").code == 0
    return place


def at(one: Host, day: int) -> Host:
    return replace(one, made=Made("armlevel", at=f"2026-01-{day:02}T00:00:00Z"))


def files(tmp_path: Path, *hosts: Host) -> list[str]:
    folder = tmp_path / f"in{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return write(folder, *hosts)


def test_hosts_are_listed_by_kind(armlevel: Command, tmp_path: Path):
    said = armlevel("fleet", "add", *files(tmp_path, host("n1"), host("n2"), host("v1", cpu=V1)))
    assert said.code == 0
    assert said.out.startswith("3 hosts of 2 kinds, 2 of them new to the fleet: 3 new\n")
    listed = armlevel("fleet", "list")
    assert listed.out.startswith("3 hosts of 2 kinds\n")
    assert "n1 and n2" in listed.out
    kinds = armlevel("fleet", "list", "--json").json["kinds"]
    assert [one["hosts"] for one in kinds] == [["n1", "n2"], ["v1"]]
    assert armlevel("fleet", "audit").code == 0


def test_an_empty_fleet_says_how_to_fill_it(armlevel: Command):
    assert armlevel("fleet", "list").out == "0 hosts of 0 kinds\n  armlevel fleet add FILE... puts some in\n"
    assert armlevel("fleet", "log").out == "0 events\n"
    assert armlevel("fleet", "audit").code == 0


def test_a_row_begins_only_when_the_kind_changes(armlevel: Command, tmp_path: Path):
    old, new = host("n1", kernel="6.12.1"), host("n1", kernel="6.18.1")
    other_vmm = replace(old, software=replace(old.software, vmms={"qemu": "11.1"}))
    for one in (at(old, 1), at(old, 3), at(other_vmm, 5), at(new, 7), at(new, 9)):
        assert armlevel("fleet", "add", *files(tmp_path, one)).code == 0
    seen = armlevel("fleet", "show", "n1", "--json").json["seen"]
    assert [(one["first_seen"][8:10], one["last_seen"][8:10]) for one in seen] == [("01", "05"), ("07", "09")]
    assert [one["kind"]["kernel"] for one in seen] == ["6.12.1", "6.18.1"]
    evidence = [(one["since"][8:10], one["until"][8:10]) for one in seen[0]["evidence"]]
    assert evidence == [("01", "03"), ("05", "05")]
    shown = armlevel("fleet", "show", "n1").out
    assert "other vmms" in shown
    assert shown.count("Linux 6.12.1") == 1
    actions = [one["action"] for one in armlevel("fleet", "log", "--json").json["events"]]
    # Each time that something is heard is proved, and other evidence has an event of its own.
    heard = "hosts-heard"
    assert actions == ["host-seen", heard, heard, "host-software", heard, "host-seen", heard, heard]
    assert armlevel("fleet", "log", "--host", "n1", "-n", "1").out.startswith("1 of 8 events\n")


def test_what_is_older_than_what_is_known_is_refused_and_then_nothing_is_written(armlevel, tmp_path: Path):
    old, new = at(host("n1", kernel="6.12.1"), 1), at(host("n1", kernel="6.18.1"), 7)
    assert armlevel("fleet", "add", *files(tmp_path, new)).code == 0
    said = armlevel("fleet", "add", *files(tmp_path, host("n2"), old))
    assert said.code == 2
    assert "n1 as it was at 2026-01-01T00:00:00Z, and it was seen at 2026-01-07T00:00:00Z" in said.err
    assert armlevel("fleet", "list", "--json").json["hosts"] == 1
    again = armlevel("fleet", "add", *files(tmp_path, new))
    assert (again.code, again.out) == (0, "1 host of 1 kind: 1 known\n")


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        ((at(host("n1"), 1), at(host("n1", cpu=V1), 1)), "another profile of n1"),
        ((replace(host("n1"), made=Made("x", at="2999-01-01T00:00:00Z")),), "is a clock wrong?"),
        ((replace(host("n1"), accelerator="tcg"),), "no host with KVM"),
    ],
)
def test_what_cannot_be_taken_is_told_and_nothing_is_written(armlevel, tmp_path: Path, hosts, reason: str):
    said = armlevel("fleet", "add", *files(tmp_path, host("other"), *hosts))
    assert said.code == 2
    assert reason in said.err
    assert armlevel("fleet", "list", "--json").json["hosts"] == 0


def test_a_file_with_a_fault_keeps_all_others_out(armlevel: Command, tmp_path: Path):
    good, bad = files(tmp_path, host("n1"), host("n2"))
    Path(bad).write_text(Path(bad).read_text().replace('"n2"', '"n3"'))
    assert "digest" in armlevel("fleet", "add", good, bad).err
    assert armlevel("fleet", "list", "--json").json["hosts"] == 0
    assert armlevel("fleet", "add", str(tmp_path / "none.json")).code == 2


def test_a_host_that_says_no_time_is_taken_as_of_now_and_that_is_told(armlevel: Command, tmp_path: Path):
    said = armlevel("fleet", "add", *files(tmp_path, host("n1")))
    assert "does not say when it was made" in said.out
    assert armlevel("fleet", "add", *files(tmp_path, at(host("n2"), 1))).out.count("undated") == 0
    assert armlevel("fleet", "list", "--json").json["silent"] == ["n2"]


def test_guests_are_kept_once(armlevel: Command, tmp_path: Path):
    (one,) = files(tmp_path, host("n1"))
    guest = str(tmp_path / "guest.json")
    assert armlevel("baseline", one, "-o", guest).code == 0
    assert armlevel("fleet", "add", guest).out == "1 guest profile, 1 new\n"
    assert armlevel("fleet", "add", guest).out == "1 guest profile, 0 new\n"
    assert armlevel("fleet", "audit").code == 0


def test_labels_are_given_and_kept(armlevel: Command, tmp_path: Path):
    one = files(tmp_path, host("n1"))
    armlevel("fleet", "add", *one, "--label", "rack=r1")
    armlevel("fleet", "add", *one, "--label", "site=ams")
    assert armlevel("fleet", "show", "n1", "--json").json["labels"] == {"rack": "r1", "site": "ams"}
    assert "KEY=VALUE" in armlevel("fleet", "add", *one, "--label", "rack").err


def test_a_name_that_is_nearly_one_is_suggested(armlevel: Command, tmp_path: Path):
    armlevel("fleet", "add", *files(tmp_path, host("n1-03")))
    said = armlevel("fleet", "show", "n1-3")
    assert (said.code, "did you mean n1-03?" in said.err) == (2, True)


TAMPERING = {
    "a change": "UPDATE event SET reason = 'none' WHERE seq = 2",
    "a deletion": "DELETE FROM event WHERE seq = 2",
    "a swap": "UPDATE event SET action = CASE seq WHEN 1 THEN 'host-labelled' ELSE 'host-seen' END WHERE seq < 3",
    "a cut": "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    "a kind of a host": "UPDATE observation SET kind = (SELECT max(kind) FROM observation)",
    "an observation gone": "DELETE FROM observed_evidence; DELETE FROM observation WHERE event = 1",
    "a fact of a kind": "UPDATE kind SET cntfrq_hz = 1",
    "offers": "UPDATE view SET offers = (SELECT max(offers) FROM view)",
    "evidence": "UPDATE evidence SET body = x'00'",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_what_was_done_to_a_store_is_found(armlevel: Command, tmp_path: Path, fleet: str, how: str):
    hosts = files(tmp_path, host("n1"), host("n2", limits={"ID_AA64ISAR0_EL1": 0x1021_1120}))
    assert armlevel("fleet", "add", *hosts, "--label", "rack=r1").code == 0
    (tmp_path / "heads").write_text(armlevel("fleet", "audit").out)
    assert armlevel("fleet", "audit", "--head", tmp_path / "heads").code == 0
    with sqlite3.connect(fleet) as connection:
        connection.executescript(TAMPERING[how])
    said = armlevel("fleet", "audit", "--head", tmp_path / "heads")
    assert (said.code, said.out.startswith("the history is not whole: ")) == (1, True)
    found = armlevel("fleet", "audit", "--head", tmp_path / "heads", "--json")
    assert (found.code, found.json["whole"]) == (1, False)


def test_a_head_is_one_of_a_file(armlevel: Command, tmp_path: Path):
    (tmp_path / "heads").write_text("nothing of it\n")
    assert "no line of it is the head" in armlevel("fleet", "audit", "--head", tmp_path / "heads").err


def test_who_did_it_stands_in_the_history(armlevel: Command, tmp_path: Path):
    armlevel("fleet", "add", *files(tmp_path, host("n1", cpu=N1)), "--actor", "ann")
    assert re.search(r"1 +\S+Z +ann +n1 was added, of kind [0-9a-f]{12}", armlevel("fleet", "log").out)


def test_an_actor_has_a_name_that_a_person_sees(armlevel: Command, tmp_path: Path):
    said = armlevel("fleet", "add", *files(tmp_path, host("n1")), "--actor", "ann\N{RIGHT-TO-LEFT OVERRIDE}")
    assert (said.code, "is no character of a name" in said.err) == (2, True)
    assert armlevel("fleet", "log").out == "0 events\n"


def test_what_says_no_time_is_taken_in_the_order_in_which_it_comes(
    armlevel: Command, tmp_path: Path, monkeypatch
):
    # All within one second, and then the clock is put back.
    for second, kernel in ((5, "6.12.1"), (5, "6.18.1"), (4, "6.12.1"), (4, "6.12.1")):
        now = datetime(2026, 11, 30, 12, 0, second, tzinfo=UTC)
        monkeypatch.setattr(
            "armlevel.operations.fleet_store.new_request", lambda who, now=now: Request(who, now)
        )
        one = host("n1", kernel=kernel)
        vmms = replace(one, software=replace(one.software, vmms={"qemu": kernel}))
        for way in (one, vmms):
            assert armlevel("fleet", "add", *files(tmp_path, way)).code == 0
    seen = armlevel("fleet", "show", "n1", "--json").json["seen"]
    assert [one["kind"]["kernel"] for one in seen] == ["6.12.1", "6.18.1", "6.12.1"]
    assert [one["evidence"][-1]["software"]["vmms"]["qemu"] for one in seen] == ["6.12.1", "6.18.1", "6.12.1"]
    assert armlevel("fleet", "audit").code == 0
