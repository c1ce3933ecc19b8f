"""Whether a guest may start and arrive on hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import verdict_object
from armlevel.engine import Policy, Verdict
from armlevel.operations.answers import status_of
from armlevel.operations.given import given_object
from armlevel.profile import Given, Guest, Host

__all__ = ["CheckResult", "check"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict of each host on one guest."""

    kind: ClassVar[str] = "check/1"

    guest: Guest
    verdicts: tuple[Verdict, ...]
    given: tuple[Given, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: that of the worst answer."""
        return status_of(answer for one in self.verdicts for answer in (one.start, one.arrive))

    def document(self) -> dict[str, Any]:
        """Return the check/1 object."""
        verdicts = [verdict_object(verdict) for verdict in self.verdicts]
        return {"kind": self.kind, "verdicts": verdicts} | given_object(self.given)


def check(
    guest: Guest,
    hosts: Sequence[Host],
    policy: Policy | None = None,
    *,
    given: Sequence[Given] = (),
) -> CheckResult:
    """Judge one guest on each host: may it start there, may it arrive there."""
    verdicts = (engine.check(guest, host, load(), policy) for host in hosts)
    return CheckResult(guest, tuple(verdicts), tuple(given))
