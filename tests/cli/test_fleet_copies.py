"""A fleet that is backed up, put back, taken along, and partly forgotten; and what a person says of its hosts."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from armlevel.documents.fleet_export import read_fleet_export
from armlevel.errors import BadDocument
from armlevel.profile import Made
from tests.cli.hosts import V1, Command, host, write

ANN = "annabella.rosenkranz"


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, armlevel: Command) -> str:
    """Three hosts of two kinds; two of them in a pool with a level, which somebody accepted."""
    place = str(tmp_path / "fleet.db")
    monkeypatch.setenv("ARMLEVEL_FLEET", place)
    (tmp_path / "in").mkdir()
    assert armlevel("fleet", "init").code == 0
    hosts = write(tmp_path / "in", host("n1"), host("n2"), host("v1", cpu=V1))
    assert armlevel("fleet", "add", *hosts, "--label", "rack=r1").code == 0
    assert armlevel("fleet", "pool", "create", "web", "--host", "n*").code == 0
    assert armlevel("fleet", "accept", "web", "--reason", "first", "--actor", ANN).code == 0
    return place


def audited(armlevel: Command, *more: str) -> dict:
    said = armlevel("fleet", "audit", "--json", *more)
    assert said.code == (0 if said.json["whole"] else 1)
    return said.json


def test_a_backup_is_a_store_and_what_is_restored_is_what_it_was(
    armlevel: Command, tmp_path: Path, fleet: str
):
    copy, heads = str(tmp_path / "copy.db"), tmp_path / "heads"
    said = armlevel("fleet", "backup", copy)
    assert (said.code, "its history is whole" in said.out) == (0, True)
    heads.write_text(said.out)
    assert Path(copy).stat().st_mode & 0o077 == 0
    assert armlevel("fleet", "list", "--fleet", copy).out == armlevel("fleet", "list").out
    assert "nothing is written over it" in armlevel("fleet", "backup", copy).err
    new = str(tmp_path / "new" / "fleet.db")
    said = armlevel("fleet", "restore", copy, "--fleet", new, "--head", heads)
    assert said.code == 0, said
    assert audited(armlevel, "--fleet", new, "--head", str(heads))["whole"]
    assert armlevel("fleet", "list", "--fleet", new).out == armlevel("fleet", "list").out
    assert armlevel("fleet", "log", "--fleet", new, "-n", "1").out.count("was restored from a backup") == 1


def test_a_store_is_replaced_only_when_told_and_then_kept(armlevel: Command, tmp_path: Path, fleet: str):
    copy, old = str(tmp_path / "copy.db"), str(tmp_path / "old.db")
    assert armlevel("fleet", "backup", copy).code == 0
    assert armlevel("fleet", "host", "retire", "v1", "--reason", "late").code == 0
    before = audited(armlevel)["head"]
    said = armlevel("fleet", "restore", copy)
    assert (said.code, "--replace FILE keeps that one in FILE" in said.err) == (2, True)
    assert audited(armlevel)["head"] == before
    said = armlevel("fleet", "restore", copy, "--replace", old, "--json")
    assert (said.code, said.json["replaced"], said.json["kept"]) == (0, before, old)
    assert armlevel("fleet", "list", "--json").json["retired"] == []
    assert audited(armlevel, "--fleet", old)["head"] == before
    assert "is there" in armlevel("fleet", "restore", copy, "--replace", old).err
    assert "is the store itself" in armlevel("fleet", "restore", fleet).err


@pytest.mark.parametrize(
    "what", ["UPDATE event SET reason = 'x' WHERE seq = 2", "DELETE FROM observed_evidence"]
)
def test_a_backup_that_does_not_prove_is_not_restored(armlevel: Command, tmp_path: Path, what: str):
    copy, new = str(tmp_path / "copy.db"), str(tmp_path / "new.db")
    assert armlevel("fleet", "backup", copy).code == 0
    with sqlite3.connect(copy) as connection:
        connection.execute(what)
    said = armlevel("fleet", "restore", copy, "--fleet", new)
    assert (said.code, "nothing was restored" in said.out, Path(new).exists()) == (1, True, False)
    again = armlevel("fleet", "backup", str(tmp_path / "again.db"), "--fleet", copy)
    assert (again.code, "not whole" in again.out) == (1, True)


def test_a_backup_that_lost_its_end_is_found_by_the_head(armlevel: Command, tmp_path: Path):
    copy = str(tmp_path / "copy.db")
    assert armlevel("fleet", "backup", copy).code == 0
    assert armlevel("fleet", "host", "retire", "v1", "--reason", "late").code == 0
    (tmp_path / "heads").write_text(armlevel("fleet", "audit").out)
    said = armlevel("fleet", "restore", copy, "--fleet", tmp_path / "new.db", "--head", tmp_path / "heads")
    assert (said.code, "the kept head counts more" in " ".join(said.out.split())) == (1, True)
    assert not (tmp_path / "new.db").exists()


def test_what_is_no_backup_is_a_sentence(armlevel: Command, tmp_path: Path):
    (tmp_path / "text").write_text("no database, but a text that is long enough to be looked at\n" * 20)
    for file, said in (("text", "is no fleet store"), ("none", "there is no fleet store")):
        found = armlevel("fleet", "restore", tmp_path / file, "--fleet", tmp_path / "new.db")
        assert (found.code, said in found.err) == (2, True)
    assert armlevel("fleet", "backup", tmp_path / "no" / "such" / "folder.db").code == 2
    assert sorted(one.name for one in tmp_path.glob(".armlevel-*")) == []


def test_an_export_is_the_truth_of_each_host_and_hosts_for_every_verb(
    armlevel: Command, tmp_path: Path, fleet: str
):
    file = str(tmp_path / "fleet.json")
    guest = str(tmp_path / "guest.json")
    assert armlevel("baseline", *map(str, (tmp_path / "in").glob("*-n?.json")), "-o", guest).code == 0
    assert armlevel("fleet", "add", guest).code == 0
    assert armlevel("fleet", "host", "retire", "n2", "--reason", "gone").code == 0
    assert armlevel("fleet", "export", "-o", file).code == 0
    Path(fleet).unlink()  # no store from here on
    found = read_fleet_export(Path(file).read_bytes(), file)
    assert [(one.name, one.retired is None, dict(one.pools)) for one in found.hosts] == [
        ("n1", True, {"web": "runs"}),
        ("n2", False, {}),
        ("v1", True, {}),
    ]
    assert [(one.pool, one.version, one.in_force) for one in found.levels] == [("web", 1, True)]
    assert len(found.guests) == 1
    said = armlevel("check", guest, file, "--json")
    assert [one["host"] for one in said.json["verdicts"]] == ["n1", "v1"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda one: one["hosts"][0].update(kind="sha256:0"), "but the content gives"),
        (lambda one: one.pop("digest"), "the document has none"),
        (lambda one: one.update(kind="fleet-export/2"), "a fleet-export/1 is needed"),
    ],
)
def test_an_export_that_was_changed_is_refused(armlevel: Command, tmp_path: Path, spoil, sentence: str):
    file = tmp_path / "fleet.json"
    assert armlevel("fleet", "export", "-o", file).code == 0
    document = json.loads(file.read_text())
    spoil(document)
    with pytest.raises(BadDocument, match=sentence):
        read_fleet_export(json.dumps(document).encode(), "x")
    file.write_text(json.dumps(document))
    assert armlevel("show", file).code == 2


def test_what_is_forgotten_is_gone_and_the_history_stays_whole(armlevel: Command, tmp_path: Path, fleet: str):
    (tmp_path / "heads").write_text(armlevel("fleet", "audit").out)
    said = armlevel("fleet", "forget", "v1", "--reason", "law")
    assert (said.code, "armlevel fleet host retire v1" in said.err) == (2, True)
    assert armlevel("fleet", "host", "retire", "v1", "--reason", "scrapped").code == 0
    said = armlevel("fleet", "forget", "v1", "--name", ANN, "--reason", "law")
    assert (said.code, said.out.splitlines()[0]) == (0, "forgotten: v1; 1 name")
    found = audited(armlevel, "--head", str(tmp_path / "heads"))
    assert found["whole"]
    assert [one["object"].partition(":")[0] for one in found["forgotten"]] == ["host", "actor"]
    assert "each by an event that says so" in armlevel("fleet", "audit").out
    with sqlite3.connect(fleet) as connection:
        text = "\n".join(connection.iterdump())
    assert "v1" not in text.replace("rv1", "")
    assert ANN not in text
    assert ANN.encode() not in Path(fleet).read_bytes()  # nor in what is free
    assert armlevel("fleet", "show", "v1").code == 2
    assert "forgotten" in armlevel("fleet", "log").out
    # It may come back, as another host.
    assert armlevel("fleet", "add", str(tmp_path / "in" / "2-v1.json")).code == 0
    assert audited(armlevel)["whole"]


def test_what_was_forgotten_and_is_there_again_is_told(armlevel: Command, tmp_path: Path, fleet: str):
    with sqlite3.connect(fleet) as connection:
        row = connection.execute("SELECT * FROM actor WHERE name = ?", (ANN,)).fetchone()
    assert armlevel("fleet", "forget", "--name", ANN, "--reason", "she asked").code == 0
    with sqlite3.connect(fleet) as connection:
        connection.execute("UPDATE actor SET name = ?, salt = ? WHERE id = ?", (row[1], row[2], row[0]))
    assert [one["fault"] for one in audited(armlevel)["contents"]] == ["forgotten"]


def test_a_level_that_names_a_forgotten_host_says_so(armlevel: Command):
    assert armlevel("fleet", "host", "retire", "n2", "--reason", "gone").code == 0
    said = armlevel("fleet", "forget", "n2", "--reason", "law")
    assert (said.code, "level web 1" in said.err) == (0, True)
    # What the level was made of stays, so that it can be computed anew.
    assert armlevel("fleet", "why", "web", "--json").code == 0


def test_nothing_to_forget_and_nobody_there_are_sentences(armlevel: Command):
    assert "nothing is named" in armlevel("fleet", "forget", "--reason", "x").err
    assert "--reason is not given" in armlevel("fleet", "forget", "v1").err
    assert armlevel("fleet", "forget", "--guest", "none", "--reason", "x").code == 2
    assert armlevel("fleet", "forget", "--name", "none", "--reason", "x").code == 2


def test_labels_and_names_are_a_persons_word(armlevel: Command, tmp_path: Path):
    assert armlevel("fleet", "pool", "create", "r7", "--label", "rack=r7").code == 0
    said = armlevel("fleet", "host", "label", "n1", "rack=r7", "a=b")
    assert (said.code, "rack=r7" in said.out, "r7" in said.out.splitlines()[-1]) == (0, True, True)
    assert armlevel("fleet", "host", "label", "n1", "--remove", "a", "--json").json["labels"] == {
        "rack": "r7"
    }
    assert "it has: rack" in armlevel("fleet", "host", "label", "n1", "--remove", "b").err
    assert "no label is given" in armlevel("fleet", "host", "label", "n1").err
    said = armlevel("fleet", "host", "rename", "n1", "m1", "--json")
    assert (said.json["name"], said.json["pools"], len(said.json["seen"])) == ("m1", ["r7"], 1)
    assert "is the name of another host" in armlevel("fleet", "host", "rename", "m1", "n2").err
    assert armlevel("fleet", "host", "rename", "m1", "a\nb").code == 2
    assert "m1 has the name" in armlevel("fleet", "log", "--host", "m1").out
    assert audited(armlevel)["whole"]
    said = armlevel("fleet", "host", "retire", "m1", "--reason", "x", "--json")
    assert (said.json["host"], said.json["pools"]) == ("m1", ["r7"])


def test_a_host_comes_back_under_its_new_name(armlevel: Command, tmp_path: Path):
    assert armlevel("fleet", "host", "rename", "v1", "w1").code == 0
    (tmp_path / "again").mkdir()
    late = replace(host("w1", cpu=V1), made=Made("armlevel"))
    said = armlevel("fleet", "add", *write(tmp_path / "again", late))
    assert (said.code, "1 same" in said.out) == (0, True)
    assert audited(armlevel)["whole"]
