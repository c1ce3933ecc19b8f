"""Groups of hosts that share a baseline, what they cost, and what would change them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from armlevel.arch import load
from armlevel.cli.answers import given_json, given_lines
from armlevel.cli.inputs import hosts_named
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Explain, Facts, HostFiles, Json, Tolerate
from armlevel.cli.output import say, say_json, wrapped
from armlevel.documents import guest_object
from armlevel.engine import Policy, tolerance_named
from armlevel.engine.planning.advice import Holdout, Joining, Merge, holdouts, joining, merges, one_way
from armlevel.engine.planning.plan import Plan, PlanGroup, Planner, planned
from armlevel.errors import UnknownName
from armlevel.profile import Host
from armlevel.profile.shape import shape_feature
from armlevel.words.subjects import hosts_text, listed_few

__all__ = ["run"]

_ADVISED = 100


@dataclass(frozen=True, slots=True)
class _Advice:
    # What is told beside the groups.
    held: Sequence[Holdout | None] = ()
    merges: Sequence[Merge] = ()
    ways: Sequence[tuple[int, int]] = ()
    tolerated: Plan | None = None
    joining: Sequence[tuple[str, Sequence[Joining]]] = ()
    without: Plan | None = None


def run(
    hosts: HostFiles,
    pools: Annotated[
        int | None,
        typer.Option("--pools", metavar="N", min=1, help="At most N groups; who is left out is named."),
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="HOST", help="What if this host joined? Repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="NAME", help="What if this host went away? Repeatable."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="FEATURE", help="Leave out of the shape: sve, pmu, pauth ... Repeatable."
        ),
    ] = None,
    hide: Annotated[
        list[str] | None, typer.Option("--hide", metavar="FEAT_X", help="Do not show a feature. Repeatable.")
    ] = None,
    tolerate: Tolerate = None,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Put hosts into the fewest groups that share a baseline, and say what each costs.

    Every group is levelled in full. That there are no fewer is proved, or it is said how many fewer there might be.
    Up to 100 kinds of hosts (or with --explain) also: who holds a group back, which kernel upgrades would merge two
    groups, what tolerances would merge, and where a group's guest may go one way. The exit status is 0 when it ran.
    """
    catalogue = load()
    there, given = hosts_named(hosts, fact or ())
    policy = Policy(
        without=frozenset(map(shape_feature, without or ())),
        hide=tuple(catalogue.feature(text).name for text in hide or ()),
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
        tolerate=tuple(tolerance_named(text, catalogue) for text in tolerate or ()),
    )
    planner = Planner(there, catalogue, policy)
    found = planned(planner, pools)
    advice = _Advice()
    if explain or len(planner.kinds) <= _ADVISED:
        wider = replace(policy, tolerate=tuple(catalogue.tolerances))
        advice = _Advice(
            holdouts(planner, found.pools),
            merges(planner, found.pools),
            one_way(found.pools, catalogue),
            planned(Planner(there, catalogue, wider)) if not policy.tolerate else None,
        )
    if add:
        strangers, _ = hosts_named(add)
        taken = {host.name for host in there}
        told = [(host.name, joining(planner, found.pools, _named_apart(host, taken))) for host in strangers]
        advice = replace(advice, joining=told)
    if remove:
        names = {host.name for host in there}
        for name in remove:
            if name not in names:
                raise UnknownName("host here", name, tuple(sorted(names))[:3])
        rest = [host for host in there if host.name not in remove]
        advice = replace(advice, without=planned(Planner(rest, catalogue, policy), pools))
    if as_json:
        say_json(_json(found, advice, planner) | given_json(given))
    else:
        say([*given_lines(given), *_page(found, advice, planner, explain=explain)])
    return 0


def _named_apart(host: Host, taken: Collection[str]) -> Host:
    return replace(host, name=f"{host.name} (new)") if host.name in taken else host


def _page(found: Plan, advice: _Advice, planner: Planner, *, explain: bool) -> list[str]:
    hosts = sum(len(kind.names) for kind in planner.kinds)
    head = f"{hosts} hosts of {len(planner.kinds)} kinds: {_count(found)}"
    lines = wrapped(head, rest="    ")
    for place, pool in enumerate(found.pools):
        if len(pool.hosts) > 1 or explain:
            lines += _pool_lines(place, pool, advice, explain=explain)
    alone = [pool.hosts[0] for pool in found.pools if len(pool.hosts) == 1]
    if alone and not explain:
        several = len(found.pools) - len(alone)
        which = f"groups {several + 1} to {len(found.pools)}" if len(alone) > 1 else f"group {several + 1}"
        lines += wrapped(f"{which}, one host each: {', '.join(alone)}", rest="    ")
    if found.left:
        names = [name for kind in found.left for name in kind.names]
        lines += wrapped(f"left out: {hosts_text(names, every=explain)}", rest="    ")
    return [*lines, *_advice_lines(found, advice)]


def _count(found: Plan) -> str:
    total = len(found.pools) + (1 if found.left else 0)
    groups = "1 group" if len(found.pools) == 1 else f"{len(found.pools)} groups"
    if found.left:
        return f"the largest {groups} of at least {found.least}"
    if total <= found.least:
        return f"{groups}, and fewer are impossible"
    return f"{groups}; that fewer than {found.least} are impossible is proved, what lies between is not"


