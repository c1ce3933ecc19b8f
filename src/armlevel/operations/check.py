"""Whether a guest may start and arrive on hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import verdict_object
from armlevel.engine import Policy, Remedy, Verdict
from armlevel.engine.remedies import remedies_of_guest, tolerating
from armlevel.operations.answers import status_of
from armlevel.operations.given import given_object
from armlevel.profile import Given, Guest, Host

__all__ = ["CheckResult", "check"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict of each host on one guest; ``source`` is the host whose passthrough guest it is, if it is one."""

    kind: ClassVar[str] = "check/1"

    guest: Guest
    verdicts: tuple[Verdict, ...]
    given: tuple[Given, ...] = ()
    hosts: tuple[Host, ...] = ()
    policy: Policy = Policy()
    source: Host | None = None

    @property
    def status(self) -> int:
        """The exit status: that of the worst answer."""
        return status_of(answer for one in self.verdicts for answer in (one.start, one.arrive))

    def remedies(self, verdict: Verdict) -> tuple[Remedy, ...]:
        """Return what would change a verdict: each was followed before it is told."""
        host = next((one for one in self.hosts if one.name == verdict.host), None)
        if host is None:
            return ()
        if self.source is not None and verdict.arrive == "refused" and self.source.name != host.name:
            return engine.migrate(self.source, host, load(), self.policy)[0].ways
        return remedies_of_guest(self.guest, host, verdict, load(), self.policy)

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
    source: Host | None = None,
) -> CheckResult:
    """Judge one guest on each host: may it start there, may it arrive there.

    What the policy tolerates may differ, as if the profile recorded it. ``source`` is the host whose passthrough guest
    it is, if it is one.
    """
    asked = policy or Policy()
    wanted = tolerating(guest, asked.tolerate, load()) if asked.tolerate else guest
    verdicts = tuple(engine.check(wanted, host, load(), asked) for host in hosts)
    return CheckResult(wanted, verdicts, tuple(given), tuple(hosts), asked, source)
