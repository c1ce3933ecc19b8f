"""Whether a guest may start and arrive on hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from armlevel import engine
from armlevel.arch import Catalogue, load
from armlevel.engine import Policy, Verdict
from armlevel.operations.answers import status_of, told_object
from armlevel.operations.given import given_object
from armlevel.operations.ways_out import WaysOut, vmm_family
from armlevel.profile import Given, Guest, Host

if TYPE_CHECKING:
    from armlevel.engine import MeansName

__all__ = ["CheckResult", "check"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict of each host on one guest; ``source`` is the host whose passthrough guest it is, if it is one.

    ``means`` is the one that was asked for, ``vmm`` what would bring it about.
    """

    kind: ClassVar[str] = "check/1"

    guest: Guest
    verdicts: tuple[Verdict, ...]
    given: tuple[Given, ...] = ()
    hosts: tuple[Host, ...] = ()
    policy: Policy = Policy()
    source: Host | None = None
    means: MeansName | None = None
    vmm: str = "kvm"

    @property
    def status(self) -> int:
        """The exit status: that of the worst answer."""
        return status_of(answer for one in self.verdicts for answer in (one.start, one.arrive))

    def ways_out(self) -> tuple[WaysOut, ...]:
        """Return what would change each verdict, in their order: each was followed before it is told."""
        if not any("refused" in (one.start, one.arrive) for one in self.verdicts):
            return (WaysOut(asked=self.means),) * len(self.verdicts)
        from armlevel.operations.means import once_per_kind

        tried = once_per_kind(self._moved)
        pairs = zip(self.hosts, self.verdicts, strict=True)
        return tuple(self._ways(host, verdict, tried) for host, verdict in pairs)

    def ways_out_of_some(self, most: int) -> tuple[list[WaysOut], int]:
        """Return what would change the answers of at most ``most`` kinds of hosts that refuse the guest.

        And how many such hosts are of other kinds, for which nothing was tried.
        """
        pairs = zip(self.hosts, self.verdicts, strict=True)
        refused = [(host, one) for host, one in pairs if "refused" in (one.start, one.arrive)]
        if not refused:
            return [], 0
        from armlevel.operations.means import nearest_first, once_per_kind

        places, left = nearest_first(refused, most)
        tried = once_per_kind(self._moved)
        return [self._ways(*refused[place], tried) for place in places], left

    def _ways(self, host: Host, verdict: Verdict, tried: Callable[[Host], WaysOut]) -> WaysOut:
        from armlevel.engine.remedies import remedies_of_guest

        if self.source is not None and verdict.arrive == "refused" and self.source.name != host.name:
            return tried(host)
        return WaysOut(remedies_of_guest(self.guest, host, verdict, load(), self.policy), asked=self.means)

    def _moved(self, host: Host) -> WaysOut:
        from armlevel.operations.means import ways_out_of

        assert self.source is not None
        return ways_out_of(self.source, host, self.policy, self.means, self.vmm)

    def document(self) -> dict[str, Any]:
        """Return the check/1 object."""
        verdicts = [told_object(one) for one in self.verdicts]
        ways = [
            {"host": one.host} | found.document()
            for one, found in zip(self.verdicts, self.ways_out(), strict=True)
            if found.remedies
        ]
        return {"kind": self.kind, "verdicts": verdicts, "ways_out": ways} | given_object(self.given)


def check(  # noqa: PLR0913 (a question with options)
    guest: Guest,
    hosts: Sequence[Host],
    policy: Policy | None = None,
    *,
    given: Sequence[Given] = (),
    source: Host | None = None,
    means: str = "",
    vmm: str = "kvm",
) -> CheckResult:
    """Judge one guest on each host: may it start there, may it arrive there.

    What the policy tolerates may differ, as if the profile recorded it. ``source`` is the host whose passthrough guest
    it is, if it is one, and ``means`` the only one by which it would go where it is refused, under ``vmm``.

    Raises:
        UnknownName: there is no such means or VMM.
        UsageError: the means and the guest do not go together.

    """
    chosen, asked, wanted = _means(means, vmm, source), policy or Policy(), guest
    if asked.tolerate:
        from armlevel.engine.remedies import tolerating

        wanted = tolerating(guest, asked.tolerate, load())
    # On several hosts reasons are worked out for those that somebody reads.
    judged = engine.checks if len(hosts) > 1 else _judged_in_full
    verdicts = judged(wanted, hosts, load(), asked)
    return CheckResult(wanted, verdicts, tuple(given), tuple(hosts), asked, source, chosen, vmm)


def _judged_in_full(
    guest: Guest, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy
) -> tuple[Verdict, ...]:
    return tuple(engine.check(guest, host, catalogue, policy) for host in hosts)


def _means(text: str, vmm: str, source: Host | None) -> MeansName | None:
    # What brings a guest CPU about is read where a person asks for one of them.
    if not text:
        vmm_family(vmm)
        return None
    from armlevel.operations.means import means_for_passthrough

    return means_for_passthrough(text, vmm, source)