def _pool_lines(place: int, pool: PlanGroup, advice: _Advice, *, explain: bool) -> list[str]:
    doubt = "" if pool.baseline.answer == "runs" else " (not every part is recorded)"
    names = hosts_text(pool.hosts, every=explain or len(pool.hosts) < 10)
    rows = [("hosts", f"{names}{doubt}")]
    if pool.without:
        rows.append(("gives up", ", ".join(sorted(pool.without))))
    if pool.baseline.guest is not None and pool.baseline.guest.tolerates:
        rows.append(("tolerates", ", ".join(pool.baseline.guest.tolerates)))
    costs: dict[frozenset[str], list[str]] = {}
    for kind, cost in zip(pool.kinds, pool.costs, strict=True):
        costs.setdefault(cost, []).extend(kind.names)
    for lost, names_of in sorted(costs.items(), key=lambda pair: len(pair[0])):
        some = listed_few([name.removeprefix("FEAT_") for name in sorted(lost)], 6, every=explain)
        rows.append(
            ("costs", f"{hosts_text(names_of)}: {f'{len(lost)} FEAT_ ({some})' if lost else 'nothing'}")
        )
    if place < len(advice.held) and (held := advice.held[place]) is not None:
        who = f"kernel {held.by}" if held.by != "host" else hosts_text(held.hosts)
        rows.append(("held by", f"{who}: without it the others gain {_features(len(held.gains))}"))
    lines = ["", f"group {place + 1}: {len(pool.hosts)} hosts"]
    return [*lines, *(line for title, text in rows for line in wrapped(text, f"  {title:10}"))]


def _advice_lines(found: Plan, advice: _Advice) -> list[str]:
    lines: list[str] = []
    for one in advice.merges:
        ups = [f"{host} from {now} to {then} (as {like})" for host, now, then, like in one.upgrades]
        lines += wrapped(f"groups {one.one + 1} and {one.two + 1}: {'; '.join(ups)}", "  merges    ")
    if advice.tolerated is not None and len(advice.tolerated.pools) < len(found.pools):
        guests = [pool.baseline.guest for pool in advice.tolerated.pools]
        used = sorted({name for guest in guests if guest is not None for name in guest.tolerates})
        fewer = f"{len(advice.tolerated.pools)} groups with --tolerate {' --tolerate '.join(used)}"
        lines += wrapped(fewer, "  tolerated ")
    if advice.ways:
        lines += wrapped("; ".join(f"group {i + 1} -> {j + 1}" for i, j in advice.ways), "  one way   ")
    for name, places in advice.joining:
        fit = [one for one in places if one.answer != "refused"]
        text = ", ".join(f"group {one.pool + 1} ({_loss(one)})" for one in fit)
        lines += wrapped(
            f"{name} could join {text}" if fit else f"{name} would be a group of its own", "  add       "
        )
    if advice.without is not None:
        lines += wrapped(f"then {_count(advice.without)}", "  remove    ")
    return ["", *lines] if lines else []


def _features(count: int) -> str:
    return "1 feature" if count == 1 else f"{count} features"


def _loss(one: Joining) -> str:
    doubt = ", not every part is recorded" if one.answer == "unknown" else ""
    return (f"costs it {_features(len(one.loses))}" if one.loses else "costs it nothing") + doubt


def _json(found: Plan, advice: _Advice, planner: Planner) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "hosts": sum(len(kind.names) for kind in planner.kinds),
        "kinds": len(planner.kinds),
        "least": found.least,
        "optimal": found.optimal,
        "groups": [
            _pool_json(pool, advice.held[place] if place < len(advice.held) else None)
            for place, pool in enumerate(found.pools)
        ],
        "left": [name for kind in found.left for name in kind.names],
        "merges": [
            {
                "groups": [one.one, one.two],
                "upgrades": [dict(zip(("host", "from", "to", "as"), up, strict=True)) for up in one.upgrades],
            }
            for one in advice.merges
        ],
        "one_way": [{"from": i, "to": j} for i, j in advice.ways],
        "tolerated": None if advice.tolerated is None else [list(p.hosts) for p in advice.tolerated.pools],
    }
    if advice.joining:
        answer["add"] = [
            {
                "host": name,
                "groups": [{"group": o.pool, "answer": o.answer, "loses": list(o.loses)} for o in places],
            }
            for name, places in advice.joining
        ]
    if advice.without is not None:
        gone = advice.without
        answer["remove"] = {"least": gone.least, "groups": [list(pool.hosts) for pool in gone.pools]}
    return answer


def _pool_json(pool: PlanGroup, held: Holdout | None) -> dict[str, Any]:
    costs = {
        name: sorted(cost) for kind, cost in zip(pool.kinds, pool.costs, strict=True) for name in kind.names
    }
    return {
        "hosts": list(pool.hosts),
        "answer": pool.baseline.answer,
        "without": sorted(pool.without),
        "costs": costs,
        "held_by": None
        if held is None
        else {"by": held.by, "hosts": list(held.hosts), "gains": list(held.gains)},
        "baseline": None if pool.baseline.guest is None else guest_object(pool.baseline.guest),
    }
