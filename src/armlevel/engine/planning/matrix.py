"""Who can go where: every ordered pair of a set of hosts, as it is and levelled.

The answers come from compiled hosts (:mod:`armlevel.engine.screen`), also those of levelling; where two hosts certainly
share no registers nothing is levelled. What stands against a pair is worked out when somebody reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from armlevel.arch import Catalogue
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.findings import Answer, Finding, Part, worst
from armlevel.engine.moves.means import against
from armlevel.engine.moves.moves import Move, judged_already, judged_move
from armlevel.engine.moves.remedies import stacks_of, stock_ways
from armlevel.engine.planning.pairs import without_registers
from armlevel.engine.policy import Policy
from armlevel.engine.screen.levels import Levels
from armlevel.engine.screen.switched import Stack, Switched
from armlevel.errors import UsageError
from armlevel.profile import Host, kind_digest

__all__ = ["Cell", "matrix", "switches_in_full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One ordered pair: the passthrough profile's arrival, and what a baseline of the two would make of it.

    ``switches`` are those with which a passthrough guest may go that may not as it is: the options, empty where another
    VMM alone does it; None where none help. ``passthrough_parts`` and ``levelled_parts`` answer each part by itself;
    ``levelled`` is the same both ways. ``registers`` says that it is not certain yet that the two have no common
    registers: else nobody need ask for parts. Of hosts that are alike one is asked for all, and ``findings`` and
    ``conflicts`` may name that one.
    """

    source: str
    target: str
    passthrough: Answer
    levelled: Answer
    passthrough_parts: tuple[tuple[Part, Answer], ...]
    switches: str | None = None
    registers: bool = True
    kinds: tuple[int, int] = field(compare=False, repr=False)
    pairs: _Pairs = field(compare=False, repr=False)

    @property
    def levelled_parts(self) -> tuple[tuple[Part, Answer], ...]:
        """What each part answers of a baseline of the two."""
        return tuple(self.pairs.levelled(*self.kinds).items())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What concerns the arrival of the passthrough guest."""
        return self.pairs.move(*self.kinds).findings

    @property
    def conflicts(self) -> tuple[Finding, ...]:
        """What stands against a baseline of the two."""
        return self.pairs.baseline(*self.kinds).conflicts


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
    pairs = _Pairs(hosts, catalogue, policy or Policy(), vmm)
    cells: list[Cell] = []
    for i, source in enumerate(hosts):
        for j, target in enumerate(hosts):
            if i != j:
                step(len(cells) + 1, len(hosts) * (len(hosts) - 1))
                cells.append(pairs.cell(source.name, target.name, pairs.kinds[i], pairs.kinds[j]))
    return tuple(cells)


@dataclass(frozen=True, slots=True)
class _Judged:
    passthrough: Answer
    parts: tuple[tuple[Part, Answer], ...]
    switches: str | None


class _Pairs:
    """The kinds of hosts, and what was worked out of pairs of them: by number, in order of first appearance."""

    def __init__(self, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy, vmm: str) -> None:
        """Merge hosts of one kind and find what certainly has no common registers."""
        numbers: dict[str, int] = {}
        self.kinds = [numbers.setdefault(kind_digest(host), len(numbers)) for host in hosts]
        self._firsts: list[list[Host]] = [[] for _ in numbers]
        for kind, host in zip(self.kinds, hosts, strict=True):
            self._firsts[kind].append(host)
        self._catalogue = catalogue
        self._policy = policy
        self._vmm = vmm
        ones = [some[0] for some in self._firsts]
        self._apart = without_registers(ones, catalogue, policy)
        self._stacks = [Stack(ones, name, catalogue, policy) for name in stacks_of(vmm, catalogue)]
        self._switched = Switched(self._stacks)
        self._moves: dict[tuple[int, int], Move] = {}
        self._levels = Levels(ones, catalogue, policy)
        self._levelled: dict[tuple[int, int], Mapping[Part, Answer]] = {}
        self._baselines: dict[tuple[int, int], Baseline] = {}
        self._judged: dict[tuple[int, int], _Judged] = {}
        self._told: dict[tuple[tuple[Part, Answer], ...], tuple[tuple[Part, Answer], ...]] = {}

    def cell(self, source: str, target: str, one: int, two: int) -> Cell:
        """Return the answers about two hosts of these kinds."""
        judged = self._judged.get((one, two))
        if judged is None:
            judged = self._judged[one, two] = self._judge(one, two)
        apart = bool(self._apart[one] >> two & 1)
        return Cell(
            source=source,
            target=target,
            passthrough=judged.passthrough,
            levelled="refused" if apart else worst(self.levelled(one, two).values()),
            passthrough_parts=judged.parts,
            switches=judged.switches,
            registers=not apart,
            kinds=(one, two),
            pairs=self,
        )

    def move(self, one: int, two: int) -> Move:
        """Judge the passthrough guest's move in full."""
        if (one, two) not in self._moves:
            source, target = self._ends(one, two)
            self._moves[one, two] = judged_move(
                source, target, self._catalogue, self._vmm, None, self._policy
            )
        return self._moves[one, two]

    def levelled(self, one: int, two: int) -> Mapping[Part, Answer]:
        """Return what each part answers when two hosts of these kinds are levelled."""
        key = (min(one, two), max(one, two))
        if key not in self._levelled:
            told = self._levels.parts(key) if one != two else None
            self._levelled[key] = self.baseline(one, two).parts if told is None else told
        return self._levelled[key]

    def baseline(self, one: int, two: int) -> Baseline:
        """Level two hosts of these kinds, in the order in which they were given."""
        key = (min(one, two), max(one, two))
        if key not in self._baselines:
            self._baselines[key] = level(self._ends(*key), self._catalogue, self._policy)
        return self._baselines[key]

    def _ends(self, one: int, two: int) -> tuple[Host, Host]:
        ours, theirs = self._firsts[one], self._firsts[two]
        return ours[0], theirs[1] if one == two else theirs[0]

    def _judge(self, one: int, two: int) -> _Judged:
        if not all(stack.known for stack in self._stacks):
            return self._in_full(one, two)
        stack = self._stacks[0]
        here, there = stack.end(one), stack.end(two)
        assert here is not None  # None is only what cannot be switched so
        assert there is not None
        answers = tuple(stack.moves.answers(here, there).items())
        parts = self._told.setdefault(answers, answers)
        answer = worst(one for _, one in parts)
        switches = None if answer == "runs" else self._switched.text(one, two)
        return _Judged(answer, parts, switches)

    def _in_full(self, one: int, two: int) -> _Judged:
        # A VMM that may behave as any of several sets.
        move = self.move(one, two)
        parts = tuple((part, arrive) for part, (_, arrive) in move.verdict.parts.items())
        found = switches_in_full(move, *self._ends(one, two), self._catalogue, self._vmm, self._policy)
        return _Judged(move.answer, parts, found)


def switches_in_full(  # noqa: PLR0913, PLR0917
    move: Move, source: Host, target: Host, catalogue: Catalogue, vmm: str, policy: Policy
) -> str | None:
    """Find switches for a move by judging hosts under them in full: what is found in compiled hosts otherwise."""

    def judge(here: Host, other: Host, name: str) -> Sequence[Finding]:
        return against(judged_move(here, other, catalogue, name, None, policy).findings)

    if move.answer == "runs":
        return None
    knowing = judged_already(move, source, target, vmm, judge)
    ways, _ = stock_ways(source, target, catalogue, stacks_of(vmm, catalogue), knowing)
    texts = [str(way.args[0]) if way.kind == "switches" else "" for way in ways]
    return min(texts, key=len, default=None)
