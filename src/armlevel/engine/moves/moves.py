"""May one guest go from one host to another: both directions, with what would let it through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from armlevel.arch import Catalogue
from armlevel.engine.findings import Answer, Finding, Remedy, Verdict, answer_of, worst
from armlevel.engine.moves.means import against
from armlevel.engine.moves.predict import Prediction, predict
from armlevel.engine.moves.remedies import JudgeUnder, stack_of, ways_out
from armlevel.engine.moves.switches import Switches, switches_named, under
from armlevel.engine.moves.vmm_limits import judge_pages
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.parts.shape_pmu import judge_events
from armlevel.engine.passthrough import passthrough, passthrough_name
from armlevel.engine.policy import Policy
from armlevel.engine.remedies import tolerating
from armlevel.engine.subjects import Subject
from armlevel.engine.verdict import check
from armlevel.errors import UsageError
from armlevel.profile import Guest, GuestMachine, Host
from armlevel.profile.guest_machine import GIC_VERSIONS

__all__ = ["Move", "judged_already", "judged_move", "migrate"]


@dataclass(frozen=True, slots=True)
class Move:
    """A guest that runs on ``source`` and would arrive on ``target``.

    ``prediction`` is what the VMM of the question would do, where it is not KVM alone; ``ways`` are what would let a
    guest go where this one may not, and ``remains`` what no switch takes out of its way. ``switches`` are those that
    both hosts were judged under.
    """

    source: str
    target: str
    verdict: Verdict
    prediction: Prediction | None = None
    ways: tuple[Remedy, ...] = ()
    remains: tuple[Subject, ...] = ()
    switches: str = ""

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
    switches: Switches | None = None,
    machine: GuestMachine | None = None,
    there: GuestMachine | None = None,
) -> tuple[Move, Move]:
    """Judge both directions; without a guest, each source's passthrough profile moves.

    ``vmm`` is a VMM by name and version, or a set of behaviour. What ``policy`` tolerates may differ, as if
    the profile recorded it. ``switches`` are given to the VMM of a passthrough guest on both hosts. ``machine`` is what
    the VMM is asked for around the vCPUs on ``source``, ``there`` on ``target`` (None: the same); a guest that is given
    has what that makes of it where it starts.

    Raises:
        UnknownName: no VMM is called so.
        UsageError: a host cannot do what the switches ask for, or was not recorded so.

    """
    asked = policy or Policy()
    family = restorer_named(vmm, catalogue).family
    ends = [_under(host, switches, family, catalogue) for host in (source, target)]

    def moved(here: Host, other: Host, name: str) -> Move:
        moving = guest
        if asked.tolerate:
            usual = restorer_named(name, catalogue).family
            own = guest or passthrough(here, catalogue, vmm=usual, machine=machine)
            moving = tolerating(own, asked.tolerate, catalogue)
        return judged_move(here, other, catalogue, name, moving, asked, *asks(here))

    def asks(here: Host) -> tuple[GuestMachine | None, GuestMachine | None]:
        # Where a guest moves the other way, it was started with what is asked for on the other host.
        return (machine, there) if there is None or here is ends[0] else (there, machine)

    def against_it(here: Host, other: Host, name: str) -> Sequence[Finding]:
        return against(moved(here, other, name).findings)

    def judge(here: Host, other: Host) -> Move:
        move = moved(here, other, vmm)
        if move.answer == "runs":
            return move
        knowing = judged_already(move, here, other, vmm, against_it)
        ways = ways_out(here, other, catalogue, vmm, asked, knowing, switchable=guest is None)
        first = () if guest is not None or machine is None else _boards(here, other)
        return replace(move, ways=(*first, *ways.remedies), remains=() if first else ways.remains)

    def _boards(here: Host, other: Host) -> tuple[Remedy, ...]:
        # What the VMM can be asked for in place of what hangs on the host.
        given = asks(here)
        tried = (
            (version, tuple(one and replace(one, gic_asked=version) for one in given))
            for version in GIC_VERSIONS
        )
        both = hosts_of([here.name, other.name])
        return tuple(
            Remedy("board", (Name(f"gic-version={version}"),), both)
            for version, changed in tried
            if changed != given
            and judged_move(here, other, catalogue, vmm, None, asked, *changed).answer == "runs"
        )

    forth, back = judge(*ends), judge(*reversed(ends))
    if forth.ways and back.ways:
        both = _both_ways(forth, back, *ends, catalogue=catalogue, vmm=vmm, judge=against_it)
        forth, back = _with_ways(forth, both), _with_ways(back, both)
    return (_besides(forth, switches), _besides(back, switches)) if switches else (forth, back)


def judged_already(move: Move, source: Host, target: Host, vmm: str, judge: JudgeUnder) -> JudgeUnder:
    """Return a judge that need not be asked again for the move that ``move`` is the answer to."""

    def knowing(here: Host, other: Host, name: str) -> Sequence[Finding]:
        if here is source and other is target and name == vmm:
            return against(move.findings)
        return judge(here, other, name)

    return knowing


def _besides(move: Move, switches: Switches) -> Move:
    # Switches that help are told together with those that are given already.
    ways = (
        replace(way, args=(Name(f"{switches.text},{way.args[0]}"), *way.args[1:]))
        if way.kind == "switches"
        else way
        for way in move.ways
    )
    return replace(move, switches=switches.text, ways=tuple(ways))


def _both_ways(  # noqa: PLR0913 - both directions, and what judges them
    there: Move, back: Move, here: Host, other: Host, *, catalogue: Catalogue, vmm: str, judge: JudgeUnder
) -> tuple[Remedy, ...]:
    # Switches that were found for one direction, and let the guest go in the other one, too.
    def goes(way: Remedy, source: Host, target: Host) -> bool:
        stack = stack_of(way) or vmm
        asked = switches_named(str(way.args[0]), stack, catalogue)
        family = restorer_named(stack, catalogue).family
        shown = [under(host, asked, family, catalogue) for host in (source, target)]
        return shown[0] is not None and shown[1] is not None and not judge(shown[0], shown[1], stack)

    ways = [(way, other, here) for way in there.ways] + [(way, here, other) for way in back.ways]
    return tuple(
        dict.fromkeys(
            replace(way, hosts=hosts_of([here.name, other.name]))
            for way, source, target in ways
            if way.kind == "switches" and goes(way, source, target)
        )
    )


def _with_ways(move: Move, both: Sequence[Remedy]) -> Move:
    rest = [way for way in move.ways if way.kind != "switches" or way.args not in [one.args for one in both]]
    return replace(move, ways=(*both, *rest), remains=() if both else move.remains)


def _under(host: Host, switches: Switches | None, family: str, catalogue: Catalogue) -> Host:
    if not switches:
        return host
    shown = under(host, switches, family, catalogue)
    if shown is None:
        raise UsageError(
            f"{host.name} cannot do {switches.text}, or was not recorded so",
            hint="ask for less, or probe the host in that shape",
        )
    return shown


def judged_move(  # noqa: PLR0913, PLR0917
    source: Host,
    target: Host,
    catalogue: Catalogue,
    vmm: str,
    guest: Guest | None,
    policy: Policy,
    machine: GuestMachine | None = None,
    there: GuestMachine | None = None,
) -> Move:
    """Judge one direction; without a guest, the source's passthrough guest moves, ``machine`` around it."""
    if restorer_named(vmm, catalogue).family != "kvm":
        found = predict(source, target, catalogue, policy, vmm=vmm, guest=guest, machine=machine, there=there)
        return _predicted(source, target, found, guest)
    moving = guest or passthrough(source, catalogue, machine=machine)
    verdict = check(moving, target, catalogue, policy)
    ours, theirs = source.offer(moving.shape), target.offer(moving.shape)
    if ours is not None and theirs is not None:
        pmu = judge_events(ours.pmu, theirs.pmu, (source.name, target.name))
        start, arrive = verdict.parts["shape"]
        both = start, worst((arrive, answer_of(pmu, "arrive")))
        verdict = replace(verdict, parts={**verdict.parts, "shape": both}, findings=(*verdict.findings, *pmu))
    verdict = replace(verdict, findings=(*verdict.findings, *judge_pages(moving, source, target, "kvm")))
    return Move(source.name, target.name, verdict)


def _predicted(source: Host, target: Host, found: Prediction, guest: Guest | None) -> Move:
    arrives = {part: answer_of(some, "arrive") for part, some in (found.parts or {}).items()}
    parts = {part: (answer, answer) for part, answer in arrives.items()}
    name = guest.name if guest is not None else passthrough_name(source.name)
    return Move(source.name, target.name, Verdict(name, target.name, parts, found.findings), found)
