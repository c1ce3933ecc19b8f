"""What is certain although little of a host is recorded: one class for all rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["KEEPS", "Certain", "certain_of"]

Keeps = Literal["limit", "lower"]
KEEPS = ("limit", "lower")
Release = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Certain:
    """What holds on every kernel up to ``until``, and in every core of a part.

    ``keeps``   ``REG.FIELD`` -> ``limit``: KVM takes its limit alone; ``lower``: nothing above it
    ``since``   capability, by its name -> a release that knows it
    ``newer``   capability -> the first release that has it
    ``cores``   (implementer, part) -> ``REG.FIELD`` -> every value that it can have there
    ``sources`` where the rows are from;  ``registers`` those whose fields ``keeps`` speaks of
    """

    until: Release
    keeps: Mapping[str, Keeps]
    since: Mapping[str, Release]
    newer: Mapping[str, Release]
    cores: Mapping[tuple[int, int], Mapping[str, frozenset[int]]]
    sources: tuple[str, ...] = ()
    registers: frozenset[str] = frozenset()


def certain_of(rules: tuple[Any, ...], cores: tuple[Any, ...]) -> Certain:
    """Make it of the compiled rows."""
    until, keeps, since, newer, *sources = rules
    found: dict[tuple[int, int], Mapping[str, frozenset[int]]] = {}
    for see, parts, values in cores:
        each = MappingProxyType({subject: frozenset(some) for subject, some in values})
        found.update((part, each) for part in parts)
        sources.append(see)
    return Certain(
        until,
        MappingProxyType(dict(keeps)),
        MappingProxyType(dict(since)),
        MappingProxyType(dict(newer)),
        MappingProxyType(found),
        tuple(sources),
        frozenset(subject.partition(".")[0] for subject, _ in keeps),
    )
