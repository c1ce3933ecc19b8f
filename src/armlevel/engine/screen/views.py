"""What every question about a guest, or about an offer of a host, asks of it: worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from armlevel.arch import Catalogue, Expr, KernelLine, evaluate, known_of
from armlevel.engine.case import Case
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.engine.fields.partial import is_spoken_of
from armlevel.engine.fields.tolerance import tolerated_of
from armlevel.engine.fields.vectors import FieldView
from armlevel.engine.policy import Policy
from armlevel.profile import Guest, Host, Offer

__all__ = ["GuestView", "HostView", "case_of"]


@dataclass(eq=False)
class GuestView:
    """A guest as it is judged under a policy."""

    guest: Guest
    catalogue: Catalogue
    policy: Policy

    @cached_property
    def known(self) -> dict[str, int]:
        """What it sees, by ``REG.FIELD``."""
        return known_of(self.catalogue, self.guest.registers)

    @cached_property
    def gone(self) -> frozenset[str]:
        """The registers that mean nothing in it."""
        return meaningless(self.known, self.catalogue)

    @cached_property
    def tolerated(self) -> frozenset[str]:
        """The fields that its profile lets differ."""
        return tolerated_of(self.guest.tolerates, self.catalogue, self.guest.shape)

    @cached_property
    def hides(self) -> tuple[bool, ...]:
        """For each drop row that some kernel gates: whether what the guest shows has its registers hidden."""
        return _gates(self.catalogue, self.known)

    @cached_property
    def raised(self) -> tuple[bool, ...]:
        """For each firmware register of which a guest may be told another value: whether what it shows allows that."""
        return tuple(evaluate(unless, self.known) is False for unless in _raisers(self.catalogue))


@dataclass(eq=False)
class HostView:
    """A host as one of its offers shows it."""

    host: Host
    offer: Offer
    catalogue: Catalogue

    @cached_property
    def own(self) -> dict[str, int]:
        """Its limits, by ``REG.FIELD``."""
        return known_of(self.catalogue, self.offer.limits)

    @cached_property
    def line(self) -> KernelLine | None:
        """The measured line of its kernel."""
        return self.catalogue.line(self.host.software.kernel)

    @cached_property
    def hides(self) -> tuple[bool, ...]:
        """The same as of a guest: whether its own values have a gated row's registers hidden."""
        return _gates(self.catalogue, self.own)

    @cached_property
    def raised(self) -> tuple[bool, ...]:
        """For each such firmware register: whether the host itself shows what keeps its value."""
        return tuple(evaluate(unless, self.own) is True for unless in _raisers(self.catalogue))

    @cached_property
    def whole(self) -> bool:
        """Whether it records every register that rows about every kernel speak of."""
        return self.offer.limits.keys() >= self.catalogue.certain.registers

    def fields(self) -> FieldView:
        """Return what decides about its fields."""
        changed = known_of(self.catalogue, self.offer.changed_by_kvm)
        return FieldView(self.offer, changed, is_spoken_of(self.host, self.catalogue))


def _gates(catalogue: Catalogue, values: dict[str, int]) -> tuple[bool, ...]:
    return tuple(
        not isinstance(row.when, str) and evaluate(row.when, values) is True
        for row in catalogue.drops
        if row.gated_on
    )


def _raisers(catalogue: Catalogue) -> list[Expr]:
    return [row.raised[2] for _, row in sorted(catalogue.firmware.items()) if row.raised is not None]


def case_of(guest: GuestView, host: HostView) -> Case:
    """Return the case that every part judges."""
    return Case(
        guest.guest,
        host.host,
        host.offer,
        guest.catalogue,
        guest.policy,
        guest.known,
        host.own,
        guest.gone,
        guest.tolerated,
    )
