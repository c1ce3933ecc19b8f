"""The wheel in an environment of its own: nothing there but what requirements/run.txt names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from armlevel import __version__
from armlevel.preload import library
from tests.repository.frame import ROOT

#: They say which extra they need; tests/fleet has what.
OF_AN_EXTRA = {"fleet"}


class Installed:
    def __init__(self, where: Path) -> None:
        self.where = where
        self.site = next((where / "lib").glob("python3*/site-packages"))
        self.environment = {"PATH": f"{where / 'bin'}:/usr/bin:/bin", "COLUMNS": "80", "NO_COLOR": "1"}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        return self.start("armlevel", *arguments, code=code)

    def start(self, program: str, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [self.where / "bin" / program, *arguments],
            cwd=self.where,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return done.stdout


def names_of(requirements: Path) -> list[str]:
    return re.findall(r"^([\w.-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def installed(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    where = tmp_path_factory.mktemp("installed")
    venv.create(where, with_pip=False)
    there = Installed(where)
    pip = [sys.executable, "-m", "pip", "--python", str(where / "bin" / "python"), "-qq", "--no-input"]
    pip += ["--disable-pip-version-check", "install", "--no-index", "--no-deps", str(wheel_file)]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    done = subprocess.run(pip, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in names_of(ROOT / "requirements" / "run.txt"):
        try:
            ours = distribution(name)
        except PackageNotFoundError:  # of another system or interpreter
            continue
        for top in {Path(file).parts[0] for file in ours.files or () if ".." not in Path(file).parts}:
            target = there.site / top
            if top != "__pycache__" and not target.exists():
                target.symlink_to(Path(str(ours.locate_file(top))))
    return there


def test_it_is_the_installed_one_that_answers(installed: Installed):
    place = installed.start("python", "-c", "import armlevel; print(armlevel.__file__)").strip()
    assert Path(place) == installed.site / "armlevel" / "__init__.py"
    assert installed("--version") == f"armlevel {__version__}\n"


def test_every_verb_of_an_installed_armlevel_has_help(installed: Installed):
    groups = installed("--help").partition("\nOutput:")[0]
    verbs = re.findall(r"^  ([a-z][a-z-]*)  +[A-Z]", groups, re.MULTILINE)
    assert len(verbs) > 15
    for verb in verbs:
        if verb in OF_AN_EXTRA:
            installed(verb, "--help", code=2)
        else:
            assert installed(verb, "--help").startswith(f"Usage: armlevel {verb}")


def test_an_installed_armlevel_levels_the_recorded_hosts_and_exports_the_guest(installed: Installed):
    matrix = json.loads(installed("matrix", "@graviton*", "--json"))
    assert len(matrix["hosts"]) == 9
    guest = installed.where / "guest.json"
    installed("baseline", "@graviton2-6.1", "@graviton2-6.18", "-o", str(guest))
    assert "graviton2@6.1" in installed("check", str(guest), "@graviton2-6.1", "@graviton2-6.18")
    installed("check", str(guest), "@graviton3-6.1", code=1)
    exported = installed("export", str(guest), "--to", "kvm", "--form", "header", "--host", "@graviton2-6.18")
    assert "KVM_SET_ONE_REG" in exported


@pytest.mark.skipif(not library().exists(), reason="make preload builds the library")
def test_an_installed_armlevel_finds_the_library_that_goes_into_qemu(installed: Installed):
    question = (
        "from armlevel.preload import library, library_fault as fault; print(library(), fault(library()))"
    )
    place = installed.start("python", "-c", question).strip()
    assert place == str(installed.site / "armlevel" / "preload" / "libarmlevel.so")
