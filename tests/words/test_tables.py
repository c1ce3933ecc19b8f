"""Every code has its sentence, every sentence its code, and every code is given somewhere."""

from __future__ import annotations

import ast
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

import armlevel
from armlevel.engine.findings import Remedy, RemedyKind
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.reasons import Reason, ReasonCode
from armlevel.engine.values import Others, StateCode
from armlevel.words import values
from armlevel.words.reasons import REASONS, reason_text
from armlevel.words.remedies import REMEDIES, remedy_text

ROOM = Path(armlevel.__file__).parent
TABLES: dict[str, tuple[Any, Mapping[Any, object]]] = {
    "reasons": (ReasonCode, REASONS),
    "remedies": (RemedyKind, REMEDIES),
    "states": (StateCode, values.STATES),
    "others": (Others, values._OTHERS),
}


def constants(path: Path) -> set[str]:
    """Every text of a module that does not stand in a ``Literal``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typed = {
        id(leaf)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal"
        for leaf in ast.walk(node)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in typed
    }


@pytest.mark.parametrize("table", TABLES)
def test_the_codes_and_the_sentences_are_the_same(table):
    codes, sentences = TABLES[table]
    assert {*get_args(codes)} == {*sentences}


@pytest.mark.parametrize("table", TABLES)
def test_every_code_is_given_somewhere(table):
    modules = (*ROOM.glob("engine/**/*.py"), *ROOM.glob("cli/*.py"))
    given = {text for path in modules for text in constants(path)}
    assert set(get_args(TABLES[table][0])) - given == set()


def test_a_code_that_nobody_gives_would_be_found(tmp_path):
    module = tmp_path / "module.py"
    module.write_text('Code = Literal["told", "never-given"]\nwhy: Code = "told"\n')
    assert constants(module) & {"told", "never-given"} == {"told"}


@pytest.mark.parametrize("code", get_args(ReasonCode))
def test_every_sentence_takes_all_that_its_reason_is_about(code):
    places = {int(name) for _, name, _, _ in string.Formatter().parse(REASONS[code]) if name is not None}
    assert places == set(range(len(places)))
    args = tuple(Name(f"<{place}>") for place in sorted(places))
    text = reason_text(Reason(code, args))
    assert all(arg in text for arg in args)
    assert not set(text) & set("{}")


ARGUMENTS: dict[RemedyKind, tuple[Name | int, ...]] = {
    "pin": (Name("CTR_EL0.DIC"), 0),
    "pin-cpus": (Name("4-7"), Name("n1/cortex-a76")),
    "implementation": (0x413FD0C1, 0xFF, 0),
    "vmm": (Name("qemu"), 11, 1),
    "kernel-as": (Name("6.18"), Name("n2")),
}


@pytest.mark.parametrize("kind", get_args(RemedyKind))
def test_every_remedy_has_a_sentence_without_a_hole(kind):
    remedy = Remedy(kind, ARGUMENTS.get(kind, (Name("that"),)), hosts_of(["n1"]))
    text = remedy_text(remedy)
    assert text
    assert not set(text) & set("{}()<>'") - set("()")
