"""The richest guest CPU that every host can run, or why there is none and which hosts do have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from armlevel import __version__
from armlevel.arch import load
from armlevel.documents import guest_object, host_object, remedy_object
from armlevel.documents.names import named
from armlevel.engine import Answer, Baseline, Grouping, Part, Policy, Remedy, groups_of, level
from armlevel.engine.findings import OF_A_GUEST
from armlevel.engine.names import hosts_of
from armlevel.engine.remedies import remedies_of_baseline
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.given import given_object
from armlevel.operations.means import AskedMeans, StockMeans, means_named, means_object, stock_means_of
from armlevel.operations.policies import options_of
from armlevel.profile import Given, Guest, Host, Made, Origin

__all__ = ["BaselineResult", "baseline"]

_LONGEST = 4000  # of a source: a text of a document has at most 4,096 characters


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What levelling hosts came to.

    ``guest``   the baseline; None if some host refuses it, or none was found
    ``groups``  where there is no baseline: the hosts that do have one together
    ``asked``   the VMM and the means that were asked for
    """

    kind: ClassVar[str] = "baseline/1"
    not_judged: ClassVar[tuple[Part, ...]] = OF_A_GUEST

    found: Baseline
    hosts: tuple[Host, ...]
    groups: Grouping | None = None
    given: tuple[Given, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    policy: Policy = Policy()
    asked: AskedMeans = AskedMeans()

    def means(self) -> StockMeans | None:
        """Return the cheapest means by which a guest may go anywhere among the hosts; looked for when it is read."""
        return stock_means_of(
            self.hosts, self.found.guest if self.answer == "runs" else None, self.policy, self.asked
        )

    @property
    def answer(self) -> Answer:
        """Whether the guest is a baseline."""
        return self.found.answer

    @property
    def guest(self) -> Guest | None:
        """The baseline, complete but for what ``answer`` says is not known; None if there is none."""
        return None if self.answer == "refused" else self.found.guest

    @property
    def status(self) -> int:
        """The exit status."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the baseline/1 object; ``candidate`` is a guest that a host refuses."""
        candidate = self.found.guest if self.guest is None else None
        groups = self.groups.groups if self.groups is not None else ()
        return {
            "kind": self.kind,
            "answer": self.answer,
            "hosts": [host.name for host in self.hosts],
            "parts": dict(self.found.parts),
            "not_judged": list(self.not_judged),
            "dropped": sorted(self.found.dropped),
            "guest": None if self.guest is None else guest_object(self.guest),
            "candidate": None if candidate is None else guest_object(candidate),
            "conflicts": findings_told(self.found.conflicts),
            "notes": findings_told([one for one in self.found.findings if one not in self.found.conflicts]),
            "groups": [{"hosts": list(group.hosts)} for group in groups],
            "means": means_object(self.means()),
            "remedies": [remedy_object(one) for one in self.remedies],
            "groups_complete": self.groups.complete if self.groups is not None else True,
            "left_open": list(self.groups.left_open) if self.groups is not None else [],
            "apart": list(self.groups.apart) if self.groups is not None else [],
        } | given_object(self.given)


def baseline(  # noqa: PLR0913 (a question with options)
    hosts: Sequence[Host],
    policy: Policy | None = None,
    *,
    name: str = "baseline",
    given: Sequence[Given] = (),
    vmm: str = "kvm",
    means: str = "",
) -> BaselineResult:
    """Level hosts under a policy; ``name`` is what the guest is called, ``given`` the facts that a person gave.

    ``vmm`` is what restores the guest, and ``means`` the only one that is looked for; the baseline is the same.

    Raises:
        UnknownName: there is no such VMM or means.
        UsageError: there are no hosts, or the policy asks for what no hosts can do.

    """
    named("--name", name)
    asked = AskedMeans(vmm, means_named(means, vmm))
    policy = policy or Policy()
    found = level(hosts, load(), policy, name=name)
    if found.guest is not None:
        found = replace(found, guest=_recorded(found.guest, hosts, policy, given))
    groups = None
    if found.answer == "refused":
        groups = groups_of(hosts, load(), policy, outcome=found)
    elif found.guest is None:
        groups = Grouping((), complete=False)
    remedies = (*remedies_of_baseline(hosts, found, load(), policy), *_leave_out(hosts, groups))
    return BaselineResult(found, tuple(hosts), groups, tuple(given), remedies, policy, asked)


def _leave_out(hosts: Sequence[Host], groups: Grouping | None) -> tuple[Remedy, ...]:
    # The hosts beside the largest group that has a baseline.
    several = [group for group in groups.groups if len(group.hosts) > 1] if groups is not None else []
    if groups is None or not several or len(hosts) < 3:
        return ()
    kept = max(several, key=lambda group: len(group.hosts)).hosts
    out = hosts_of(host.name for host in hosts if host.name not in kept)
    return (Remedy("leave-out", hosts=out),) if out else ()


def _recorded(guest: Guest, hosts: Sequence[Host], policy: Policy, given: Sequence[Given]) -> Guest:
    """Return the guest with who made it, out of what, and under which of a person's choices."""
    choices = options_of(policy, given)
    names = [host.name for host in hosts]
    source = f"baseline of {', '.join(names)}" + (f"; {' '.join(choices)}" if choices else "")
    if len(source) > _LONGEST:
        source = f"baseline of {len(names)} hosts" + (f"; {' '.join(choices)}" if choices else "")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = Made(
        f"armlevel {__version__}",
        load().version,
        now,
        source[:_LONGEST],
        tuple(Origin(host.name, host_object(host)["digest"]) for host in hosts),
        policy,
        tuple(given),
    )
    sources = {
        one.fact: "given with --fact" for one in given if getattr(guest.facts, one.fact, None) is not None
    }
    return replace(guest, made=made, facts=replace(guest.facts, sources=sources))
