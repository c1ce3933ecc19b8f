"""The engine gives data: no field of a finding holds a free text, and no module of it holds a sentence."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest

import armlevel.engine
from armlevel.engine.compare.diff import Change
from armlevel.engine.findings import Finding, Remedy
from armlevel.engine.reasons import Reason

ENGINE = Path(armlevel.engine.__file__).parent
MODULES = sorted(ENGINE.rglob("*.py"))
# A blank alone separates names; beside a letter it is part of a sentence.
_A_WORD_AND_A_BLANK = re.compile(r"[^\W_] | [^\W_]")
ROOMS = [ENGINE, ENGINE.parent / "arch", ENGINE.parent / "profile"]


def loose(hint: Any, place: str) -> Iterator[str]:
    """Every place of a type where any text may stand."""
    if hint is str:
        yield place
    elif isinstance(hint, NewType) or get_origin(hint) is Literal:
        return
    elif get_origin(hint) in (tuple, list, dict, frozenset, Union, types.UnionType):
        for part in get_args(hint):
            yield from loose(part, place)
    elif isinstance(hint, type) and is_dataclass(hint):
        for name, inner in get_type_hints(hint).items():
            if name in {field.name for field in fields(hint)}:
                yield from loose(inner, f"{place}.{name}")
    elif hint not in (int, bool, Ellipsis, types.NoneType):
        yield f"{place}: {hint}"


@pytest.mark.parametrize("kind", [Finding, Reason, Remedy, Change])
def test_no_field_holds_a_free_text(kind):
    assert list(loose(kind, kind.__name__)) == []


def test_a_free_text_would_be_found_however_deep():
    @dataclass(frozen=True)
    class Inner:
        why: str

    @dataclass(frozen=True)
    class Planted:
        because: tuple[Inner | int, ...]
        name: Any
        plain: int = 0

    Planted.__annotations__ = {"because": tuple[Inner | int, ...], "name": Any, "plain": int}
    Inner.__annotations__ = {"why": str}
    assert list(loose(Planted, "Planted")) == ["Planted.because.why", f"Planted.name: {Any}"]


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """The members of every ``Literal`` of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
            yield from (leaf for leaf in ast.walk(node) if isinstance(leaf, ast.Constant))


def docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            yield body[0].value


def sentences(tree: ast.AST, words: frozenset[str]) -> list[str]:
    """The texts with a blank in a module: not docstrings, not what is raised, not members of a ``Literal``."""
    raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    allowed = {id(leaf) for part in (*docstrings(tree), *raised) for leaf in ast.walk(part)}
    return [
        f"{node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _A_WORD_AND_A_BLANK.search(node.value)
        and node.value not in words
        and id(node) not in allowed
    ]


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def words() -> frozenset[str]:
    modules = (path for room in ROOMS for path in room.rglob("*.py") if path.name != "table.py")
    return frozenset(str(leaf.value) for path in modules for leaf in literals(parsed(path)))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_no_module_holds_a_sentence(path, words):
    assert sentences(parsed(path), words) == []


PLANTED = '''
"""What a module says of itself."""
Cause = Literal["boot option"]

def judge(name: str) -> str:
    """What a function says of itself."""
    if name == "boot option":
        raise UsageError(f"no cause is called {name}", hint="name another one")
    return f"{name} is not recorded"
'''


def test_a_sentence_would_be_found():
    tree = ast.parse(PLANTED)
    words = frozenset(str(leaf.value) for leaf in literals(tree))
    assert sentences(tree, words) == ["9: ' is not recorded'"]
