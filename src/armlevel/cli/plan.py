"""Groups of hosts that share a baseline, what they cost, and what would change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.answers import given_lines
from armlevel.cli.options import (
    AcceptWeaker,
    AssumeSameImpdef,
    Explain,
    Facts,
    HostFiles,
    Json,
    Means,
    Names,
    Tolerate,
    Vmm,
)
from armlevel.cli.output import say, say_json, tell, wrapped
from armlevel.documents import guest_object, pretty, write_frozen
from armlevel.errors import UsageError
from armlevel.operations import Joining, Plan, PlanGroup
from armlevel.operations.named import hosts_named
from armlevel.operations.plan import PlanResult, plan
from armlevel.operations.policies import policy_of
from armlevel.words.answers import left_out_text
from armlevel.words.remedies import means_text, no_means_text
from armlevel.words.subjects import hosts_text, listed_few

__all__ = ["run"]

#: Of more groups each is told in few lines: names are elided, and what the hosts that lose the most lose.
_MANY = 6
_COSTS = 2


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
    vmm: Vmm = "kvm",
    means: Means = "",
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    directory: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Write each group's guest profile into DIR: group-1.json ...",
        ),
    ] = "",
    names: Names = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Put hosts into the fewest groups that share a baseline, and say what each costs.

    Every group is levelled in full. That there are no fewer is proved, or it is said how many fewer there might be.
    Up to 100 kinds of hosts (or with --explain) also: who holds a group back, which kernel upgrades would merge two
    groups, what tolerances would merge, and where a group's guest may go one way. Hosts of which too little is recorded
    are in no group. The exit status is 0 when it ran, 3 if there are such hosts.
    """
    progress.begin("levelling groups")
    there, given = hosts_named(hosts, fact or ())
    policy = policy_of(
        there,
        without=without,
        hide=hide,
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    found = plan(
        there,
        policy,
        pools=pools,
        add=hosts_named(add)[0] if add else (),
        remove=remove or (),
        advise=explain,
        given=given,
        vmm=vmm,
        means=means,
    )
    written = _write(found.plan, directory) if directory else []
    if as_json:
        say_json(found.document())
    else:
        head = f"{found.hosts} hosts of {found.kinds} kinds: {_count(found.plan)}; {left_out_text(found.not_judged)}"
        say([*wrapped(head, rest="    "), *given_lines(given), *_page(found, explain=explain, names=names)])
    if written:
        tell(
            f"{len(written)} guest profile{'s' * (len(written) != 1)} written to {directory}: {', '.join(written)}"
        )
    return found.status


def _write(found: Plan, directory: str) -> list[str]:
    # Each group's guest, under its number; where one is in the way none is written.
    texts = {
        f"group-{place + 1}.json": pretty(guest_object(replace(guest, name=f"group-{place + 1}")))
        for place, pool in enumerate(found.pools)
        if (guest := pool.baseline.guest) is not None and pool.baseline.answer == "runs"
    }
    for name in texts:
        if (path := Path(directory, name)).exists():
            raise UsageError(
                f"{path} is there already", hint="name another directory: nothing is overwritten"
            )
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{directory}: cannot be made: {(exc.strerror or str(exc)).lower()}") from exc
    for name, text in texts.items():
        write_frozen(str(Path(directory, name)), text)
    return list(texts)


def _page(result: PlanResult, *, explain: bool, names: bool) -> list[str]:
    found, every = result.plan, explain or names
    lines: list[str] = []
    for place, pool in enumerate(found.pools):
        if len(pool.hosts) > 1 or explain:
            lines += _pool_lines(place, pool, result, explain=explain, names=names)
    alone = [pool.hosts[0] for pool in found.pools if len(pool.hosts) == 1]
    if alone and not explain:
        several = len(found.pools) - len(alone)
        which = f"groups {several + 1} to {len(found.pools)}" if len(alone) > 1 else f"group {several + 1}"
        lines += wrapped(f"{which}, one host each: {', '.join(alone)}", rest="    ")
    if found.left:
        left = [name for kind in found.left for name in kind.names]
        lines += wrapped(f"left out: {hosts_text(left, every=every)}", rest="    ")
    if found.left_open:
        left = [name for kind in found.left_open for name in kind.names]
        text = f"in no group, for too little is recorded of them: {hosts_text(left, every=every)}; probe them"
        lines += wrapped(text, rest="    ")
    if found.apart:
        apart = [name for kind in found.apart for name in kind.names]
        text = f"certainly with no other host in one group: {hosts_text(apart, every=every)}"
        lines += wrapped(text, rest="    ")
    return [*lines, *_advice_lines(result, brief=not every and _is_long(found))]


def _is_long(found: Plan) -> bool:
    return sum(len(pool.hosts) > 1 for pool in found.pools) > _MANY


def _count(found: Plan) -> str:
    total = len(found.pools) + (1 if found.left else 0)
    if not found.pools and found.left_open:
        if len(found.apart) == len(found.left_open):
            return "no two share a guest CPU; of each by itself too little is recorded"
        return "no group, for too little is recorded of any of them"
    groups = "1 group" if len(found.pools) == 1 else f"{len(found.pools)} groups"
    if found.left_open:
        return f"{groups} of the hosts that are recorded well enough"
    if found.left:
        return f"the largest {groups} of at least {found.least}"
    if total <= found.least:
        return f"{groups}, and fewer are impossible"
    return f"{groups}; that fewer than {found.least} are impossible is proved, what lies between is not"


def _pool_lines(place: int, pool: PlanGroup, result: PlanResult, *, explain: bool, names: bool) -> list[str]:
    advice = result.advice
    every = explain or names
    brief = not every and _is_long(result.plan)
    rows = [("hosts", hosts_text(pool.hosts, every=every or (len(pool.hosts) < 10 and not brief)))]
    if (means := result.means(pool)) is not None:
        rows.append(("means", means_text(means)))
    elif result.asked.means is not None and len(pool.hosts) > 1:
        rows.append(("means", no_means_text(result.asked.means)))
    if pool.without:
        rows.append(("gives up", ", ".join(sorted(pool.without))))
    if pool.baseline.guest is not None and pool.baseline.guest.tolerates:
        rows.append(("tolerates", ", ".join(pool.baseline.guest.tolerates)))
    rows += _costs(pool, brief=brief, explain=explain, every=every)
    if place < len(advice.held) and (held := advice.held[place]) is not None:
        who = f"kernel {held.by}" if held.by != "host" else hosts_text(held.hosts)
        rows.append(("held by", f"{who}: without it the others gain {_features(len(held.gains))}"))
    lines = [*([] if brief else [""]), f"group {place + 1}: {len(pool.hosts)} hosts"]
    return [*lines, *(line for title, text in rows for line in wrapped(text, f"  {title:10}"))]


def _costs(pool: PlanGroup, *, brief: bool, explain: bool, every: bool) -> list[tuple[str, str]]:
    # What each host of a group loses, those that lose the most last; who is not named loses nothing.
    costs: dict[frozenset[str], list[str]] = {}
    for kind, cost in zip(pool.kinds, pool.costs, strict=True):
        costs.setdefault(cost, []).extend(kind.names)
    ranked = sorted(
        ((cost, who) for cost, who in costs.items() if cost or every), key=lambda pair: len(pair[0])
    )
    if not any(cost for cost, _ in ranked) and not every:
        return [("costs", "nothing")]
    shown = ranked[-_COSTS:] if brief else ranked
    rows = []
    for lost, names in shown:
        some = listed_few(
            [name.removeprefix("FEAT_") for name in sorted(lost)], 3 if brief else 6, every=explain
        )
        what = f"{len(lost)} FEAT_ ({some})" if lost else "nothing"
        rows.append(("costs", f"{hosts_text(names, every=every)}: {what}"))
    left = sum(len(who) for _, who in ranked[: len(ranked) - len(shown)])
    return [("costs", f"{left} other hosts lose less: --explain"), *rows] if left else rows


def _advice_lines(result: PlanResult, *, brief: bool) -> list[str]:
    found, advice = result.plan, result.advice
    lines: list[str] = []
    for one in advice.merges:
        ups = [f"{host} from {now} to {then} (as {like})" for host, now, then, like in one.upgrades]
        shown = ups[:_COSTS] if brief else ups
        more = f"; and {len(ups) - len(shown)} more: --explain" if len(shown) < len(ups) else ""
        lines += wrapped(f"groups {one.one + 1} and {one.two + 1}: {'; '.join(shown)}{more}", "  merges    ")
    if advice.tolerated is not None and len(advice.tolerated.pools) < len(found.pools):
        guests = [pool.baseline.guest for pool in advice.tolerated.pools]
        used = sorted({name for guest in guests if guest is not None for name in guest.tolerates})
        fewer = f"{len(advice.tolerated.pools)} groups with --tolerate {' --tolerate '.join(used)}"
        lines += wrapped(fewer, "  tolerated ")
    if advice.ways:
        lines += wrapped("; ".join(f"group {i + 1} -> {j + 1}" for i, j in advice.ways), "  one way   ")
    for name, places in result.joining:
        lines += wrapped(_joining_text(name, places), "  add       ")
    if result.without is not None:
        lines += wrapped(f"then {_count(result.without)}", "  remove    ")
    return ["", *lines] if lines else []


def _features(count: int) -> str:
    return "1 feature" if count == 1 else f"{count} features"


def _joining_text(name: str, places: Sequence[Joining]) -> str:
    fit = [f"group {one.pool + 1} ({_loss(one)})" for one in places if one.answer == "runs"]
    maybe = [f"group {one.pool + 1}" for one in places if one.answer == "unknown"]
    texts = [f"could join {', '.join(fit)}"] if fit else []
    if maybe:
        texts.append(f"may or may not join {', '.join(maybe)}: too little is recorded")
    return f"{name} {'; '.join(texts) or 'would be a group of its own'}"


def _loss(one: Joining) -> str:
    return f"costs it {_features(len(one.loses))}" if one.loses else "costs it nothing"
