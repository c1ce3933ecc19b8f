"""What every question about a guest, or about an offer of a host, asks of it: worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from armlevel.arch import Catalogue, Expr, KernelLine, evaluate, known_of
from armlevel.engine.case import Case
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.engine.fields.partial import is_spoken_of
from armlevel.engine.fields.tolerance import tolerated_of
from armlevel.engine.fields.vectors import FieldView
from armlevel.engine.policy import Policy
from armlevel.kvm import name_of
from armlevel.profile import Guest, Host, Offer

__all__ = ["GuestView", "HostView", "case_of"]


@dataclass(eq=False)
class GuestView:
    """A guest as it is judged under a policy; ``source`` is the host that passes its CPU through to it."""

    guest: Guest
    catalogue: Catalogue
    policy: Policy
    source: HostView | None = None

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
    def drops(self) -> tuple[object, ...]:
        """What drop rows ask of a guest: whether each holds, which caches it has."""
        return (*_held(self.catalogue, self.known), self.guest.registers.get("CLIDR_EL1"))

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
    def drops(self) -> tuple[object, ...]:
        """What drop rows ask of a host: whether its own values have each hold, which registers are 0 there."""
        offer = self.offer
        zero = (offer.firmware.get(name, offer.state.get(name)) for name in _zero(self.catalogue))
        return (*_held(self.catalogue, self.own), *(None if value is None else value == 0 for value in zero))

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


def _held(catalogue: Catalogue, values: Mapping[str, int]) -> Iterator[bool | None]:
    return (evaluate(row.when, values) for row in catalogue.drops if not isinstance(row.when, str))


@lru_cache(maxsize=8)
def _zero(catalogue: Catalogue) -> tuple[str, ...]:
    # Registers that may be left behind where they are 0, and whatever else their rows ask in words.
    return tuple(name_of(one) for row in catalogue.drops if isinstance(row.when, str) for one in row.kvm_ids)


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
