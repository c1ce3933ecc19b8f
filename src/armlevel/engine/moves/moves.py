"""May one guest go from one host to another: both directions, with what would let it through."""

from __future__ import annotations

from dataclasses import dataclass, replace

from armlevel.arch import Catalogue
from armlevel.engine.fields.tolerance import ids_of, tolerated_of
from armlevel.engine.findings import Answer, Finding, Remedy, Verdict, answer_of, worst
from armlevel.engine.moves.predict import Prediction, predict
from armlevel.engine.moves.remedies import ways_out
from armlevel.engine.moves.vmm_limits import judge_pages
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.parts.shape_pmu import judge_events
from armlevel.engine.passthrough import passthrough, passthrough_name
from armlevel.engine.policy import Policy
from armlevel.engine.verdict import check
from armlevel.profile import Guest, Host

__all__ = ["Move", "judged_move", "migrate"]


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
    policy: Policy | None = None,
    *,
    guest: Guest | None = None,
    vmm: str = "kvm",
) -> tuple[Move, Move]:
    """Judge both directions; without a guest, each source's passthrough profile moves.

    ``vmm`` is a VMM by name and version, or a set of behaviour. What ``policy`` tolerates may differ, as if
    the profile recorded it.

    Raises:
        UnknownName: no VMM is called so.

    """
    asked = policy or Policy()

    def judge(here: Host, other: Host) -> Move:
        moving = guest
        if asked.tolerate:
            family = restorer_named(vmm, catalogue).family
            moving = _tolerating(guest or passthrough(here, catalogue, vmm=family), asked.tolerate, catalogue)
        move = judged_move(here, other, catalogue, vmm, moving, asked)
        ways = () if move.answer == "runs" else ways_out(here, other, catalogue, vmm, asked)
        return replace(move, ways=ways)

    return judge(source, target), judge(target, source)


def judged_move(  # noqa: PLR0913, PLR0917
    source: Host, target: Host, catalogue: Catalogue, vmm: str, guest: Guest | None, policy: Policy
) -> Move:
    """Judge one direction; without a guest, the source's passthrough guest moves."""
    if restorer_named(vmm, catalogue).family != "kvm":
        return _predicted(source, target, catalogue, vmm, guest, policy)
    moving = guest or passthrough(source, catalogue)
    verdict = check(moving, target, catalogue, policy)
    here, there = source.offer(moving.shape), target.offer(moving.shape)
    if here is not None and there is not None:
        pmu = judge_events(here.pmu, there.pmu, (source.name, target.name))
        start, arrive = verdict.parts["shape"]
        both = start, worst((arrive, answer_of(pmu, "arrive")))
        verdict = replace(verdict, parts={**verdict.parts, "shape": both}, findings=(*verdict.findings, *pmu))
    verdict = replace(verdict, findings=(*verdict.findings, *judge_pages(moving, source, target, "kvm")))
    return Move(source.name, target.name, verdict)


def _predicted(  # noqa: PLR0913, PLR0917
    source: Host, target: Host, catalogue: Catalogue, vmm: str, guest: Guest | None, policy: Policy
) -> Move:
    found = predict(source, target, catalogue, policy, vmm=vmm, guest=guest)
    arrives = {part: answer_of(some, "arrive") for part, some in (found.parts or {}).items()}
    parts = {part: (answer, answer) for part, answer in arrives.items()}
    name = guest.name if guest is not None else passthrough_name(source.name)
    return Move(source.name, target.name, Verdict(name, target.name, parts, found.findings), found)


def _tolerating(guest: Guest, names: tuple[str, ...], catalogue: Catalogue) -> Guest:
    free = ids_of(tolerated_of(names, catalogue, guest.shape), catalogue)
    carries = guest.register_list
    return replace(
        guest,
        tolerates=tuple(dict.fromkeys((*guest.tolerates, *names))),
        register_list=None if carries is None else tuple(one for one in carries if one not in free),
    )
