"""Guests and hosts compiled: bits for what is judged value by value, numbers of contents for what tables say."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from armlevel.arch import Catalogue, Coupling
from armlevel.engine.fields.vectors import (
    REFUSED,
    RUNS,
    UNKNOWN,
    FieldSlots,
    Kept,
    Marks,
    Numbering,
    Slot,
    worst_of,
)
from armlevel.engine.fields.vectors.bits import marked
from armlevel.engine.findings import Answer, Part
from armlevel.engine.names import register_of
from armlevel.engine.parts.facts import facts_needed
from armlevel.engine.parts.registers_first_run import broken_by
from armlevel.engine.policy import Policy
from armlevel.engine.screen.tables import TABLES, Table, in_full, parts_without
from armlevel.engine.screen.views import GuestView, HostView
from armlevel.engine.verdict import parts_of as asked_of
from armlevel.profile import Guest, Host, Offer

__all__ = ["GuestVector", "HostVector", "Screen"]


@dataclass(slots=True)
class GuestVector:
    """What a guest holds: its ``bits``, the number of its content in each table (-1: nothing to do with it).

    ``joints``  how many of the values that are seen together were looked for in it
    """

    view: GuestView
    bits: int
    keys: tuple[int, ...]
    joints: int = 0


@dataclass(slots=True)
class HostVector:
    """What a host keeps of all numbered values on each side, and the number of its content in each table.

    ``size``  how many values were numbered when it was compiled
    """

    view: HostView
    keys: tuple[int, ...]
    start: Kept = field(default_factory=Kept)
    arrive: Kept = field(default_factory=Kept)
    size: int = -1


# A value of one field beside which KVM changes another one, at that host's own value.
_Joint = tuple[str, int, str, int]


class Screen:
    """A set of hosts and guests, compiled together: what each pair comes to, without a reason.

    The same as :func:`armlevel.engine.verdict.check` says, part by part, where the host has an offer of the guest's
    shape. Vectors live in memory: bits are numbered in the order in which values are met.
    """

    def __init__(self, catalogue: Catalogue, tables: Sequence[Table] = TABLES) -> None:
        """Start with no host and no guest."""
        self.catalogue = catalogue
        self._tables = (*tables, *map(in_full, parts_without(tables)))
        self._numbering = Numbering()
        self._fields = FieldSlots(catalogue, self._numbering)
        self._contents: list[tuple[dict[Hashable, int], dict[Hashable, int]]] = [
            ({}, {}) for _ in self._tables
        ]
        self._known: list[dict[tuple[int, int], Marks]] = [{} for _ in self._tables]
        self.joints: dict[_Joint, int] = {}
        self._loose: dict[Slot, int] = {}
        self.rows: tuple[tuple[Coupling, int], ...] = tuple(
            (row, self._bit(Slot("coupling", row.name), "registers"))
            for row in catalogue.couplings
            if not isinstance(row.when, str)
        )

    # ---- compiling

    def guest(
        self, guest: Guest, policy: Policy | None = None, source: tuple[Host, Offer] | None = None
    ) -> GuestVector:
        """Compile a guest as it is judged under a policy; ``source`` is what a passthrough guest shows."""
        here = None if source is None else HostView(*source, self.catalogue)
        view = GuestView(guest, self.catalogue, policy or Policy(), here)
        bits = 0
        for name, value in guest.registers.items():
            bits |= self._fields.guest(name, value, gone=name in view.gone, free=view.tolerated)
        for name in facts_needed(guest.shape):
            bits |= self._bit(Slot(name, getattr(guest.facts, name)), "facts")
        for row, bit in self.rows:
            bits |= bit if self._breaks(row, view) else 0
        return GuestVector(view, bits, self._keys(view))

    def host(self, host: Host, offer: Offer) -> HostVector:
        """Compile an offer of a host."""
        view = HostView(host, offer, self.catalogue)
        for joint in _joints(view):
            if joint not in self.joints:
                self.joints[joint] = self._bit(Slot("seen-beside", joint), "registers")
        return HostVector(view, self._keys(view))

    def _bit(self, slot: Slot, part: Part) -> int:
        # A value of anything but a field: hosts are asked about each.
        found = self._loose[slot] = self._numbering.bit(slot, part)
        return found

    def _keys(self, view: GuestView | HostView) -> tuple[int, ...]:
        numbers = []
        for table, (guests, hosts) in zip(self._tables, self._contents, strict=True):
            if isinstance(view, GuestView):
                contents, key = guests, table.guest(view)
            else:
                contents, key = hosts, table.host(view)
            numbers.append(-1 if key is None else contents.setdefault(key, len(contents)))
        return tuple(numbers)

    def _breaks(self, row: Coupling, view: GuestView) -> bool:
        return any(
            register_of(subject) not in view.gone and subject not in view.tolerated
            for subject in broken_by(row, view.known, self.catalogue)
        )

    def _settle(self, guest: GuestVector, host: HostVector) -> None:
        # Catch up with what was numbered since either was compiled.
        if guest.joints < len(self.joints):
            for joint, bit in self.joints.items():
                guest.bits |= bit if _holds(guest.view, joint) else 0
            guest.joints = len(self.joints)
        self._settle_host(host)

    def _settle_host(self, host: HostVector) -> None:
        if host.size < self._numbering.size:
            host.start, host.arrive = self._fields.host(host.view.fields())
            own = _joints(host.view)
            for slot, bit in self._loose.items():
                mark = self._loose_mark(slot, host.view, own)
                host.start.add(bit, mark)
                host.arrive.add(bit, mark)
            host.size = self._numbering.size

    def _loose_mark(self, slot: Slot, view: HostView, own: Mapping[_Joint, None]) -> int:
        if slot.about == "seen-beside":
            return REFUSED if slot.value in own else RUNS
        if slot.about == "coupling":
            return self.enforced(str(slot.value), view)
        have = getattr(view.host.facts, str(slot.about))
        if None in (have, slot.value):
            return UNKNOWN
        return RUNS if have == slot.value else REFUSED

    def enforced(self, name: str, view: HostView) -> int:
        """Return what becomes of guests that break a row of what KVM enforces, on a host."""
        row = next(row for row, _ in self.rows if row.name == name)
        if (view.line is not None and view.line.name not in row.lines) or broken_by(
            row, view.own, self.catalogue
        ):
            return RUNS
        return UNKNOWN if view.line is None else REFUSED

    def held(self, host: HostVector, gone: frozenset[str]) -> tuple[int, int]:
        """Return the bits of fields that guests on a host may hold, and those that one certainly may."""
        return self._fields.held(host.view.fields(), gone=gone)

    def among(self, bits: int) -> Iterator[Slot]:
        """Yield the values that have one of these bits."""
        return self._numbering.among(bits)

    # ---- asking

    def kept(self, host: HostVector) -> Kept:
        """Return what a host keeps of every value that was met, when a guest arrives."""
        self._settle_host(host)
        return host.arrive

    def runs(self, guest: GuestVector, host: HostVector) -> bool:
        """Whether a guest certainly arrives."""
        if guest.joints < len(self.joints) or host.size < self._numbering.size:
            self._settle(guest, host)
        if guest.bits & ~host.arrive.certain:
            return False
        for place, pair in enumerate(zip(guest.keys, host.keys, strict=True)):
            if -1 not in pair:
                marks = self._known[place].get(pair)
                if (marks or self._ask(place, pair, guest, host))[1]:
                    return False
        return True

    def differs(self, guest: GuestVector, host: HostVector, part: Part, table: str) -> bool:
        """Whether bits of a part, or a table, leave it open that the guest arrives."""
        self._settle(guest, host)
        if guest.bits & self._numbering.parts.get(part, 0) & ~host.arrive.certain:
            return True
        place = next(place for place, one in enumerate(self._tables) if one.name == table)
        pair = guest.keys[place], host.keys[place]
        return (
            -1 not in pair
            and (self._known[place].get(pair) or self._ask(place, pair, guest, host))[1] != RUNS
        )

    def parts(self, guest: GuestVector, host: HostVector) -> dict[Part, Marks]:
        """Return what each part comes to, on both sides."""
        self._settle(guest, host)
        found: dict[Part, Marks] = dict.fromkeys(asked_of(guest.view.guest), Marks(RUNS, RUNS))
        for part, mask in self._numbering.parts.items():
            held = guest.bits & mask
            found[part] = Marks(host.start.answer(held), host.arrive.answer(held))
        for place, pair in enumerate(zip(guest.keys, host.keys, strict=True)):
            if -1 not in pair:
                marks = self._known[place].get(pair) or self._ask(place, pair, guest, host)
                part = self._tables[place].part
                found[part] = worst_of((found[part], marks))
        return found

    def answers(self, guest: GuestVector, host: HostVector) -> dict[Part, tuple[Answer, Answer]]:
        """Return what each part answers: may it start, may it arrive."""
        return {
            part: (marked(start), marked(arrive)) for part, (start, arrive) in self.parts(guest, host).items()
        }

    def _ask(self, place: int, pair: tuple[int, int], guest: GuestVector, host: HostVector) -> Marks:
        found = self._known[place][pair] = self._tables[place].judge(guest.view, host.view)
        return found


def _joints(view: HostView) -> dict[_Joint, None]:
    # What a probe saw KVM change, or refuse, once one field was lowered.
    found: dict[_Joint, None] = {}
    for lowered, seen in view.offer.side_effects.items():
        subject, _, value = lowered.partition("=")
        for watched, kept in seen.items():
            own = view.own.get(watched)
            if own is not None and kept != own:
                found[subject, int(value), watched, own] = None
    return found


def _holds(view: GuestView, joint: _Joint) -> bool:
    subject, value, watched, own = joint
    return (
        view.known.get(subject) == value
        and view.known.get(watched) == own
        and register_of(watched) not in view.gone
        and watched not in view.tolerated
    )
