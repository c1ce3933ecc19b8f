"""Whether hosts still run a guest, and what changed on those that were recorded before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.engine import Answer, Drift, MeansName, Moved, Policy, Remedy, Verdict, passthrough, worst
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.remedies import remedies_of_guest, tolerating
from armlevel.errors import UsageError
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.diff import change_object
from armlevel.operations.given import given_object
from armlevel.operations.means import means_for_passthrough, nearest_first, once_per_kind, ways_out_of
from armlevel.operations.ways_out import WaysOut, vmm_family
from armlevel.profile import Given, Guest, Host

__all__ = ["DriftResult", "drift"]


@dataclass(frozen=True, slots=True)
class DriftResult:
    """What each host answers the guest today, and what changed on it.

    ``source`` is the host whose passthrough guest it is, if it is one; ``means`` the one that was asked for, and
    ``vmm`` what would bring it about.
    """

    kind: ClassVar[str] = "drift/1"

    hosts: tuple[Drift, ...]
    given: tuple[Given, ...] = ()
    judged: tuple[tuple[Guest, Host, Host | None], ...] = ()
    policy: Policy = Policy()
    source: Host | None = None
    means: MeansName | None = None
    vmm: str = "kvm"

    @property
    def answer(self) -> Answer:
        """The worst answer of a host; ``unknown`` where it is not known whether one changed."""
        doubts: list[Answer] = ["unknown" for one in self.hosts if one.not_compared]
        return worst([*(one.answer for one in self.hosts), *doubts])

    @property
    def status(self) -> int:
        """The exit status: that of the worst answer."""
        return status_of([self.answer])

    def ways_out(self) -> tuple[WaysOut, ...]:
        """Return what would have each host run its guest again, in their order: each was followed before it is told."""
        tried = once_per_kind(self._moved)
        pairs = zip(self.hosts, self.judged, strict=True)
        return tuple(self._ways(one, judged, tried) for one, judged in pairs)

    def ways_out_of_some(self, most: int) -> tuple[list[WaysOut], int]:
        """Return what would have at most ``most`` kinds of hosts run their guests again.

        And how many such hosts are of other kinds, for which nothing was tried.
        """
        pairs = zip(self.hosts, self.judged, strict=True)
        refused = [(one, judged) for one, judged in pairs if one.answer == "refused"]
        places, left = nearest_first([(judged[1], one.verdict) for one, judged in refused], most)
        tried = once_per_kind(self._moved)
        return [self._ways(*refused[place], tried) for place in places], left

    def _ways(
        self, one: Drift, judged: tuple[Guest, Host, Host | None], tried: Callable[[Host], WaysOut]
    ) -> WaysOut:
        guest, host, earlier = judged
        if one.answer != "refused":
            return WaysOut()
        if self.source is not None and one.verdict.arrive == "refused" and self.source.name != host.name:
            ways = tried(host)
        else:
            ways = WaysOut(remedies_of_guest(guest, host, one.verdict, load(), self.policy), asked=self.means)
        return replace(ways, remedies=(*_kernel_back(guest, host, earlier, self.policy), *ways.remedies))

    def _moved(self, host: Host) -> WaysOut:
        assert self.source is not None
        return ways_out_of(self.source, host, self.policy, self.means, self.vmm)

    def document(self) -> dict[str, Any]:
        """Return the drift/1 object."""
        hosts = [
            _host_object(one) | ways.document() for one, ways in zip(self.hosts, self.ways_out(), strict=True)
        ]
        return {"kind": self.kind, "answer": self.answer, "hosts": hosts} | given_object(self.given)


def drift(  # noqa: PLR0913 (a question with options)
    hosts: Sequence[Host],
    guest: Guest | None = None,
    since: Sequence[Host] = (),
    policy: Policy | None = None,
    *,
    given: Sequence[Given] = (),
    source: Host | None = None,
    means: str = "",
    vmm: str = "kvm",
) -> DriftResult:
    """Judge a guest on hosts as they are now; without a guest, each older host's passthrough guest.

    What the policy tolerates may differ, as if the profile recorded it. ``source`` is the host whose passthrough guest
    it is, if it is one, and ``means`` the only one by which it would go where it is refused, under ``vmm``.

    Raises:
        UnknownName: there is no such means or VMM.
        UsageError: there is neither a guest nor an older host, or an older host belongs to none of the hosts, or the
            means and the guest do not go together.

    """
    if guest is None and not since:
        raise UsageError("neither a guest nor older recordings", hint="give --guest GUEST or --since HOST")
    chosen = means_for_passthrough(means, vmm, source)
    family = vmm_family(vmm)
    before = _paired(hosts, since)
    asked, found, judged = policy or Policy(), [], []
    if guest is not None and asked.tolerate:
        guest = tolerating(guest, asked.tolerate, load())
    # One guest on all hosts: reasons are worked out for the hosts that somebody reads.
    verdicts: Sequence[Verdict | None] = (None,) * len(hosts)
    if guest is not None and len(hosts) > 1:
        verdicts = engine.checks(guest, hosts, load())
    for host, verdict in zip(hosts, verdicts, strict=True):
        earlier = before.get(host.name)
        if earlier is not None:
            earlier = _with_facts_of_now(earlier, [one for one in given if one.host == host.name])
        wanted = guest
        if wanted is None and earlier is not None:
            wanted = passthrough(earlier, load(), vmm=family)
            wanted = tolerating(wanted, asked.tolerate, load()) if asked.tolerate else wanted
        if wanted is None:
            raise UsageError(f"{host.name}: nothing older is recorded of it", hint="give --guest GUEST")
        found.append(engine.drift(host, wanted, load(), earlier, verdict))
        judged.append((wanted, host, earlier))
    return DriftResult(tuple(found), tuple(given), tuple(judged), asked, source, chosen, vmm)


def _kernel_back(guest: Guest, host: Host, earlier: Host | None, policy: Policy) -> tuple[Remedy, ...]:
    # As the host was recorded before, it may have run the guest.
    then = None if earlier is None else earlier.software.kernel
    if earlier is None or then is None or then == host.software.kernel:
        return ()
    if engine.check(guest, earlier, load(), policy).arrive != "runs":
        return ()
    return (Remedy("kernel-as", (Name(then), Name("--since")), hosts_of([host.name])),)


def _paired(now: Sequence[Host], old: Sequence[Host]) -> dict[str, Host]:
    by_name = {host.name: host for host in old}
    pairs = {host.name: by_name[host.name] for host in now if host.name in by_name}
    if not pairs and len(now) == len(old) == 1:
        return {now[0].name: old[0]}
    if strange := [host.name for host in old if host.name not in pairs]:
        hint = "hosts are compared with those of the same name; or compare one with one"
        raise UsageError(f"--since: no host here is called {strange[0]}", hint=hint)
    return pairs


def _with_facts_of_now(earlier: Host, given: Sequence[Given]) -> Host:
    # What a person says of a host now was as true of it then.
    told: dict[str, Any] = {one.fact: one.value for one in given if getattr(earlier.facts, one.fact) is None}
    return replace(earlier, facts=replace(earlier.facts, **told)) if told else earlier


def _host_object(one: Drift) -> dict[str, Any]:
    return {
        "host": one.host,
        "guest": one.verdict.guest,
        "answer": one.answer,
        "start": one.verdict.start,
        "arrive": one.verdict.arrive,
        "born_here": one.born_here,
        "since": one.since or None,
        "not_compared": list(one.not_compared),
        "changes": [_moved_object(moved) for moved in one.changes],
        "findings": findings_told(one.verdict.findings),
    }


def _moved_object(moved: Moved) -> dict[str, Any]:
    row = moved.known
    known = None
    if row is not None:
        line = ".".join(map(str, row.series))
        known = {"line": line, "had": row.had, "has": row.has, "why": row.why, "see": row.see}
    return change_object(moved.change) | {"cause": moved.cause, "known": known}
