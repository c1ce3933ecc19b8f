"""Who can go where: every ordered pair of a set of hosts, as it is and levelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from armlevel.arch import Catalogue
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.findings import Answer, Finding, Part
from armlevel.engine.moves.means import against
from armlevel.engine.moves.moves import Move, judged_already, judged_move
from armlevel.engine.moves.remedies import stacks_of, stock_ways
from armlevel.engine.policy import Policy
from armlevel.errors import UsageError
from armlevel.profile import Host, kind_digest

__all__ = ["Cell", "matrix"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One ordered pair: the passthrough profile's arrival, and what a baseline of the two would make of it.

    ``switches`` are those with which a passthrough guest may go that may not as it is: the options, empty where another
    VMM alone does it; None where none help. ``passthrough_parts`` and ``levelled_parts`` answer each part by itself;
    ``levelled`` is the same both ways. Of hosts that are alike one is asked for all, and ``findings`` and ``conflicts``
    may name that one.
    """

    source: str
    target: str
    passthrough: Answer
    levelled: Answer
    passthrough_parts: tuple[tuple[Part, Answer], ...]
    levelled_parts: tuple[tuple[Part, Answer], ...]
    findings: tuple[Finding, ...]
    conflicts: tuple[Finding, ...]
    switches: str | None = None


def matrix(
    hosts: Sequence[Host],
    catalogue: Catalogue,
    policy: Policy | None = None,
    *,
    vmm: str = "kvm",
    step: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Cell, ...]:
    """Judge every ordered pair of different hosts, row by row; ``step`` hears how many of how many are judged.

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
    switched: dict[tuple[str, str], str | None] = {}
    cells: list[Cell] = []
    for i, source in enumerate(hosts):
        for j, target in enumerate(hosts):
            if i == j:
                continue
            ways, both = (kinds[i], kinds[j]), frozenset((kinds[i], kinds[j]))
            if ways not in moves:
                moves[ways] = judged_move(source, target, catalogue, vmm, None, policy)
                switched[ways] = _switched(moves[ways], source, target, catalogue, vmm, policy)
            if both not in pairs:
                pairs[both] = level([source, target], catalogue, policy)
            step(len(cells) + 1, len(hosts) * (len(hosts) - 1))
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
                    switched[ways],
                )
            )
    return tuple(cells)


def _switched(  # noqa: PLR0913, PLR0917
    move: Move, source: Host, target: Host, catalogue: Catalogue, vmm: str, policy: Policy
) -> str | None:
    def judge(here: Host, other: Host, name: str) -> Sequence[Finding]:
        return against(judged_move(here, other, catalogue, name, None, policy).findings)

    if move.answer == "runs":
        return None
    knowing = judged_already(move, source, target, vmm, judge)
    ways, _ = stock_ways(source, target, catalogue, stacks_of(vmm, catalogue), knowing)
    texts = [str(way.args[0]) if way.kind == "switches" else "" for way in ways]
    return min(texts, key=len, default=None)
