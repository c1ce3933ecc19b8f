"""Groups of hosts that share a baseline, what they cost, and what would change them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.documents import guest_object
from armlevel.engine import Part, Policy
from armlevel.engine.findings import OF_A_GUEST
from armlevel.engine.planning.advice import Holdout, Joining, Merge, holdouts, joining, merges, one_way
from armlevel.engine.planning.plan import Plan, PlanGroup, Planner, planned
from armlevel.errors import UsageError
from armlevel.operations.given import given_object, names_meant
from armlevel.operations.means import AskedMeans, StockMeans, means_named, means_object, stock_means_of
from armlevel.profile import Given, Host

__all__ = ["Advice", "PlanResult", "plan"]

#: Up to so many kinds of hosts, advice is given unasked: it takes seconds there.
ADVISED = 100


@dataclass(frozen=True, slots=True)
class Advice:
    """What is told beside the groups of a plan.

    ``held``       for each group, who holds it back;  ``merges``  kernel upgrades that would join two groups
    ``ways``       (from, to) where a group's guest may go one way;  ``tolerated``  the plan with every tolerance
    """

    held: tuple[Holdout | None, ...] = ()
    merges: tuple[Merge, ...] = ()
    ways: tuple[tuple[int, int], ...] = ()
    tolerated: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """A plan of hosts, and what was asked about it.

    ``hosts``  how many there are;  ``kinds``  how many kinds of hosts
    ``joining``  what each host of ``--add`` would do to each group;  ``without``  the plan if hosts went away
    """

    kind: ClassVar[str] = "plan/1"
    not_judged: ClassVar[tuple[Part, ...]] = OF_A_GUEST

    plan: Plan
    hosts: int
    kinds: int
    advice: Advice = Advice()
    joining: tuple[tuple[str, tuple[Joining, ...]], ...] = ()
    without: Plan | None = None
    given: tuple[Given, ...] = ()
    policy: Policy = Policy()
    asked: AskedMeans = AskedMeans()

    @property
    def status(self) -> int:
        """The exit status: 0, whatever the groups; 3 if of some host it cannot be said."""
        return 3 if self.plan.left_open else 0

    def means(self, pool: PlanGroup) -> StockMeans | None:
        """Return the cheapest means by which a guest may go anywhere in a group; looked for when it is read."""
        if len(pool.hosts) < 2:
            return None
        guest = pool.baseline.guest if pool.baseline.answer == "runs" else None
        return stock_means_of([kind.host for kind in pool.kinds], guest, self.policy, self.asked)

    def document(self) -> dict[str, Any]:
        """Return the plan/1 object."""
        return {
            "kind": self.kind,
            "hosts": self.hosts,
            "kinds": self.kinds,
            "not_judged": list(self.not_judged),
            "least": self.plan.least,
            "optimal": self.plan.optimal,
            "groups": self._groups(),
            "left": [name for kind in self.plan.left for name in kind.names],
            "left_open": [name for kind in self.plan.left_open for name in kind.names],
            "apart": [name for kind in self.plan.apart for name in kind.names],
            **_advice_object(self.advice),
            **self._what_if(),
        } | given_object(self.given)

    def _groups(self) -> list[dict[str, Any]]:
        held = self.advice.held or (None,) * len(self.plan.pools)
        return [
            _group_object(pool, one, self.means(pool))
            for pool, one in zip(self.plan.pools, held, strict=True)
        ]

    def _what_if(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if self.joining:
            said["add"] = [
                {
                    "host": name,
                    "groups": [{"group": o.pool, "answer": o.answer, "loses": list(o.loses)} for o in places],
                }
                for name, places in self.joining
            ]
        if self.without is not None:
            groups = [list(pool.hosts) for pool in self.without.pools]
            said["remove"] = {"least": self.without.least, "groups": groups}
        return said


def plan(  # noqa: PLR0913 (a question with options)
    hosts: Sequence[Host],
    policy: Policy | None = None,
    *,
    pools: int | None = None,
    add: Sequence[Host] = (),
    remove: Collection[str] = (),
    advise: bool = False,
    given: Sequence[Given] = (),
    vmm: str = "kvm",
    means: str = "",
) -> PlanResult:
    """Put hosts into the fewest groups that share a baseline; with ``pools``, only the largest that many.

    ``add`` are hosts that might join and ``remove`` names of hosts that might go. ``advise`` asks for advice however
    many kinds of hosts there are. ``vmm`` is what restores guests, and ``means`` the only one that is looked for; the
    groups are the same.

    Raises:
        UsageError: there are no hosts, or a host has no baseline by itself under the policy.
        UnknownName: a host that might go is not there, or there is no such VMM or means.

    """
    asked = AskedMeans(vmm, means_named(means, vmm))
    policy = policy or Policy()
    if pools is not None and pools < 1:
        raise UsageError(f"{pools} pools hold no host", hint="ask for one pool at least")
    planner = Planner(hosts, load(), policy)
    found = planned(planner, pools)
    names = {host.name for host in hosts}
    return PlanResult(
        plan=found,
        hosts=len(hosts),
        kinds=len(planner.kinds),
        advice=_advice(planner, found, hosts) if advise or len(planner.kinds) <= ADVISED else Advice(),
        joining=tuple(
            (host.name, tuple(joining(planner, found.pools, _named_apart(host, names)))) for host in add
        ),
        without=_without(hosts, remove, policy, pools) if remove else None,
        given=tuple(given),
        policy=policy,
        asked=asked,
    )


def _advice(planner: Planner, found: Plan, hosts: Sequence[Host]) -> Advice:
    wider = replace(planner.policy, tolerate=tuple(planner.catalogue.tolerances))
    return Advice(
        tuple(holdouts(planner, found.pools)),
        tuple(merges(planner, found.pools)),
        tuple(one_way(found.pools, planner.catalogue)),
        None if planner.policy.tolerate else planned(Planner(hosts, planner.catalogue, wider)),
    )


def _named_apart(host: Host, taken: Collection[str]) -> Host:
    return replace(host, name=f"{host.name} (new)") if host.name in taken else host


def _without(hosts: Sequence[Host], gone: Collection[str], policy: Policy, pools: int | None) -> Plan:
    names = [host.name for host in hosts]
    away = {name for text in gone for name in names_meant(text, names)}
    rest = [host for host in hosts if host.name not in away]
    return planned(Planner(rest, load(), policy), pools)


def _advice_object(advice: Advice) -> dict[str, Any]:
    steps = ("host", "from", "to", "as")
    return {
        "merges": [
            {
                "groups": [one.one, one.two],
                "upgrades": [dict(zip(steps, upgrade, strict=True)) for upgrade in one.upgrades],
            }
            for one in advice.merges
        ],
        "one_way": [{"from": i, "to": j} for i, j in advice.ways],
        "tolerated": None if advice.tolerated is None else [list(p.hosts) for p in advice.tolerated.pools],
    }


def _group_object(group: PlanGroup, held: Holdout | None, means: StockMeans | None) -> dict[str, Any]:
    costs = {
        name: sorted(cost) for kind, cost in zip(group.kinds, group.costs, strict=True) for name in kind.names
    }
    held_by = None
    if held is not None:
        held_by = {"by": held.by, "hosts": list(held.hosts), "gains": list(held.gains)}
    return {
        "hosts": list(group.hosts),
        "answer": group.baseline.answer,
        "without": sorted(group.without),
        "means": means_object(means),
        "costs": costs,
        "held_by": held_by,
        "baseline": None if group.baseline.guest is None else guest_object(group.baseline.guest),
    }
