"""What KVM does with each value that userspace writes into one field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Accepts", "Outcome", "whole_register"]

Outcome = Literal["same", "changed", "refused", "unknown"]
Others = Literal["refused", "unknown", "ignored"]


def whole_register(name: str) -> str:
    """Return the subject of all 64 bits of a register that has no fields of its own.

    >>> whole_register("CCSIDR_EL1[0]")
    'CCSIDR_EL1[0].63:0'
    """
    return f"{name}.63:0"


@dataclass(frozen=True, slots=True)
class Accepts:
    """The answer of one host's KVM to every value of one field, as far as it is known.

    ``values``   kept as written (``None``: any value is)
    ``changed``  accepted, but another value is kept: (asked, kept) pairs
    ``unsure``   not kept as written; whether accepted and changed, or refused, is not known
    ``others``   what happens to every value not named: ``refused``, ``unknown``, or ``ignored`` (accepted, and the one
                 kept value stays)
    ``how``      how this was learnt where it differs from the offer's ``how``

    >>> a = Accepts.of([0, 1], changed={2: 0})
    >>> [a.outcome(v) for v in (0, 1, 2, 3)]
    ['same', 'same', 'changed', 'refused']
    >>> Accepts.of([0], others="ignored").outcome(7), Accepts.of([0], others="ignored").kept(7)
    ('changed', 0)
    """

    values: frozenset[int] | None = frozenset()
    changed: tuple[tuple[int, int], ...] = ()
    unsure: frozenset[int] = field(default=frozenset())
    others: Others = "refused"
    how: str | None = None

    @classmethod
    def of(
        cls,
        values: Iterable[int] | None,
        *,
        changed: Mapping[int, int] | None = None,
        unsure: Iterable[int] = (),
        others: Others = "refused",
        how: str | None = None,
    ) -> Accepts:
        """Make one from plain collections; ``values=None`` means any value is kept."""
        kept = None if values is None else frozenset(values)
        return cls(kept, tuple(sorted((changed or {}).items())), frozenset(unsure), others, how)

    @property
    def plain(self) -> bool:
        """Whether a list of values says it all."""
        return not (
            self.values is None or self.changed or self.unsure or self.others != "refused" or self.how
        )

    def outcome(self, value: int) -> Outcome:
        """What KVM does with ``value``."""
        if self.values is None or value in self.values:
            return "same"
        if any(asked == value for asked, _ in self.changed):
            return "changed"
        if value in self.unsure:
            return "unknown"
        return "changed" if self.others == "ignored" else self.others

    def kept(self, value: int) -> int | None:
        """The value that is there after writing ``value``; None where refused or not known."""
        if self.outcome(value) == "same":
            return value
        found = dict(self.changed).get(value)
        if (
            found is None
            and self.others == "ignored"
            and value not in self.unsure
            and len(self.values or ()) == 1
        ):
            return next(iter(self.values or ()))
        return found

    def may_keep(self, value: int) -> bool:
        """Whether ``value`` is kept as written, or may be for all that is known."""
        outcome = self.outcome(value)
        return outcome == "same" or (outcome == "unknown" and value not in self.unsure)
