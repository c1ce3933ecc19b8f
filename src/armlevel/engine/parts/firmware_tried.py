"""What a host was seen to do with values of a firmware register; what was tried comes before what rows say."""

from __future__ import annotations

from collections.abc import Iterable

from armlevel.profile import Offer, whole_register
from armlevel.profile.accepts import Outcome

__all__ = ["best_for_all", "tried"]


def tried(offer: Offer, name: str, value: int) -> Outcome:
    """What KVM did with ``value`` when a probe wrote it; ``unknown`` if none did.

    >>> from armlevel.profile import Accepts, Shape
    >>> seen = {"KVM_REG_ARM_PSCI_VERSION.63:0": Accepts.of([0x10000, 0x10001])}
    >>> offer = Offer(Shape(), firmware={"KVM_REG_ARM_PSCI_VERSION": 0x10001}, accepts=seen)
    >>> tried(offer, "KVM_REG_ARM_PSCI_VERSION", 2), tried(offer, "KVM_REG_ARM_PSCI_VERSION", 0x10001)
    ('refused', 'same')
    """
    if offer.firmware.get(name) == value:
        return "same"
    accepts = offer.accepts.get(whole_register(name))
    return "unknown" if accepts is None else accepts.outcome(value)


def best_for_all(name: str, value: int, offers: Iterable[Offer], *, bits: bool) -> int | None:
    """Return ``value`` if no host was seen to refuse it, else the best one below that all took; None if there is none.

    Below is by bits (``bits``: a bitmap) or by number (a version); better is more bits, or the larger number.
    """
    hosts = list(offers)

    def fit(one: int) -> bool:
        return all(tried(offer, name, one) not in ("refused", "changed") for offer in hosts)

    if fit(value):
        return value
    seen = [offer.accepts.get(whole_register(name)) for offer in hosts]
    known = {one for accepts in seen if accepts is not None for one in accepts.values or ()}
    below = [one for one in known if (one & ~value == 0 if bits else one < value) and fit(one)]
    return max(below, key=lambda one: (one.bit_count() if bits else 0, one), default=None)
