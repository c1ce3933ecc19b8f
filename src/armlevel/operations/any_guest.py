"""Whether any guest that is on a host may go to another: for guests of which nobody knows where they were started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.engine import Policy
from armlevel.engine.screen.any_guest import AnyGuest
from armlevel.engine.screen.any_guest import any_guest as judged
from armlevel.errors import UsageError
from armlevel.operations.answers import status_of
from armlevel.operations.given import given_object
from armlevel.profile import Given, Host

__all__ = ["AnyGuest", "AnyGuestResult", "any_guest", "any_guest_object", "any_guest_of"]


@dataclass(frozen=True, slots=True)
class AnyGuestResult:
    """The answer for each ordered pair of hosts."""

    kind: ClassVar[str] = "any-guest/1"

    moves: tuple[AnyGuest, ...]
    given: tuple[Given, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: that of the worst answer."""
        return status_of(one.answer for one in self.moves)

    def document(self) -> dict[str, Any]:
        """Return the any-guest/1 object."""
        return {"kind": self.kind, "moves": list(map(any_guest_object, self.moves))} | given_object(
            self.given
        )


def any_guest(
    hosts: Sequence[Host], policy: Policy | None = None, *, vmm: str = "kvm", given: Sequence[Given] = ()
) -> AnyGuestResult:
    """Say for every ordered pair of hosts whether any guest that is on the first may go to the second.

    Raises:
        UsageError: there are fewer than two hosts, or the VMM may behave as any of several sets.
        UnknownName: no VMM is called so.

    """
    if len(hosts) < 2:
        raise UsageError("a move is between two hosts", hint="name at least two host profiles")
    moves = [any_guest_of(*pair, policy, vmm) for pair in permutations(hosts, 2)]
    found = tuple(one for one in moves if one is not None)
    if len(found) < len(moves):
        raise UsageError(f"{vmm} may behave in several ways", hint="name a version, as in qemu-11.1")
    return AnyGuestResult(found, tuple(given))


def any_guest_of(
    source: Host, target: Host, policy: Policy | None = None, vmm: str = "kvm"
) -> AnyGuest | None:
    """Answer for one pair; None for a VMM that may behave as any of several sets."""
    return judged(source, target, load(), policy, vmm=vmm)


def any_guest_object(found: AnyGuest) -> dict[str, Any]:
    """Return an answer as it is recorded."""
    return {
        "from": found.source,
        "to": found.target,
        "answer": found.answer,
        "parts": dict(found.parts),
        "not_judged": list(found.not_judged),
        "shapes": [shape.label for shape in found.shapes],
        "about": [subject.key for subject in found.about],
    }
