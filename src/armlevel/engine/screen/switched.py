"""Which switches let passthrough guests go, pair by pair, from compiled hosts.

The same as :mod:`armlevel.engine.moves.means` finds by judging hosts under switches in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from armlevel.arch import Catalogue
from armlevel.engine.moves.means import Step, fewest, starts, step_value, steps_of, united, usual_offer
from armlevel.engine.moves.switches import Switches, available, under
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.policy import Policy
from armlevel.engine.screen.moves import End, MoveScreen, behaviour_of
from armlevel.engine.subjects import Subject, about_whole
from armlevel.profile import Host, Offer

__all__ = ["Stack", "Switched"]

_STANDS: tuple[Subject, ...] = (about_whole("vmm"),)


@dataclass(slots=True)
class _Program:
    # The steps of alike pairs, and the switches of what was tried of them.
    steps: list[Step]
    switches: dict[tuple[int, ...], Switches] = field(default_factory=dict)

    def asked(self, some: Sequence[Step]) -> Switches:
        key = tuple(step.place for step in some)
        if key not in self.switches:
            self.switches[key] = united(some)
        return self.switches[key]


class Stack:
    """Hosts under one VMM, as they are and under switches; each is compiled when it is first asked about."""

    def __init__(self, hosts: Sequence[Host], vmm: str, catalogue: Catalogue, policy: Policy) -> None:
        """Compile nothing yet."""
        self.name = vmm
        self.known, row = behaviour_of(vmm, catalogue)
        self.moves = MoveScreen(catalogue, policy, row)
        self._hosts = hosts
        self._catalogue = catalogue
        self._family = restorer_named(vmm, catalogue).family
        self._rows = available(vmm, catalogue)
        self._ends: dict[tuple[int, Switches | None], End | None] = {}
        self._usual: dict[int, Offer | None] = {}
        self._programs: dict[tuple[str | None, ...], _Program] = {}

    def end(self, place: int, switches: Switches | None = None) -> End | None:
        """Return a host under switches; None if it cannot do what they ask for."""
        key = (place, switches)
        if key not in self._ends:
            host: Host | None = self._hosts[place]
            if switches is not None and host is not None:
                host = under(host, switches, self._family, self._catalogue)
            self._ends[key] = None if host is None else self.moves.end(host)
        return self._ends[key]

    def goes(self, here: int, there: int, switches: Switches | None = None) -> bool:
        """Whether the guest of one host certainly arrives on another, both under the same switches."""
        source, target = self.end(here, switches), self.end(there, switches)
        return source is not None and target is not None and self.moves.goes(source, target)

    def switches(self, here: int, there: int) -> Switches | None:
        """Return the fewest switches that let the guest go, none where none are needed; None if none do."""
        if self.goes(here, there):
            return Switches()
        if self._fixed(here, there):
            return None
        program = self._program(here, there)

        def left(some: Sequence[Step]) -> tuple[Subject, ...]:
            return () if self.goes(here, there, program.asked(some)) else _STANDS

        some = next((some for some in starts(program.steps) if not left(some)), None)
        return None if some is None else program.asked(fewest(some, left))

    def _fixed(self, here: int, there: int) -> bool:
        # What no switch changes need not be tried.
        source, target = self.end(here), self.end(there)
        return source is not None and target is not None and self.moves.fixed(source, target)

    def _program(self, here: int, there: int) -> _Program:
        ours, theirs = self._offer(here), self._offer(there)
        values: tuple[str | None, ...] = ()
        if ours is not None and theirs is not None:
            values = tuple(step_value(row, (ours, theirs), self._hosts[here]) for row in self._rows)
        if values not in self._programs:
            self._programs[values] = _Program(steps_of(self._rows, values) if values else [])
        return self._programs[values]

    def _offer(self, place: int) -> Offer | None:
        if place not in self._usual:
            self._usual[place] = usual_offer(self._hosts[place], self._family)
        return self._usual[place]


class Switched:
    """The shortest switches under which VMMs as they are let a guest go, for pairs of hosts."""

    def __init__(self, stacks: Sequence[Stack]) -> None:
        """Take the VMMs that stand for the one that was asked about, which is the first."""
        self._stacks = stacks

    def text(self, here: int, there: int) -> str | None:
        """Return the options, empty where another VMM alone does it; None where none help."""
        found = [stack.switches(here, there) for stack in self._stacks]
        return min((one.text for one in found if one is not None), key=len, default=None)
