"""Who can go where: every ordered pair of a set of hosts, as it is and levelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from armlevel.arch import Catalogue
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.findings import Answer, Finding, Part
from armlevel.engine.moves.moves import Move, judged_move
from armlevel.engine.policy import Policy
from armlevel.errors import UsageError
from armlevel.profile import Host, kind_digest

__all__ = ["Cell", "matrix"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One ordered pair: the passthrough profile's arrival, and what a baseline of the two would make of it.

    ``passthrough_parts`` and ``levelled_parts`` answer each part by itself; ``levelled`` is the same both ways. Of
    hosts that are alike one is asked for all, and ``findings`` and ``conflicts`` may name that one.
    """

    source: str
    target: str
    passthrough: Answer
    levelled: Answer
    passthrough_parts: tuple[tuple[Part, Answer], ...]
    levelled_parts: tuple[tuple[Part, Answer], ...]
    findings: tuple[Finding, ...]
    conflicts: tuple[Finding, ...]


def matrix(
    hosts: Sequence[Host], catalogue: Catalogue, policy: Policy | None = None, *, vmm: str = "kvm"
) -> tuple[Cell, ...]:
    """Judge every ordered pair of different hosts, row by row.

    Raises:
        UsageError: fewer than two hosts.

    """
    if len(hosts) < 2:
        raise UsageError(
            "a matrix needs at least two hosts", hint="name more host profiles, or a directory of them"
        )
    policy = policy or Policy()
    kinds = [kind_digest(host) for host in hosts]
    moves: dict[tuple[str, str], Move] = {}
    pairs: dict[frozenset[str], Baseline] = {}
    cells = []
    for i, source in enumerate(hosts):
        for j, target in enumerate(hosts):
            if i == j:
                continue
            ways, both = (kinds[i], kinds[j]), frozenset((kinds[i], kinds[j]))
            if ways not in moves:
                moves[ways] = judged_move(source, target, catalogue, vmm, None, policy)
            if both not in pairs:
                pairs[both] = level([source, target], catalogue, policy)
            move, pair = moves[ways], pairs[both]
            cells.append(
                Cell(
                    source.name,
                    target.name,
                    move.answer,
                    pair.answer,
                    tuple((part, arrive) for part, (_, arrive) in move.verdict.parts.items()),
                    tuple(pair.parts.items()),
                    move.findings,
                    pair.conflicts,
                )
            )
    return tuple(cells)
