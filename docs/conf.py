"""How Sphinx builds the documentation; `make docs` runs it over these pages and those that tools/pages makes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").exists())
sys.path[:0] = [str(_ROOT / "src"), str(_ROOT / "tools")]

from armlevel import __version__  # noqa: E402 - the path above comes first
from pages.commands import manuals  # noqa: E402

project = "armlevel"
author = "the armlevel developers"
copyright = "the armlevel developers, Apache-2.0"  # noqa: A001 - Sphinx's name
version = release = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist", "colon_fence", "attrs_block"]
myst_heading_anchors = 3
smartquotes = False  # --json must not become a dash
html_theme = "furo"
html_title = f"armlevel {__version__}"
exclude_patterns = ["decisions/README.md"]
man_pages = manuals()
man_make_section_directory = True


def setup(app: Sphinx) -> None:
    """Have each page show the tree of pages as far as it leads to itself.

    Furo draws all of it on every page: of 330 pages that is more than half of a build, and of what a page weighs.
    """
    app.connect("html-page-context", _own_branch, priority=400)  # the theme asks for the tree at 500


def _own_branch(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    if whole := context.get("toctree"):
        context["toctree"] = lambda **asked: whole(**asked | {"collapse": True})
