"""Passthrough guests that move between hosts, under one set of VMM behaviour: what becomes of them, without reasons."""

from __future__ import annotations

from dataclasses import dataclass, field

from armlevel.arch import Catalogue, Vmm
from armlevel.engine.fields.vectors import RUNS, UNKNOWN
from armlevel.engine.fields.vectors.bits import marked
from armlevel.engine.findings import Answer, Part
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.parts.facts import judge_facts
from armlevel.engine.parts.machine import judge_machine
from armlevel.engine.parts.shape import missing_shape, passthrough_shape
from armlevel.engine.passthrough import passthrough
from armlevel.engine.policy import Policy
from armlevel.engine.screen.compiled import GuestVector, HostVector, Screen
from armlevel.engine.screen.tables import marks_of
from armlevel.engine.screen.vmm_tables import tables_of
from armlevel.engine.verdict import parts_of
from armlevel.profile import Host, Shape

__all__ = ["End", "MoveScreen", "behaviour_of"]


def behaviour_of(vmm: str, catalogue: Catalogue) -> tuple[bool, Vmm | None]:
    """Return whether vectors know a VMM, and its set of behaviour; None is KVM alone.

    One that may behave as any of several sets is judged in full: whether they agree hangs on more than the answer.
    """
    restorer = restorer_named(vmm, catalogue)
    return restorer.known, None if restorer.family == "kvm" else restorer.sets[0]


@dataclass(slots=True)
class End:
    """A host as source and destination: its passthrough guest, and its offers as far as they were asked for."""

    host: Host
    guest: GuestVector
    own: Shape
    offers: dict[Shape, HostVector | None] = field(default_factory=dict)


class MoveScreen:
    """Passthrough guests of hosts under one set of behaviour, compiled once a host.

    The same as :func:`armlevel.engine.moves.moves.judged_move` says of an arrival, part by part.
    """

    def __init__(self, catalogue: Catalogue, policy: Policy, vmm: Vmm | None) -> None:
        """Start with no host."""
        self.screen = Screen(catalogue, tables_of(vmm, catalogue))
        self._catalogue = catalogue
        self._policy = policy
        self._vmm = vmm

    def end(self, host: Host) -> End:
        """Compile a host.

        Raises:
            UsageError: it has no offer for any shape.

        """
        family = "kvm" if self._vmm is None else self._vmm.family
        guest = passthrough(host, self._catalogue, vmm=family)
        offer = host.offer(guest.shape)
        assert offer is not None  # the guest is of this offer
        own = passthrough_shape(host, family) or guest.shape
        return End(host, self.screen.guest(guest, self._policy, (host, offer)), own)

    def goes(self, here: End, there: End) -> bool:
        """Whether the guest of one host certainly arrives on another."""
        vector = self._vector(here, there)
        return vector is not None and self.screen.runs(here.guest, vector)

    def fixed(self, here: End, there: End) -> bool:
        """Whether what stands in the way is what no VMM and no shape changes."""
        vector = self._vector(here, there)
        return vector is not None and self.screen.differs(here.guest, vector, "facts", "implementation")

    def answers(self, here: End, there: End) -> dict[Part, Answer]:
        """Return what each part answers to the arrival."""
        vector = self._vector(here, there)
        if vector is None:
            return self._missing(here, there)
        return {part: marked(marks.arrive) for part, marks in self.screen.parts(here.guest, vector).items()}

    def _vector(self, here: End, there: End) -> HostVector | None:
        shape = there.own if self._vmm is not None and self._vmm.own_shape else here.guest.view.guest.shape
        if shape not in there.offers:
            offer = there.host.offer(shape)
            there.offers[shape] = None if offer is None else self.screen.host(there.host, offer)
        return there.offers[shape]

    def _missing(self, here: End, there: End) -> dict[Part, Answer]:
        guest = here.guest.view.guest
        asked = parts_of(guest)
        marks = dict.fromkeys(asked, RUNS if self._vmm is not None else UNKNOWN)
        marks["shape"] = marks_of(missing_shape(guest.shape, there.host)).arrive
        if self._vmm is None:
            marks["facts"] = marks_of(judge_facts(guest, there.host)).arrive
        if "machine" in asked:
            marks["machine"] = marks_of(judge_machine(guest, there.host, self._catalogue)).arrive
        return {part: marked(mark) for part, mark in marks.items()}
