"""Who can go where: one guest from one host to another, and the matrix of a whole set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from armlevel.arch import Catalogue
from armlevel.engine.baseline import level
from armlevel.engine.findings import Answer, Finding, Part, Verdict
from armlevel.engine.natural import natural
from armlevel.engine.policy import Policy
from armlevel.engine.verdict import check
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host

__all__ = ["Cell", "Move", "matrix", "migrate"]


@dataclass(frozen=True, slots=True)
class Move:
    """A guest that runs on ``source`` and would arrive on ``target``."""

    source: str
    target: str
    verdict: Verdict

    @property
    def answer(self) -> Answer:
        """Whether it may arrive."""
        return self.verdict.arrive

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What concerns the arrival."""
        return tuple(finding for finding in self.verdict.findings if "arrive" in finding.applies)


def migrate(  # noqa: PLR0913 - a question with options
    source: Host,
    target: Host,
    catalogue: Catalogue,
    *,
    guest: Guest | None = None,
    vmm: str = "kvm",
    assume_same_impdef: bool = False,
    accept_weaker_mitigation: bool = False,
) -> tuple[Move, Move]:
    """Judge both directions; without a guest, each source's natural profile moves."""

    def judge(here: Host, other: Host) -> Verdict:
        return check(
            guest or _named(here, catalogue, vmm),
            other,
            catalogue,
            assume_same_impdef=assume_same_impdef,
            accept_weaker_mitigation=accept_weaker_mitigation,
        )

    there, back = judge(source, target), judge(target, source)
    return Move(source.name, target.name, there), Move(target.name, source.name, back)


def _named(host: Host, catalogue: Catalogue, vmm: str) -> Guest:
    return natural(host, catalogue, vmm=vmm)


@dataclass(frozen=True, slots=True)
class Cell:
    """One ordered pair: the natural profile's arrival, and what a baseline of the two would make of it.

    ``natural_parts`` and ``levelled_parts`` answer each part by itself; ``levelled`` is the same both ways.
    """

    source: str
    target: str
    natural: Answer
    levelled: Answer
    natural_parts: tuple[tuple[Part, Answer], ...]
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
    guests = [_named(host, catalogue, vmm) for host in hosts]
    pairs = {
        frozenset((i, j)): level([hosts[i], hosts[j]], catalogue, policy)
        for i in range(len(hosts))
        for j in range(i + 1, len(hosts))
    }
    cells = []
    for i, source in enumerate(hosts):
        for j, target in enumerate(hosts):
            if i == j:
                continue
            verdict = check(
                guests[i],
                target,
                catalogue,
                assume_same_impdef=policy.assume_same_impdef,
                accept_weaker_mitigation=policy.accept_weaker_mitigation,
            )
            pair = pairs[frozenset((i, j))]
            cells.append(
                Cell(
                    source.name,
                    target.name,
                    verdict.arrive,
                    pair.answer,
                    tuple((part, arrive) for part, (_, arrive) in verdict.parts.items()),
                    tuple(pair.parts.items()),
                    tuple(f for f in verdict.findings if "arrive" in f.applies),
                    pair.conflicts,
                )
            )
    return tuple(cells)
