"""Recorded machines: host profiles of real hosts, each with its provenance, shipped for comparison and for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

__all__ = ["folder", "names"]


def names() -> tuple[str, ...]:
    """Return the stems of the recorded machines, in order.

    >>> "graviton3-6.18" in names()
    True
    """
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json")))


@contextmanager
def folder() -> Iterator[Path]:
    """Give the directory that holds the recorded machines, as files that can be named to any command."""
    with resources.as_file(resources.files(__name__)) as path:
        yield path
