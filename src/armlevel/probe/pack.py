"""Offers that are like one another, written as differences: all shapes of a host in a few dozen kilobytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from armlevel.profile import Accepts, Offer, Shape

__all__ = ["pack"]

_V = TypeVar("_V")
_CANDIDATES = 4
_NOTHING_MORE = Accepts.of(())


def pack(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the same offers, each but the first as what differs from the earlier one that is most like it.

    ``Host.offer`` gives the whole ones back:

    >>> from armlevel.profile import Host, Shape
    >>> whole = [
    ...     Offer(Shape(), limits={"A": 1, "B": 2}),
    ...     Offer(Shape(frozenset({"sve"})), limits={"A": 1, "B": 3}),
    ... ]
    >>> packed = pack(whole)
    >>> packed[1].limits, Host("h", packed).offer(whole[1].shape) == whole[1]
    ({'B': 3}, True)
    """
    packed: list[Offer] = []
    for index, offer in enumerate(offers):
        near = sorted((_distance(offer.shape, offers[like].shape), -like) for like in range(index))[
            :_CANDIDATES
        ]
        candidates = [
            (difference, -like)
            for _, like in near
            if (difference := _difference(offer, offers[-like], -like))
        ]
        packed.append(min(candidates, key=_cost)[0] if candidates else offer)
    return tuple(packed)


def _distance(shape: Shape, other: Shape) -> int:
    return 2 * len(shape.features ^ other.features) + (shape.imp_id_writable != other.imp_id_writable)


def _cost(candidate: tuple[Offer, int]) -> tuple[int, int]:
    offer, like = candidate
    maps = (offer.limits, offer.accepts, offer.firmware, offer.state, offer.pmu)
    return sum(map(len, maps)) + len(offer.register_list or ()) + len(offer.register_list_without), like


def _difference(offer: Offer, base: Offer, like: int) -> Offer | None:
    # What the base has and the offer has not cannot be taken away, except registers of the list.
    # A field that accepts nothing more here says so: its limit is always taken.
    missing = {subject: _NOTHING_MORE for subject in base.accepts if subject not in offer.accepts}
    offer = replace(offer, accepts={**offer.accepts, **missing})
    maps = ("limits", "firmware", "state", "pmu")
    if any(not getattr(base, name).keys() <= getattr(offer, name).keys() for name in maps):
        return None
    if (base.register_list is None) != (offer.register_list is None) or (base.sve_vls and not offer.sve_vls):
        return None
    if (base.how, base.default) != (offer.how, offer.default):
        return None
    ours, theirs = set(offer.register_list or ()), set(base.register_list or ())
    more = tuple(sorted(ours - theirs))
    return replace(
        offer,
        limits=_less(offer.limits, base.limits),
        accepts=_less(offer.accepts, base.accepts),
        firmware=_less(offer.firmware, base.firmware),
        state=_less(offer.state, base.state),
        pmu=_less(offer.pmu, base.pmu),
        sve_vls=None if offer.sve_vls == base.sve_vls else offer.sve_vls,
        register_list=more or None,
        register_list_without=tuple(sorted(theirs - ours)),
        like=like,
    )


def _less(ours: Mapping[str, _V], base: Mapping[str, _V]) -> dict[str, _V]:
    # Most maps are alike as wholes, which one comparison in C tells.
    if ours == base:
        return {}
    return {name: value for name, value in ours.items() if name not in base or base[name] != value}
