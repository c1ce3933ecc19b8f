"""The documentation builds without a warning, and its manual pages can be read."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pages.commands import manuals
from tests.repository.frame import ROOT

NAMES = [name for _, name, *_ in manuals()]


def test_the_documentation_builds_without_a_warning_and_its_pages_can_be_read(tmp_path: Path):
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("Sphinx is not installed (make docs and make test install it)")
    command = [sys.executable, str(ROOT / "tools/make_docs.py"), "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    sources = {
        page.relative_to(tmp_path / "source").with_suffix("") for page in (tmp_path / "source").rglob("*.md")
    }
    pages = {
        page.relative_to(tmp_path / "html").with_suffix("") for page in (tmp_path / "html").rglob("*.html")
    }
    assert len(sources) > 200
    assert sources - pages == {Path("decisions/README")}
    large = [page.name for page in (tmp_path / "html").rglob("*.html") if page.stat().st_size > 300_000]
    assert large == []
    manual = tmp_path / "man/man1"
    assert {page.stem for page in manual.iterdir()} == set(NAMES)
    for name in NAMES:
        assert_a_manual_page_can_be_read(manual / f"{name}.1")


def assert_a_manual_page_can_be_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for title in ("NAME", "SYNOPSIS", "EXIT STATUS", "SEE ALSO"):
        assert f".SH {title}\n" in text
    if shutil.which("man") is None:
        return  # its sections are there; how it looks, a machine with man says
    told = subprocess.run(
        ["man", "--warnings", "--local-file", str(page)],
        env={**os.environ, "MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    assert max(map(len, told.stdout.splitlines())) <= 80
    assert f"NAME {page.stem} - " in " ".join(told.stdout.split())
