"""engine/ by places: each file or room in it stands above what it imports; and no file is too long for one head."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.repository.frame import ROOT

SOURCE = ROOT / "src/armlevel"
ENGINE = SOURCE / "engine"
LONG = 400
#: Files over LONG lines, and why each is not two.
NAMED = {
    "src/armlevel/arch/table.py": "made from the rows of arch/data, read by nobody",
}


def place_of(parts: tuple[str, ...]) -> str:
    """Return the place of a module below a room: the file, or the room in it."""
    return parts[0].removesuffix(".py")


def imported(file: Path, room: str) -> Iterator[str]:
    """Name every module of ``room`` that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{room}."):
            yield node.module.removeprefix(f"{room}.")
        elif isinstance(node, ast.ImportFrom) and node.module == room:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix(f"{room}.")
                for alias in node.names
                if alias.name.startswith(f"{room}.")
            )


def places(folder: Path, room: str) -> dict[str, set[str]]:
    """Return place -> the other places of the room that it imports; the room's own door is above them all."""
    graph: dict[str, set[str]] = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).parts
        if parts == ("__init__.py",):
            continue
        here = place_of(parts)
        graph.setdefault(here, set()).update(
            place_of(tuple(name.split("."))) for name in imported(file, room)
        )
    return {here: there - {here} for here, there in graph.items()}


def floors(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the places floor by floor, those that import no other first.

    Raises:
        CycleError: two places import each other, directly or by others.

    """
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    found = []
    while sorter.is_active():
        floor = sorter.get_ready()
        found.append(set(floor))
        sorter.done(*floor)
    return found


def test_the_places_of_the_engine_have_floors_and_no_circle(tell):
    graph = places(ENGINE, "armlevel.engine")
    assert set().union(*graph.values()) <= set(graph), "the engine's door is imported by what it opens on"
    found = floors(graph)
    arrows = sum(map(len, graph.values()))
    tell(f"engine: {len(graph)} places on {len(found)} floors, {arrows} arrows, no circle")
    assert "names" in found[0]
    assert "planning" in found[-1]
    assert len(graph) > 10


def test_a_planted_circle_is_found(tmp_path: Path):
    for name, text in {"low.py": "from armlevel.engine.high import x\n", "high/one.py": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert floors(places(tmp_path, "armlevel.engine")) == [{"high"}, {"low"}]
    (tmp_path / "high/two.py").write_text(
        "def f():\n    from armlevel.engine.low import x\n", encoding="utf-8"
    )
    with pytest.raises(CycleError):
        floors(places(tmp_path, "armlevel.engine"))


def test_files_that_are_long_are_named_with_their_reason():
    files = [file for room in ("src", "tools", "bench") for file in (ROOT / room).rglob("*.py")]
    assert len(files) > 200
    lengths = {str(file.relative_to(ROOT)): len(file.read_bytes().splitlines()) for file in files}
    assert {name for name, length in lengths.items() if length > LONG} == set(NAMED)
