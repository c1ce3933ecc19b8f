from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repository.frame import ROOT

_LAST_STOP = 600  # seconds against hanging
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CHORES = [
    "demo",
    "test",
    "check",
    "probe",
    "guard",
    "preload",
    "package",
    "deb",
    "slow",
    "load",
    "fidelity",
    "migrations",
    "selftests",
    "docs",
    "bench",
    "rows",
    "requirements",
    "clean",
]


def make(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": "/usr/bin:/bin", "MAKEFLAGS": ""}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=directory,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LAST_STOP,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def a_python(directory: Path, script: str) -> str:
    path = directory / "a-python"
    path.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    path.chmod(0o755)
    return f"PYTHON={path}"


@pytest.mark.parametrize("goal", [[], ["help"]])
def test_make_lists_every_chore_in_one_line_each(goal: list[str]):
    lines = make(ROOT, *goal).stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["help", *CHORES]
    assert all(len(line) <= 110 and len(line.split()) > 3 for line in lines)


def test_a_python_that_is_too_old_is_said_in_one_line(checkout: Path):
    done = make(checkout, a_python(checkout, "exit 1"), "demo")
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert done.returncode == 2
    assert len(said) == 1
    assert "needs Python 3.11 or newer" in said[0]
    assert said[0].endswith("make PYTHON=python3.11 demo")


def test_a_python_that_is_not_there_is_said_in_one_line(checkout: Path):
    done = make(checkout, "PYTHON=/nowhere/python3", "demo")
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert done.returncode == 2
    assert len(said) == 1
    assert "/nowhere/python3" in said[0]


def test_a_python_without_venv_is_said_in_one_line_that_names_the_package(checkout: Path):
    done = make(checkout, a_python(checkout, 'case "$2" in *ensurepip*) exit 1;; esac\n'), "demo")
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert done.returncode == 2
    assert len(said) == 1
    assert said[0].endswith("apt-get install python3-venv")
    assert not (checkout / ".venv/.made").exists()


def stamped(checkout: Path) -> None:
    """Pretend that everything is installed here."""
    (checkout / ".venv").mkdir(exist_ok=True)
    (checkout / ".venv/.made").write_text(f"{checkout}\n", encoding="utf-8")
    for stamp in (".run", ".test"):
        (checkout / ".venv" / stamp).touch()


def test_what_is_installed_is_not_installed_again(checkout: Path):
    stamped(checkout)
    assert "pip" not in make(checkout, "--dry-run", "demo").stdout


@pytest.mark.parametrize("changed", ["requirements/run.txt", "pyproject.toml"])
def test_a_change_of_what_is_required_installs_again(checkout: Path, changed: str):
    stamped(checkout)
    planned = make(checkout, "--dry-run", "--what-if", changed, "demo").stdout
    assert "requirements/run.txt" in planned
    assert "-m venv" not in planned


def test_a_checkout_that_was_moved_gets_its_own_environment(checkout: Path):
    stamped(checkout)
    (checkout / ".venv/.made").write_text("/somewhere/else\n", encoding="utf-8")
    planned = make(checkout, "--dry-run", "demo").stdout
    assert "-m venv --clear" in planned
    assert "requirements/run.txt" in planned


def test_the_demo_installs_only_what_the_run_needs(checkout: Path):
    planned = make(checkout, "--dry-run", "demo").stdout
    assert "requirements/run.txt" in planned
    assert "requirements/test.txt" not in planned


def test_everything_is_installed_by_hash_and_built_without_the_network(checkout: Path):
    planned = make(checkout, "--dry-run", "demo", "test").stdout
    installs = [line for line in planned.splitlines() if " pip " in line]
    assert installs
    assert all("--require-hashes" in line or "--no-build-isolation --no-deps" in line for line in installs)


def test_the_tests_include_the_check(checkout: Path):
    planned = make(checkout, "--dry-run", "test").stdout
    words = ["ruff check", "ruff format --check", "-m mypy", "--python-version 3.10", "lint-imports"]
    for word in [*words, "compile_rows.py --check", "check_core.py", "-m pytest"]:
        assert word in planned


def test_ci_runs_the_test_command_and_nothing_else():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    commands = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert "set -euo pipefail" in commands
    assert commands[-1] == "make test"
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_readme_names_the_commands_that_make_knows():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"^\s*(?:\$ )?make ([a-z]+)", readme, re.MULTILINE))
    assert {"demo", "test"} <= asked
    assert asked <= {"help", *CHORES}
