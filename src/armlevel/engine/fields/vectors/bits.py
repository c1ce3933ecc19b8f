"""Values numbered as bits, and what a host keeps of them as two masks a side: certainly, and possibly."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from armlevel.engine.findings import Answer, Part

__all__ = ["REFUSED", "RUNS", "UNKNOWN", "Kept", "Marks", "Numbering", "Slot", "marked", "worst_of"]

#: What a host does with one value: the answers, as numbers of which the larger is the worse.
RUNS, UNKNOWN, REFUSED = 0, 1, 2
_ANSWERS: tuple[Answer, ...] = ("runs", "unknown", "refused")


class Marks(NamedTuple):
    """What becomes of one value, or of a whole part: for a guest that starts there, and for one that arrives."""

    start: int
    arrive: int


def worst_of(marks: Iterable[Marks]) -> Marks:
    """Return the worst of each side.

    >>> worst_of([Marks(RUNS, UNKNOWN), Marks(REFUSED, RUNS)])
    Marks(start=2, arrive=1)
    """
    start = arrive = RUNS
    for one in marks:
        start, arrive = max(start, one[0]), max(arrive, one[1])
    return Marks(start, arrive)


def marked(number: int) -> Answer:
    """Return the answer that a number stands for."""
    return _ANSWERS[number]


class Slot(NamedTuple):
    """One value that a guest may hold of something that hosts answer by itself: it has one bit.

    ``about``  what: a field, or several that hosts answer together;  ``gone``  whether it means nothing in this guest
    """

    about: Hashable
    value: Hashable
    gone: bool = False


class Numbering:
    """Numbers the values of a set of hosts and guests, in the order in which they are met.

    A host that was compiled before a value was met has no bit for it, and so keeps it neither certainly nor possibly:
    ``size`` tells who has to catch up.
    """

    def __init__(self) -> None:
        """Start with no value."""
        self._bits: dict[Slot, int] = {}
        self.parts: dict[Part, int] = {}
        self.size = 0

    def bit(self, slot: Slot, part: Part) -> int:
        """Return the bit of a value, numbering it if it is new.

        >>> some = Numbering()
        >>> [some.bit(Slot("A", value), "facts") for value in (0, 1, 0)], some.parts
        ([1, 2, 1], {'facts': 3})
        """
        found = self._bits.get(slot)
        if found is None:
            found = self._bits[slot] = 1 << self.size
            self.parts[part] = self.parts.get(part, 0) | found
            self.size += 1
        return found

    def among(self, bits: int) -> Iterator[Slot]:
        """Yield the values that have one of these bits."""
        return (slot for slot, bit in self._bits.items() if bit & bits)


@dataclass(slots=True)
class Kept:
    """What a host keeps of the numbered values, on one side: ``certain`` is part of ``possible``.

    >>> host = Kept(certain=0b001, possible=0b011)
    >>> [host.answer(guest) for guest in (0b001, 0b010, 0b110)] == [RUNS, UNKNOWN, REFUSED]
    True
    """

    certain: int = 0
    possible: int = 0

    def answer(self, guest: int) -> int:
        """Return what becomes of a guest that holds these values."""
        if not guest & ~self.certain:
            return RUNS
        return REFUSED if guest & ~self.possible else UNKNOWN

    def add(self, bit: int, mark: int) -> None:
        """Take in what the host does with one more value."""
        if mark == RUNS:
            self.certain |= bit
        if mark != REFUSED:
            self.possible |= bit
