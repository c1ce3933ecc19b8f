from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path, PurePath

import pytest

import check_core
from tests.repository.frame import PYPROJECT, ROOT, make_variable, rooms

CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
FLOORS = [{room.strip(" ()") for room in layer.split("|")} for layer in CONTRACTS["floors"]["layers"]]
CORE = {
    "armlevel.errors",
    "armlevel.arch",
    "armlevel.kvm",
    "armlevel.profile",
    "armlevel.engine",
    "armlevel.probe",
}


def test_every_room_has_a_floor():
    assert rooms() <= set().union(*FLOORS)


def test_contributing_draws_the_floors_of_the_contract():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawing = text.partition("## Rooms")[2].split("```")[1]
    # A line is the rooms of a floor, and what they are behind two spaces or more.
    heads = [re.split(r"\s{2,}", line)[0] for line in drawing.strip().splitlines()]
    drawn = [{f"armlevel.{room}" for room in head.split(" | ")} for head in heads]
    assert drawn == [floor - {"armlevel.machines"} for floor in FLOORS]


def test_the_core_is_the_same_for_make_ruff_and_the_import_contract():
    by_make = {str(PurePath(path)) for path in make_variable("CORE")}
    by_ruff = {
        pattern.removesuffix("/**")
        for pattern, version in PYPROJECT["tool"]["ruff"]["per-file-target-version"].items()
        if version == "py310" and (ROOT / pattern.removesuffix("/**")).exists()
    }
    by_contract = {
        "src/" + name.replace(".", "/") + ("" if (ROOT / "src" / name.replace(".", "/")).is_dir() else ".py")
        for name in CONTRACTS["core"]["source_modules"]
    }
    assert by_make == by_ruff
    assert by_make - {"src/armlevel/__init__.py"} == by_contract


def test_every_existing_core_room_is_under_the_core_contract():
    assert CORE & rooms() <= set(CONTRACTS["core"]["source_modules"])


def test_what_the_run_requires_is_forbidden_to_the_core():
    pinned = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    run = {line.split(">")[0] for line in PYPROJECT["project"]["dependencies"]}
    assert all(f"\n{name}==" in f"\n{pinned}" for name in run)
    assert run <= set(CONTRACTS["core"]["forbidden_modules"])


def test_the_core_imports_with_nothing_but_the_standard_library():
    names = list(check_core.modules(map(Path, make_variable("CORE"))))
    assert len(names) > 10
    assert check_core.faults(sys.executable, names) == []


def test_a_core_module_that_leans_on_a_package_is_found(tmp_path: Path):
    (tmp_path / "leaning.py").write_text("import pydantic\n", encoding="utf-8")
    (tmp_path / "standing.py").write_text("import json\n", encoding="utf-8")
    (fault,) = check_core.faults(sys.executable, ["leaning", "standing"], tmp_path)
    assert fault.startswith("leaning: ModuleNotFoundError")


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("arch", "import armlevel.engine", "floors"),
        ("engine", "import armlevel.formats", "floors"),
        ("profile", "import armlevel.kvm", "floors"),
        ("documents", "import armlevel.cli", "floors"),
        ("operations", "import armlevel.lab", "floors"),
        ("onefile", "import armlevel.operations", "floors"),
        ("cli", "import armlevel.engine", "words"),
        ("cli", "from armlevel.formats import qemu_write", "words"),
        ("engine", "import rich", "core"),
        ("cli", "import armlevel.nova", "floors"),
        ("nova", "import armlevel.errors", "nova"),
    ],
)
def test_an_import_that_climbs_breaks_the_contract(tmp_path: Path, module: str, line: str, contract: str):
    for name in set().union(*FLOORS):
        room = tmp_path / "armlevel" / name.removeprefix("armlevel.")
        room.mkdir(parents=True)
        (room / "__init__.py").touch()
    (tmp_path / "armlevel/__init__.py").write_text("import armlevel.operations\n", encoding="utf-8")
    for module_of_core in CONTRACTS["core"]["source_modules"]:
        if module_of_core.count(".") > 1:
            (tmp_path / f"{module_of_core.replace('.', '/')}.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def judge() -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--contract", contract]
        bare = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "COLUMNS": "200"}
        return subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)

    assert judge().returncode == 0, judge().stdout
    (tmp_path / "armlevel" / module / "planted.py").write_text(line + "\n", encoding="utf-8")
    assert judge().returncode == 1


def test_every_exception_from_a_lint_rule_says_why():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    codes = [*lint["ignore"], *(code for codes in lint["per-file-ignores"].values() for code in codes)]
    explained = [line for line in text.splitlines() if line.startswith('    "') and '",  # ' in line]
    assert codes == [line.split('"')[1] for line in explained]
