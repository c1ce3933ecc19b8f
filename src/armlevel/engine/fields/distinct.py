"""Offers that answer alike about some fields, so that one of them is asked for all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import repeat
from operator import attrgetter

from armlevel.profile import Accepts, Offer

__all__ = ["DistinctAnswers"]

_VALUES = attrgetter("values")
# Stands for a field that an offer does not mention; no field has this value, so it equals no answer.
_NOT_MENTIONED = Accepts(frozenset({-1}))


class DistinctAnswers:
    """The answers of offers about some fields (``REG.FIELD``) that were met so far, compared by what they say.

    Hashing whole answers would cost more than all that is asked about them. So the accepted values, whose hashes Python
    keeps, find the few answers that may be equal, and these are compared.
    """

    def __init__(self, subjects: Sequence[str]) -> None:
        """Start with no answer."""
        self._subjects = subjects
        self._met: dict[tuple[Hashable, ...], list[tuple[Accepts, ...]]] = {}

    def is_new(self, offer: Offer, beside: tuple[Hashable, ...]) -> bool:
        """Whether no offer answered like this one before; ``beside`` must be equal too.

        >>> from armlevel.profile import Shape
        >>> some = DistinctAnswers(["CTR_EL0.IDC"])
        >>> one, two, three = (
        ...     Offer(Shape(), accepts={"CTR_EL0.IDC": Accepts.of(v)}) for v in ([0, 1], [0, 1], [0])
        ... )
        >>> some.is_new(one, ()), some.is_new(two, ()), some.is_new(three, ()), some.is_new(two, (1,))
        (True, False, True, True)
        """
        answers = tuple(map(offer.accepts.get, self._subjects, repeat(_NOT_MENTIONED)))
        alike = self._met.setdefault((*beside, *map(_VALUES, answers)), [])
        if answers in alike:
            return False
        alike.append(answers)
        return True
