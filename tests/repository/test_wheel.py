from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from armlevel.preload import library
from tests.repository.frame import ROOT, SOURCE


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(wheel_file)


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


@pytest.mark.skipif(not library().exists(), reason="make preload builds the library")
def test_the_wheel_holds_the_library_that_goes_into_qemu(wheel: zipfile.ZipFile):
    assert wheel.read("armlevel/preload/libarmlevel.so") == library().read_bytes()


def test_the_source_distribution_can_build_that_library(tmp_path: Path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "preload").iterdir()}
    assert {*sources, "tools/make_preload.py"} <= names


def test_the_wheel_carries_the_licence_and_the_notices(wheel: zipfile.ZipFile):
    names = {Path(name).name for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert names == {"LICENSE", "SOURCES.md"}


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile):
    (entry,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert b"armlevel = armlevel.cli:main" in wheel.read(entry)
