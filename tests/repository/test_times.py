"""The tools around the tests: the load, the ledger, what takes long, and the mark of what waits for a machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import slow
import test_times as ledger
import under_load
from tests.repository.frame import ROOT

#: Who may make a lab: the fixture that marks its users, and the judges, which only fetch files with it.
# Those that are judges take its packages and boot no host.
MAKERS = {
    "tests/conftest.py",
    "tests/formats/judges.py",
    "tests/formats/test_confinement.py",
    "tests/repository/test_times.py",
}


def test_whoever_takes_the_lab_takes_the_fixture_that_marks_it():
    makers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if "Laboratory(" in path.read_text(encoding="utf-8")
    }
    assert makers == MAKERS


def test_the_tests_that_boot_hosts_are_marked():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-m",
        "machine",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run([*command, "tests/lab", "tests/preload"], cwd=ROOT, capture_output=True, text=True)
    files = set(re.findall(r"^(tests/\S+?)::", done.stdout, re.MULTILINE))
    assert files == {
        *(f"tests/lab/test_{name}.py" for name in ("boot", "probing", "running_guests", "tcg", "vmms")),
        *(f"tests/preload/test_{name}.py" for name in ("calls", "lab")),
    }


def test_as_many_processes_are_busy_as_there_are_cores_and_none_is_left():
    with under_load.load(under_load.cores()) as busy:
        assert len(busy) == under_load.cores()
        # Nothing ends them but the block.
        assert [process.poll() for process in busy] == [None] * len(busy)
    assert all(process.poll() is not None for process in busy)


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("assert first", r"FAILED, \d+ s, 1 failed "),
        ("first or pytest.skip('why not')", r"passed, \d+ s, 1 skipped; not all were run "),
    ],
)
def test_a_round_that_fails_or_skips_is_told_and_fails_the_run(
    tmp_path: Path, monkeypatch, capsys, then: str, told: str
):
    monkeypatch.setattr(under_load, "ROOT", tmp_path)
    (tmp_path / "test_one.py").write_text(
        "import pathlib, pytest\npytestmark = pytest.mark.machine\n"
        "def test_one():\n    again = pathlib.Path('again')\n    first = not again.exists()\n"
        f"    again.touch()\n    {then}\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = machine: is one\n")
    arguments = ["under_load.py", "--rounds", "2", "--busy", "1", "--", "-p", "no:xdist"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert under_load.main() == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert re.match(r"round 1 of 2: passed, \d+ s, 1 passed ", first)
    assert re.match(f"round 2 of 2: {told}", second)
    assert last == "1 of 2 rounds passed with 1 cores kept busy"


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("...\n===== 3 passed, 1 skipped in 12.00s =====\n", "3 passed, 1 skipped"),
        ("2 passed in 0.10s\n", "2 passed"),
        (
            "=== 1 failed, 2 passed, 3 deselected in 701.30s (0:11:41) ===\n",
            "1 failed, 2 passed, 3 deselected",
        ),
        ("Killed\n", ""),
    ],
)
def test_a_round_says_what_pytest_counted(said: str, count: str):
    assert under_load.counted(said) == count


def test_a_folder_over_its_budget_is_named_and_fails_nothing(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(ledger, "LEDGER", tmp_path / "times.toml")
    monkeypatch.setattr(ledger, "LAST", tmp_path / "last.json")
    monkeypatch.setattr(sys, "argv", ["test_times.py"])
    assert ledger.main() == 0
    assert "a whole `make test` writes it" in capsys.readouterr().out
    folders = {"tests/lab": [90.4, 12], "tests/arch": [30.0, 40], "src": [9.0, 100]}
    ledger.LAST.write_text(json.dumps({"wall": 120.0, "folders": folders}))
    ledger.LEDGER.write_text('# Budgets.\n\n["tests/lab"]\nbudget = 60\ntook = 50\n["src"]\nbudget = 10\n')
    assert ledger.main() == 0
    said = capsys.readouterr().out
    over = [line.split()[0] for line in said.splitlines() if line.endswith("over its budget")]
    assert over == ["tests/lab", "tests/arch"]
    assert "2.0 minutes on the clock; two idle cores need 1.1 or more, of 15" in said
    # Recording leaves budgets as they are, and gives one where there was none.
    monkeypatch.setattr(sys, "argv", ["test_times.py", "--record"])
    assert ledger.main() == 0
    text = ledger.LEDGER.read_text()
    assert text.startswith("# Budgets.\n")
    assert '["tests/lab"]\nbudget = 60\ntook = 90\n' in text
    assert '["tests/arch"]\nbudget = 41\ntook = 30\n' in text


def test_the_budgets_are_what_two_cores_have_in_fifteen_minutes():
    found = ledger.rows(ledger.read(ledger.LEDGER), {})
    assert len(found) > 15
    assert sum(row.budget or 0 for row in found) <= ledger.MOST


def test_what_takes_long_goes_on_when_a_part_fails_and_says_which(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(slow, "ROOT", tmp_path)
    steps = {"bad": (("false",), "one that fails"), "good": (("true",), "one that passes")}
    monkeypatch.setattr(slow, "STEPS", steps)
    monkeypatch.setattr(sys, "argv", ["slow.py"])
    assert slow.main() == 1
    said = capsys.readouterr().out
    assert re.search(r"^bad: FAILED, \d+ s, ", said, re.MULTILINE)
    assert re.search(r"^good: passed, \d+ s, ", said, re.MULTILINE)
    assert said.endswith("failed: bad\n")


def test_what_takes_long_can_all_be_started():
    for command, _ in slow.STEPS.values():
        assert command[1] == "-m" or (ROOT / command[1]).is_file()
