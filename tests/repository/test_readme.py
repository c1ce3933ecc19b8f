from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from armlevel.cli.app import run
from tests.repository.frame import ROOT

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
