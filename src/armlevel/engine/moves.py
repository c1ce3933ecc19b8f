"""Who can go where: one guest from one host to another, and the matrix of a whole set."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from armlevel.arch import Catalogue
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.fields.tolerance import ids_of, tolerated_of
from armlevel.engine.findings import Answer, Finding, Part, Remedy, Verdict, answer_of, worst
from armlevel.engine.kinds import kind_key
from armlevel.engine.natural import natural
from armlevel.engine.parts.shape_pmu import judge_events
from armlevel.engine.policy import Policy
from armlevel.engine.predict import Prediction, predict
from armlevel.engine.verdict import check
from armlevel.engine.vmm import restorer_named
from armlevel.engine.ways import ways_out
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host

__all__ = ["Cell", "Move", "matrix", "migrate", "predict"]


@dataclass(frozen=True, slots=True)
class Move:
    """A guest that runs on ``source`` and would arrive on ``target``.

    ``prediction`` is what the VMM of the question would do, where it is not KVM alone; ``ways`` are what would let a
    guest go where this one may not.
    """

    source: str
    target: str
    verdict: Verdict
    prediction: Prediction | None = None
    ways: tuple[Remedy, ...] = ()

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
    tolerate: tuple[str, ...] = (),
    assume_same_impdef: bool = False,
    accept_weaker_mitigation: bool = False,
) -> tuple[Move, Move]:
    """Judge both directions; without a guest, each source's natural profile moves.

    ``vmm`` is a VMM by name and version, or a set of behaviour. ``tolerate`` lets fields differ, as a profile that
    records it does.

    Raises:
        UnknownName: no VMM is called so.

    """
    policy = Policy(
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
        tolerate=tolerate,
    )

    def judge(here: Host, other: Host) -> Move:
        moving = guest
        if tolerate:
            family = restorer_named(vmm, catalogue).family
            moving = _tolerating(guest or natural(here, catalogue, vmm=family), tolerate, catalogue)
        move = _judged(here, other, catalogue, vmm, moving, policy)
        ways = () if move.answer == "runs" else ways_out(here, other, catalogue, vmm, policy)
        return replace(move, ways=ways)

    return judge(source, target), judge(target, source)


def _judged(  # noqa: PLR0913, PLR0917
    source: Host, target: Host, catalogue: Catalogue, vmm: str, guest: Guest | None, policy: Policy
) -> Move:
    if restorer_named(vmm, catalogue).family != "kvm":
        return _predicted(source, target, catalogue, vmm, guest, policy)
    moving = guest or natural(source, catalogue)
    verdict = _checked(moving, target, catalogue, policy)
    here, there = source.offer(moving.shape), target.offer(moving.shape)
    if here is not None and there is not None:
        pmu = judge_events(here.pmu, there.pmu, (source.name, target.name))
        start, arrive = verdict.parts["shape"]
        both = start, worst((arrive, answer_of(pmu, "arrive")))
        verdict = replace(verdict, parts={**verdict.parts, "shape": both}, findings=(*verdict.findings, *pmu))
    return Move(source.name, target.name, verdict)


def _checked(guest: Guest, host: Host, catalogue: Catalogue, policy: Policy) -> Verdict:
    return check(
        guest,
        host,
        catalogue,
        assume_same_impdef=policy.assume_same_impdef,
        accept_weaker_mitigation=policy.accept_weaker_mitigation,
    )


def _predicted(  # noqa: PLR0913, PLR0917
    source: Host, target: Host, catalogue: Catalogue, vmm: str, guest: Guest | None, policy: Policy
) -> Move:
    found = predict(
        source,
        target,
        catalogue,
        vmm=vmm,
        guest=guest,
        assume_same_impdef=policy.assume_same_impdef,
        accept_weaker_mitigation=policy.accept_weaker_mitigation,
    )
    arrives = {part: answer_of(some, "arrive") for part, some in (found.parts or {}).items()}
    parts = {part: (answer, answer) for part, answer in arrives.items()}
    name = guest.name if guest is not None else f"{source.name} natural"
    return Move(source.name, target.name, Verdict(name, target.name, parts, found.findings), found)


def _tolerating(guest: Guest, names: tuple[str, ...], catalogue: Catalogue) -> Guest:
    free = ids_of(tolerated_of(names, catalogue, guest.shape), catalogue)
    carries = guest.carries
    return replace(
        guest,
        tolerates=tuple(dict.fromkeys((*guest.tolerates, *names))),
        carries=None if carries is None else tuple(one for one in carries if one not in free),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One ordered pair: the natural profile's arrival, and what a baseline of the two would make of it.

    ``natural_parts`` and ``levelled_parts`` answer each part by itself; ``levelled`` is the same both ways. Of hosts
    that are alike one is asked for all, and ``findings`` and ``conflicts`` may name that one.
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
    keys = [kind_key(host) for host in hosts]
    moves: dict[tuple[Hashable, Hashable], Move] = {}
    pairs: dict[frozenset[Hashable], Baseline] = {}
    cells = []
    for i, source in enumerate(hosts):
        for j, target in enumerate(hosts):
            if i == j:
                continue
            ways, both = (keys[i], keys[j]), frozenset((keys[i], keys[j]))
            if ways not in moves:
                moves[ways] = _judged(source, target, catalogue, vmm, None, policy)
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
