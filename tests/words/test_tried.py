"""Every code of trying has its words, and no words are left over."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from armlevel.onefile.codes import CODES
from armlevel.onefile.found import Found
from armlevel.words.tried import ADVICE, SENTENCES, advice_of, sentence_of
from tests.repository.frame import ROOT


def test_every_code_has_a_sentence_and_every_sentence_a_code():
    assert set(SENTENCES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_holds_what_was_found(code):
    full = sentence_of(Found(code, "stops", "CTR_EL0.DIC", "1", "0"))
    assert "{" not in full
    assert "  " not in sentence_of(Found(code, "unknown", "CTR_EL0.DIC"))


def test_every_remedy_that_is_told_is_advice():
    told = {"", *ADVICE}
    files = sorted(Path(ROOT, "src/armlevel/onefile").glob("arrival*.py"))
    texts = {
        node.value
        for file in files
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Found"
        for node in [*call.args, *(word.value for word in call.keywords if word.arg == "remedy")]
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {"restart", "elsewhere", "probe"} <= texts
    assert "upgrade-kernel" not in texts
    assert advice_of(Found("refused", "stops", "CTR_EL0", remedy="restart")).startswith("move it")
    assert advice_of(Found("tolerated", "note", "CTR_EL0")) == ""
    assert told >= {"", "restart", "elsewhere", "probe"}
