"""Answers about many hosts: counts before lists, and no page that nobody reads."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from tests.cli.hosts import Command, host, write

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
