from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.repository.frame import ROOT, SOURCE


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    where = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(where)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(where.glob("*.whl")))


def test_the_wheel_holds_every_module(wheel: zipfile.ZipFile):
    modules = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py")}
    assert modules <= set(wheel.namelist())
    assert "armlevel/py.typed" in wheel.namelist()


def test_the_wheel_holds_the_compiled_table_and_not_the_rows(wheel: zipfile.ZipFile):
    assert "armlevel/arch/table.py" in wheel.namelist()
    assert not [name for name in wheel.namelist() if name.endswith(".toml")]


def test_the_wheel_holds_the_recorded_machines(wheel: zipfile.ZipFile):
    machines = {str(path.relative_to(SOURCE)) for path in (SOURCE / "armlevel/machines").glob("*.json")}
    assert machines
    assert machines <= set(wheel.namelist())


def test_the_wheel_carries_the_licence_and_the_notices(wheel: zipfile.ZipFile):
    names = {Path(name).name for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert names == {"LICENSE", "SOURCES.md"}


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile):
    (entry,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert b"armlevel = armlevel.cli:main" in wheel.read(entry)
