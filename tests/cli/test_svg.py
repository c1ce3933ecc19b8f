from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from armlevel.cli.svg import matrix_svg
from tests.cli.hosts import Command

_SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - it is our own


def test_the_picture_says_what_the_table_says(armlevel: Command, tmp_path: Path):
    target = tmp_path / "m.svg"
    said = armlevel("matrix", "@graviton2*", "@graviton3-6.18", "--svg", target)
    assert said.code == 0
    root = parsed(target.read_text(encoding="utf-8"))
    cells = [title.text for title in root.iter(f"{_SVG}title")]
    assert "graviton2@6.1 to graviton2@6.18: P" in cells
    assert "graviton2@6.18 to graviton2@6.1: L" in cells
    words = [text.text for text in root.iter(f"{_SVG}text")]
    assert "a passthrough guest may go" in words
    assert len(list(root.iter(f"{_SVG}rect"))) == 16 + 3
    assert "prefers-color-scheme: dark" in target.read_text(encoding="utf-8")


def test_a_name_is_never_markup():
    names = ["<script>&\x00\x1b", "b"]
    root = parsed(matrix_svg(names, {(names[0], "b"): "P"}, {"P": 'a "yes" & more'}))
    assert not list(root.iter(f"{_SVG}script"))
    assert any("<script>&\\x00" in (text.text or "") for text in root.iter(f"{_SVG}text"))


def test_everything_in_the_picture_is_inside_of_it():
    names = [f"host-{i}-with-a-rather-long-name" for i in range(12)]
    root = parsed(matrix_svg(names, {(names[0], names[1]): "r"}, {"r": "x" * 90}))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter(f"{_SVG}rect"):
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width
        assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height
    for text in root.iter(f"{_SVG}text"):
        assert (
            float(text.attrib["x"]) + 6.6 * len(text.text or "") * (text.attrib.get("text-anchor") is None)
            <= width
        )
