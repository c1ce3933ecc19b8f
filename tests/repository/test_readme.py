from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from armlevel.cli.app import run
from armlevel.lab import Laboratory, parse_host
from pages import console
from tests.emulated import fetched
from tests.repository.frame import ROOT

_LAST_STOP = 1800  # seconds against hanging
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _demo() -> str:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "demo.py")],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return done.stdout


def test_the_readme_shows_what_the_demo_prints():
    shown = README.partition("<!-- demo: begin -->")[2].partition("<!-- demo: end -->")[0]
    assert shown.strip().removeprefix("```").removesuffix("```").strip() == _demo().strip()


def test_the_demo_fits_60_lines_of_80_columns():
    lines = _demo().splitlines()
    assert 20 < len(lines) <= 60
    assert max(map(len, lines)) <= 80


def test_the_readme_names_the_command_that_ci_runs():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in README
    assert script.rstrip().endswith("make test")


def test_the_picture_is_what_the_matrix_of_the_nine_recorded_hosts_writes(tmp_path: Path):
    picture = tmp_path / "matrix.svg"
    assert run(["matrix", "@graviton*", "--svg", str(picture)]) == 0
    assert (ROOT / "docs" / "matrix.svg").read_text(encoding="utf-8") == picture.read_text(encoding="utf-8")
    assert "](docs/matrix.svg)" in README


def test_the_commands_of_the_readme_print_what_it_shows(tmp_path: Path):
    listed = [one for block in console.blocks_of(README) if not block.where for one in block.commands]
    assert len(listed) > 8
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for one in console.run(listed, tmp_path, here, _LAST_STOP):
        assert console.says(one), (
            f"README.md shows something else; tools/fill_pages.py README.md puts this in:\n{one}"
        )


def test_the_readme_asks_nothing_that_armlevel_would_not_take():
    blocks = console.blocks_of(README)
    ours = [one for block in blocks for one in block.commands if one.line.startswith("armlevel ")]
    assert [(one.line, said) for one in ours if (said := console.objection(one.line))] == []
    assert max(len(line) for one in ours for line in one.prints) <= 80


def test_the_way_without_an_arm_machine_prints_what_the_readme_shows(
    laboratory: Laboratory, tmp_path: Path, tell
):
    with fetched():
        laboratory.prepare(parse_host("neoverse-n1@7.x"))
    listed = [one for block in console.blocks_of(README) if block.where == "lab" for one in block.commands]
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for one in console.run(listed, tmp_path, here, _LAST_STOP):
        assert console.says(one), f"README.md shows something else:\n{one}"
    tell(f"README: {len(listed)} commands with emulated hosts")
