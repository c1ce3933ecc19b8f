"""The files of a program that travels: the modules that it imports, found by reading them.

Nothing is listed by hand, so nothing new can be forgotten. Imports inside functions count; those for type checkers do
not, and neither does what is outside armlevel: on a bare host there is the standard library alone.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib import resources
from threading import Lock

__all__ = ["modules_of", "program_of"]

_PACKAGE = "armlevel"
# Python 3.11 loses count of its depth where two threads make syntax trees at a time (SystemError: AST constructor
# recursion depth mismatch, seen on 3.11.7 with one thread a host).
_ONE_TREE = Lock()
_MAIN = "import sys\nfrom {} import main\nsys.exit(main())\n"


def program_of(
    module: str, *, at_home: Collection[str] = (), closed: Collection[str] = ()
) -> dict[str, bytes]:
    """Return the files of a directory that `python3 DIRECTORY` runs: ``main`` of ``module``, and what it imports.

    ``at_home``  rooms and modules that do not travel, because the program never gets to where they are imported
    ``closed``   packages whose ``__init__`` opens onto more than the program needs: they travel with an empty one

    >>> sorted(program_of("armlevel.errors", closed=["armlevel"]))
    ['__main__.py', 'armlevel/__init__.py', 'armlevel/errors.py']
    """
    files = {"__main__.py": _MAIN.format(module).encode()}
    for name in modules_of([module], at_home=at_home, closed=closed):
        path, text = _read(name)
        files[path] = b"" if name in closed else text
    return files


def modules_of(
    modules: Iterable[str], *, at_home: Collection[str] = (), closed: Collection[str] = ()
) -> tuple[str, ...]:
    """Return modules of armlevel and all that they import, packages around them included, in order of name.

    Raises:
        LookupError: one of them is no module.

    """
    found: set[str] = set()
    left = [package for module in modules for package in _with_packages(module)]
    while left:
        module = left.pop()
        if module in found or any(module == one or module.startswith(f"{one}.") for one in at_home):
            continue
        found.add(module)
        if module not in closed:
            left += [package for one in _imported(module) for package in _with_packages(one)]
    return tuple(sorted(found))


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@cache
def _imported(module: str) -> tuple[str, ...]:
    with _ONE_TREE:
        tree = ast.parse(_read(module)[1])
    return tuple(_imports_in(tree))


def _imports_in(tree: ast.AST) -> Iterator[str]:
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] == _PACKAGE)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _PACKAGE:
            name = str(node.module)
            yield name
            yield from (f"{name}.{one.name}" for one in node.names if _place(f"{name}.{one.name}"))


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node)


def _read(module: str) -> tuple[str, bytes]:
    path = _place(module)
    if path is None:
        raise LookupError(f"{module} is no module of {_PACKAGE}")
    return path, resources.files(_PACKAGE).joinpath(_inside(path)).read_bytes()


def _place(module: str) -> str | None:
    path = module.replace(".", "/")
    package = resources.files(_PACKAGE)
    places = (f"{path}.py", f"{path}/__init__.py")
    return next((one for one in places if package.joinpath(_inside(one)).is_file()), None)


def _inside(path: str) -> str:
    return path.removeprefix(f"{_PACKAGE}/")
