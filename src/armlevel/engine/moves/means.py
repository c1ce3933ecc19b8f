"""The cheapest means by which a guest may go from one host to another, each tried before it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from armlevel.arch import Catalogue, Switch
from armlevel.engine.findings import Finding, Remedy, RemedyKind
from armlevel.engine.moves.switches import Switches, available, common_length, under, version_text
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.parts.shape import passthrough_shape
from armlevel.engine.remedies import FIXED_FACTS
from armlevel.engine.subjects import Subject
from armlevel.profile import IMPLEMENTATION_REGISTERS, Host, Offer

__all__ = [
    "MEANS",
    "Judge",
    "MeansName",
    "Step",
    "Tried",
    "against",
    "fewest",
    "means_of",
    "only_means",
    "starts",
    "step_value",
    "steps_of",
    "switches_for",
    "united",
    "usual_offer",
]

MeansName = Literal["passthrough", "switches", "sysreg", "preload"]
#: The cheapest first.
MEANS: tuple[MeansName, ...] = ("passthrough", "switches", "sysreg", "preload")

#: Gives what stands against a passthrough guest of the first host on the second: nothing if it may go.
Judge = Callable[[Host, Host], Sequence[Finding]]

# What no VMM and no shape changes.
_FIXED = (*FIXED_FACTS, *IMPLEMENTATION_REGISTERS)


@dataclass(frozen=True, slots=True)
class Tried:
    """What trying switches came to: those that let the guest go, or what they all leave in the way.

    ``fixed`` says that what is left no VMM and no shape changes.
    """

    switches: Switches | None = None
    remains: tuple[Subject, ...] = ()
    fixed: bool = False


_BY: dict[RemedyKind, MeansName] = {
    "switches": "switches",
    "vmm": "passthrough",
    "level-and-export": "sysreg",
    "level-and-run": "preload",
}


def means_of(ways: Sequence[Remedy]) -> MeansName | None:
    """Return the cheapest means among ways out, which come in order of price; None if there is none."""
    return next((_BY[way.kind] for way in ways if way.kind in _BY), None)


def only_means(ways: Sequence[Remedy], means: MeansName | None) -> tuple[Remedy, ...]:
    """Return ways out without those by another means than that which was asked for, if one was."""
    return tuple(way for way in ways if means is None or _BY.get(way.kind, means) == means)


def against(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that refuse an arrival, or leave it open."""
    return tuple(
        one for one in findings if "arrive" in one.applies and one.severity in ("stops", "breaks", "unknown")
    )


def switches_for(  # noqa: PLR0913 - a question with options
    source: Host, target: Host, catalogue: Catalogue, *, vmm: str, found: Sequence[Finding], judge: Judge
) -> Tried:
    """Find the fewest switches with which a passthrough guest may go from ``source`` to ``target``.

    ``found`` is what stands against it without any; ``judge`` says it of hosts under switches. Where no switch
    touches what stands against it, none is tried.
    """
    fixed = [one.subject for one in found if one.subject.key in _FIXED]
    if fixed:
        return Tried(remains=tuple(dict.fromkeys(fixed)), fixed=True)
    steps = list(_steps_between(source, target, catalogue, vmm))
    family = restorer_named(vmm, catalogue).family
    remains: tuple[Subject, ...] = tuple(dict.fromkeys(one.subject for one in found))

    def left(some: Sequence[Step]) -> tuple[Subject, ...] | None:
        asked = united(some)
        ends = [under(host, asked, family, catalogue) for host in (source, target)]
        if ends[0] is None or ends[1] is None:
            return None
        return tuple(dict.fromkeys(one.subject for one in judge(ends[0], ends[1])))

    for some in starts(steps):
        stopped = left(some)
        if stopped == ():
            return Tried(united(fewest(some, left)))
        if stopped is not None and len(stopped) < len(remains):
            remains = stopped
    return Tried(remains=remains)


@dataclass(frozen=True, slots=True)
class Step:
    """One option that may help: its place among those of the VMM, what its loss costs a guest, and how it is added."""

    place: int
    worth: int
    add: Callable[[Switches], Switches]


def united(steps: Sequence[Step]) -> Switches:
    """Return the switches of all these steps."""
    switches = Switches()
    for step in sorted(steps, key=lambda one: one.place):
        switches = step.add(switches)
    return switches


def starts(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Yield what is tried: all of them; and where a host was not recorded so, each alone."""
    if steps:
        yield list(steps)
    if len(steps) > 1:
        yield from ([step] for step in steps)


def fewest(steps: list[Step], left: Callable[[Sequence[Step]], tuple[Subject, ...] | None]) -> list[Step]:
    """Return as few of these steps as leave nothing in the way, given up in the order of what they cost."""
    for step in sorted(steps, key=lambda one: -one.worth):
        rest = [one for one in steps if one is not step]
        if rest and left(rest) == ():
            steps = rest
    return steps


def _steps_between(source: Host, target: Host, catalogue: Catalogue, vmm: str) -> Iterator[Step]:
    family = restorer_named(vmm, catalogue).family
    here, there = (usual_offer(host, family) for host in (source, target))
    if here is not None and there is not None:
        rows = available(vmm, catalogue)
        yield from steps_of(rows, [step_value(row, (here, there), source) for row in rows])


def steps_of(rows: Sequence[Switch], values: Sequence[str | None]) -> list[Step]:
    """Return the options among ``rows`` that have a value."""
    return [
        Step(place, row.worth, partial(Switches.of, row=row, value=value))
        for place, (row, value) in enumerate(zip(rows, values, strict=True))
        if value is not None
    ]


def step_value(row: Switch, offers: tuple[Offer, Offer], source: Host) -> str | None:
    """Return what stands in an option that may help between hosts of these offers; None if it cannot."""
    if row.feature:
        return "" if any(row.feature in offer.shape.features for offer in offers) else None
    if row.capability:
        return "" if source.software.kvm_capabilities.get(row.capability) != 0 else None
    if row.firmware:
        versions = {offer.firmware.get(row.firmware) for offer in offers}
        lowest = min((one for one in versions if one is not None), default=None)
        return None if lowest is None or len(versions) < 2 else version_text(lowest)
    if row.lengths:
        first = common_length([offer.sve_vls for offer in offers if offer.sve_vls])
        return None if first is None else str(first)
    return None


def usual_offer(host: Host, family: str) -> Offer | None:
    """Return the offer of a host's passthrough guest under a VMM of a family."""
    shape = passthrough_shape(host, family)
    return host.offer(shape) if shape is not None else None
