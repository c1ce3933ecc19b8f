from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.repository.frame import PYPROJECT, ROOT

PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("news/*.md")})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_points_only_at_what_is_there(page: Path):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    # In docs/, /page.md is a page that is made; tests/docs/test_pages.py asks for those.
    targets = [t for t in targets if not (t.startswith("/") and page.is_relative_to(ROOT / "docs"))]
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


def test_the_licence_is_apache_2_word_for_word():
    text = (ROOT / "LICENSE").read_bytes()
    assert (
        hashlib.sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    )
    assert PYPROJECT["project"]["license"] == "Apache-2.0"


def test_the_paths_that_the_contributors_tour_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:src|tests|docs|requirements|tools|news)/[^`\s]*)`", text)
    assert len(paths) > 8
    assert [path for path in paths if "ISSUE" not in path and not (ROOT / path).exists()] == []


def test_arms_terms_travel_with_what_derives_from_arm():
    text = re.sub(r"[>\s]+", " ", (ROOT / "SOURCES.md").read_text(encoding="utf-8"))
    assert "Copyright 2010-2025 Arm Limited or its affiliates" in text
    assert "Neither the name of the copyright holder" in text
    assert "trademarks" in text


def test_a_news_fragment_names_an_issue_and_a_kind():
    kinds = {kind["directory"] for kind in PYPROJECT["tool"]["towncrier"]["type"]}
    fragments = [path.name for path in (ROOT / "news").iterdir() if path.name != "README.md"]
    pattern = re.compile(rf"(\d+|\+[\w-]+)\.({'|'.join(sorted(kinds))})(\.\d+)?\.md")
    assert [name for name in fragments if not pattern.fullmatch(name)] == []
