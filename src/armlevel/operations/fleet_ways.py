"""Where guests of a fleet may go: asked once for each guest CPU and pair of kinds, for every verb that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.arch import load
from armlevel.documents.maps import ValuePool
from armlevel.engine import Answer, Finding, Part, Policy, passthrough
from armlevel.engine.births import arrival
from armlevel.engine.moves.carried import carried
from armlevel.engine.screen.any_guest import any_guest
from armlevel.engine.verdict import parts_of
from armlevel.fleet.values import Level
from armlevel.operations.fleet_standing import level_guest
from armlevel.profile import KNOWN, Birth, Guest, Host

__all__ = ["ANY", "Arrives", "Traveller", "Ways", "of_level", "started_on"]

#: Stands for the guests of a host of which nothing was reported: any that can be there.
ANY = "any"


@dataclass(frozen=True, slots=True)
class Traveller:
    """A guest CPU that runs somewhere: None if it may be any of its host.

    ``known``     how it is known; ``reported`` is False for the guests of a host that nobody reported
    ``levelled``  whether it carries on its own list wherever it was, as what `armlevel run` starts does
    """

    key: str
    guest: Guest | None
    known: KNOWN = "any"
    levelled: bool = False
    reported: bool = True


def of_level(level: Level, values: ValuePool) -> Traveller:
    """Return what runs at a level, as `armlevel run` starts it."""
    return Traveller(level.digest, level_guest(level, values).guest, "stamp", levelled=True)


def started_on(kind: str, profile: Host) -> Traveller:
    """Return what a passthrough guest is that starts on a host of a kind now."""
    return Traveller(f"started on {kind}", passthrough(profile, load()), "command-line")


@dataclass(frozen=True, slots=True)
class Arrives:
    """Whether a guest may go, and why not."""

    answer: Answer
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Ways:
    """The profiles of kinds, and what was asked of them already."""

    profiles: Mapping[str, Host]
    policy: Policy = field(default_factory=Policy)
    asked: dict[tuple[str, str, str], Arrives] = field(default_factory=dict)

    def arrives(self, guest: Traveller, here: str, there: str, *, came: bool = False) -> Arrives:
        """Say whether a guest on a host of kind ``here`` may go to one of kind ``there``.

        ``came`` is whether it came to ``here`` after its CPU was recorded: then it carries on what is listed there.
        """
        key = (f"{guest.key}+" if came else guest.key, here, there)
        if key not in self.asked:
            self.asked[key] = self._ask(guest, self.profiles[here], self.profiles[there], came=came)
        return self.asked[key]

    def _ask(self, guest: Traveller, here: Host, there: Host, *, came: bool) -> Arrives:
        if guest.guest is None and not guest.reported:
            found = any_guest(here, there, load(), self.policy)
            if found is None or not found.shapes:
                return Arrives("unknown")
            # That some guest which could be there may not go does not say that one is there.
            return Arrives("runs" if found.answer == "runs" else "unknown", not_judged=found.not_judged)
        moving = guest.guest
        if moving is not None and came and not guest.levelled:
            moving = carried(moving, here, load())
            if moving is None:
                return Arrives("unknown")
        birth = Birth(None, "any") if moving is None else _birth(moving, guest.known)
        said = arrival(birth, None if moving is None else moving.shape, here, there, load(), self.policy)
        return Arrives(said.answer, said.findings, said.not_judged)


def _birth(guest: Guest, known: KNOWN) -> Birth:
    return Birth(guest, known, parts=dict.fromkeys(parts_of(guest), known))
