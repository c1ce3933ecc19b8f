"""Answers about many hosts: counts before lists, and no page that nobody reads."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from tests.cli.hosts import N1, V1, Command, host, write

LAB = Path(__file__).parents[1] / "machines" / "lab.json.xz"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every recorded emulated host into a directory."""
    folder = tmp_path_factory.mktemp("lab")
    recorded = json.loads(lzma.decompress(LAB.read_bytes()))
    assert len(recorded) >= 57
    for name, document in recorded.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_a_guest_against_many_hosts_is_one_page(armlevel: Command, lab: Path):
    said = armlevel("check", "@graviton2-6.18", lab)
    lines = said.out.splitlines()
    assert said.code == 1
    assert len(lines) <= 40
    count = len(list(lab.iterdir()))
    assert f"0 of {count} hosts may start it, 0 of {count} may" in lines[0]
    reasons = [line for line in lines if not line.startswith("  remedy")]
    assert sum("counter frequency" in line for line in reasons) == 1
    every = armlevel("check", "@graviton2-6.18", lab, "--names").out
    assert all(path.stem in " ".join(every.split()) for path in lab.iterdir())


def test_names_that_count_on_are_a_range(armlevel: Command, tmp_path: Path):
    write(tmp_path, *(host(f"node{number:03}") for number in range(8, 20)))
    said = armlevel("check", "@graviton2-6.18", tmp_path)
    assert "node008..node019" in said.out
    assert "more" not in said.out.partition("what differs")[0]


@pytest.mark.slow  # a minute: every pair of 57 hosts is levelled
def test_a_matrix_of_many_hosts_is_two_pages(armlevel: Command, lab: Path):
    said = armlevel("matrix", lab)
    lines = said.out.splitlines()
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("57 hosts, 3192 moves: ")
    assert "rows: from; columns: to" in said.out
    # Hosts of a group stand together: one run of rows has all of a64fx, in the order of their kernels.
    places = [number for number, line in enumerate(lines) if " a64fx@" in line and " -> " not in line]
    assert places[:4] == list(range(places[0], places[0] + 4))


def test_a_narrow_matrix_says_the_same_as_a_wide_one(armlevel: Command, tmp_path: Path):
    write(tmp_path, *(host(f"n{number:02}", cpu=(N1, V1)[number % 2]) for number in range(30)))
    shared, named = armlevel("matrix", tmp_path), armlevel("matrix", tmp_path, "--names")
    letters = armlevel("matrix", tmp_path, "--json").json["moves"]
    rows = {
        line.split()[1]: line.split()[2]
        for line in named.out.splitlines()
        if len(line.split()) == 3 and line.split()[0].isdigit()
    }
    assert len(rows) == 30
    order = list(rows)
    for move in letters:
        assert rows[move["from"]][order.index(move["to"])] == move["letter"]
    assert "+14" in shared.out


def test_a_plan_writes_a_guest_for_each_group_and_overwrites_nothing(armlevel: Command, tmp_path: Path):
    write(tmp_path, host("a"), host("b"), host("c", cpu=V1))
    groups = tmp_path / "groups"
    planned = armlevel("plan", *sorted(tmp_path.glob("*.json")), "-o", groups)
    assert planned.code == 0
    assert planned.out.startswith("3 hosts of 2 kinds: 2 groups")
    assert sorted(path.name for path in groups.iterdir()) == ["group-1.json", "group-2.json"]
    members = armlevel("plan", *sorted(tmp_path.glob("*.json")), "--json").json["groups"]
    for place, group in enumerate(members):
        for name in group["hosts"]:
            (path,) = tmp_path.glob(f"*-{name}.json")
            assert armlevel("check", groups / f"group-{place + 1}.json", path).code == 0
    (groups / "group-1.json").unlink()
    before = (groups / "group-2.json").read_bytes()
    again = armlevel("plan", *sorted(tmp_path.glob("*.json")), "-o", groups)
    assert (again.code, again.out) == (2, "")
    assert "nothing is overwritten" in again.err
    assert [path.name for path in groups.iterdir()] == ["group-2.json"]
    assert (groups / "group-2.json").read_bytes() == before


def test_no_baseline_of_many_hosts_points_to_a_plan_that_runs(armlevel: Command, tmp_path: Path):
    write(tmp_path, host("a"), host("b", cpu=V1), host("c"))
    said = armlevel("baseline", tmp_path)
    assert said.code == 1
    (line,) = [line for line in said.out.splitlines() if " remedy    armlevel plan " in line]
    words = line.partition(":")[0].split()[2:] if len(str(tmp_path)) < 40 else ["plan", str(tmp_path)]
    assert armlevel(*words).code == 0


def test_drift_of_many_hosts_counts_first_and_tells_alike_changes_once(armlevel: Command, tmp_path: Path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, limits in ((old, {"ID_AA64ISAR0_EL1": 0}), (new, {})):
        folder.mkdir()
        write(folder, *(host(f"n{number:02}", limits=limits) for number in range(20)))
    said = armlevel("drift", new, "--since", old)
    first = " ".join(said.out.split("\n\n")[0].split())
    assert first.startswith("0 of 20 hosts still run what ran there; 20 changed")
    assert len(said.out.splitlines()) < 40
    assert "all 20 changed in " in said.out
    assert "n00..n19" in said.out


def test_of_many_documents_and_words_the_first_line_is_a_count(armlevel: Command, tmp_path: Path):
    one, two = write(tmp_path, host("one"), host("two"))
    guest = str(tmp_path / "guest.txt")
    assert armlevel("baseline", one, two, "-o", guest).code == 0
    assert armlevel("show", one, two, guest).out.splitlines()[0] == "2 hosts, 1 guest"
    assert armlevel("show", one).out.startswith("host one\n")
    assert armlevel("facts", "sve", "CTR_EL0").out.splitlines()[0] == "all 2 terms known"
    assert armlevel("facts", "sve", "FEAT_SVVE").out.splitlines()[0] == "1 of 2 terms known"
    assert armlevel("facts", "sve").out.startswith("FEAT_SVE\n")


def test_a_plan_of_many_hosts_is_one_page_and_a_bit(armlevel: Command, lab: Path):
    said = armlevel("plan", lab)
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{len(list(lab.iterdir()))} hosts of ")
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 80
    whole = armlevel("plan", lab, "--names").out
    assert all(path.stem in " ".join(whole.split()) for path in lab.iterdir())
