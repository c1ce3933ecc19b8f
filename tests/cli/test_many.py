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
    assert sum("counter frequency" in line for line in lines) == 1
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
    assert lines[0].startswith("57 hosts, 3192 moves: a passthrough guest may go ")
    assert "rows: from; columns: to" in lines
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
