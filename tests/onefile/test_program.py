"""A program that travels has with it all that it imports, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from armlevel.lab.collector import pack_collector, pack_control, pack_guard, pack_verifier
from armlevel.onefile.program import modules_of, program_of
from tests.repository.frame import ROOT

PROGRAMS = {
    "collector": pack_collector,
    "verifier": pack_verifier,
    "control": pack_control,
    "guard": pack_guard,
}
# Imports everything that was packed, with the packed directory alone.
IMPORT_ALL = """
import importlib, pathlib, sys
root = sys.argv[1]
sys.path.insert(0, root)
for file in sorted(pathlib.Path(root).rglob("*.py")):
    name = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    if name not in ("__main__", "armlevel_guard"):  # what starts it
        module = importlib.import_module(name)
        assert module.__file__.startswith(root), module.__file__
print(len([name for name in sys.modules if name.split(".")[0] == "armlevel"]))
"""


def unpacked(files: dict[str, bytes], place: Path) -> Path:
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_module_of_a_program_is_imported_with_the_program_alone(name: str, tmp_path: Path):
    files = PROGRAMS[name]()
    place = unpacked(files, tmp_path)
    command = [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(files) - len({"__main__.py", "armlevel_guard.py"} & files.keys())


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_packed_the_same_twice(name: str):
    assert list(PROGRAMS[name]().items()) == list(PROGRAMS[name]().items())


def test_the_probe_answers_from_its_files_alone(tmp_path: Path):
    place = unpacked(pack_collector(), tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(place), "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "armlevel")


def test_a_new_import_is_never_forgotten_and_one_for_type_checkers_never_packed():
    modules = modules_of(["armlevel.documents.write"])
    assert "armlevel.profile.guest" in modules  # through the door of armlevel.profile
    assert "armlevel.engine.findings" not in modules  # for type checkers
    assert "armlevel.arch" in modules_of(["armlevel.kvm.ids"])  # inside a function
    assert "armlevel.arch" not in modules_of(["armlevel.kvm.ids"], at_home=["armlevel.arch"])


def test_an_empty_door_opens_onto_nothing():
    files = program_of("armlevel.lab.inside.control", closed=["armlevel.lab"])
    assert files["armlevel/lab/__init__.py"] == b""
    assert "armlevel/lab/laboratory.py" not in files


def test_what_is_no_module_is_not_packed():
    with pytest.raises(LookupError, match=r"armlevel\.nowhere is no module"):
        program_of("armlevel.nowhere")


@pytest.mark.parametrize(
    ("script", "pack"),
    [
        ("tests/fidelity/inside.py", pack_verifier),
        ("tests/fidelity/around.py", pack_collector),
        ("tests/onefile/inside_trying.py", pack_guard),
    ],
)
def test_what_the_tests_send_along_finds_its_imports(script: str, pack):
    tree = ast.parse((ROOT / script).read_text(encoding="utf-8"))
    wanted = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    packed = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in pack()}
    assert {name for name in wanted if name.startswith("armlevel")} <= packed


def test_hosts_that_are_asked_at_a_time_are_sent_the_same_program():
    from armlevel.onefile import program

    for _ in range(3):
        program._imported.cache_clear()
        with ThreadPoolExecutor(8) as pool:
            packed = list(pool.map(lambda _: pack_verifier(), range(8)))
        assert all(files == packed[0] for files in packed)
