"""One guest and one offer of a host, with what every part asks about them, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from armlevel.arch import Catalogue, known_of
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.engine.fields.tolerance import tolerated_of
from armlevel.engine.policy import SAME_IMPDEF, WEAKER_MITIGATION, Policy
from armlevel.profile import Guest, Host, Offer

__all__ = ["Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """A guest that is judged against an offer of a host, whatever shape that offer has.

    ``known``      what the guest sees, by ``REG.FIELD``;  ``own``  what the host shows of itself, its limits
    ``gone``       the registers that mean nothing in this guest
    ``tolerated``  the fields that its profile lets differ
    """

    guest: Guest
    host: Host
    offer: Offer
    catalogue: Catalogue
    policy: Policy
    known: Mapping[str, int]
    own: Mapping[str, int]
    gone: frozenset[str]
    tolerated: frozenset[str]

    @classmethod
    def of(
        cls, guest: Guest, host: Host, offer: Offer, catalogue: Catalogue, policy: Policy | None = None
    ) -> Case:
        """Work out what the parts ask about these."""
        known = known_of(catalogue, guest.registers)
        return cls(
            guest,
            host,
            offer,
            catalogue,
            policy or Policy(),
            known,
            known_of(catalogue, offer.limits),
            meaningless(known, catalogue),
            tolerated_of(guest.tolerates, catalogue, guest.shape),
        )

    @property
    def same_impdef(self) -> bool:
        """Whether pointer authentication of different cores is taken for the same, by the policy or the profile."""
        return self.policy.assume_same_impdef or SAME_IMPDEF in self.guest.tolerates

    @property
    def weaker_mitigation(self) -> bool:
        """Whether the guest may arrive where a workaround level is lower than it was told at boot."""
        return self.policy.accept_weaker_mitigation or WEAKER_MITIGATION in self.guest.tolerates
