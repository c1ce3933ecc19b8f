"""The pools of a fleet."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from armlevel.cli.fleet_options import Actor, Fleet, PoolName
from armlevel.cli.helping import Verb, VerbGroup
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Json, Tolerate
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.fleet.values import PoolPolicy
from armlevel.operations.fleet_pools import (
    FleetPoolsResult,
    fleet_pool_create,
    fleet_pool_edit,
    fleet_pools,
)
from armlevel.operations.policies import options_of, policy_of
from armlevel.profile import Policy
from armlevel.words.fleet import counted_hosts
from armlevel.words.subjects import hosts_text

__all__ = ["pool_app"]

pool_app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)

_Hosts = Annotated[
    list[str] | None,
    typer.Option("--host", metavar="PATTERN", help="Hosts whose names fit belong to it. Repeatable."),
]
_Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="KEY=VALUE", help="Hosts that have all of these belong to it. Repeatable."
    ),
]
_Silent = Annotated[
    int | None,
    typer.Option("--silent-after", metavar="DAYS", help="A host is silent after so many days; else 30."),
]
_Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without", metavar="FEATURE", help="Leave out of the shape: sve, pmu, pauth ... Repeatable."
    ),
]
_Hide = Annotated[
    list[str] | None, typer.Option("--hide", metavar="FEAT_X", help="Do not show a feature. Repeatable.")
]
_Require = Annotated[
    list[str] | None,
    typer.Option("--require", metavar="FEAT_X", help="No level without this feature. Repeatable."),
]


@pool_app.callback()
def _pool() -> None:
    """Make, edit and list pools: hosts that share a guest CPU."""


@pool_app.command("create", cls=Verb)
def create(
    name: PoolName,
    host: _Hosts = None,
    label: _Labels = None,
    silent_after: _Silent = None,
    without: _Without = None,
    hide: _Hide = None,
    require: _Require = None,
    tolerate: Tolerate = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the history.")
    ] = "",
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Make a pool, and say which hosts belong to it: those that there are, and those to come."""
    choices = policy_of(
        without=without,
        hide=hide,
        require=require,
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    policy = PoolPolicy(tuple(host or ()), tuple(label or ()), choices=choices)
    if silent_after is not None:
        policy = replace(policy, silent_after=silent_after)
    found = fleet_pool_create(name, policy, fleet, reason=reason, actor=actor)
    return _tell(found, "was made", as_json=as_json)


@pool_app.command("edit", cls=Verb)
def edit(
    name: PoolName,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the history.")],
    host: _Hosts = None,
    label: _Labels = None,
    silent_after: _Silent = None,
    without: _Without = None,
    hide: _Hide = None,
    require: _Require = None,
    tolerate: Tolerate = None,
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Change a pool: what is given takes the place of what was; all else stays, and so does the level in force."""
    (there,) = fleet_pools(fleet, name=name).pools
    before = there.pool.policy
    given = policy_of(without=without, hide=hide, require=require, tolerate=tolerate)
    choices: Policy = before.choices
    for key, value in {"without": without, "hide": hide, "require": require, "tolerate": tolerate}.items():
        if value is not None:
            choices = replace(choices, **{key: getattr(given, key)})
    policy = PoolPolicy(
        before.hosts if host is None else tuple(host),
        before.labels if label is None else tuple(label),
        before.silent_after if silent_after is None else silent_after,
        choices,
    )
    found = fleet_pool_edit(name, policy, fleet, reason=reason, actor=actor)
    return _tell(found, "is edited; its level stays what it is", as_json=as_json)


def _tell(found: FleetPoolsResult, done: str, *, as_json: bool) -> int:
    if as_json:
        say_json(found.document())
        return found.status
    (one,) = found.pools
    say(
        [
            *wrapped(
                f"pool {one.pool.name} {done}: {counted_hosts(len(one.hosts))} belong to it", rest="    "
            ),
            *(wrapped(hosts_text(one.hosts), "  ") if one.hosts else []),
        ]
    )
    return found.status


@pool_app.command("list", cls=Verb)
def list_pools(fleet: Fleet = "", as_json: Json = False) -> int:
    """List the pools, which hosts belong to each, and which version of a level is in force there."""
    found = fleet_pools(fleet)
    if as_json:
        say_json(found.document())
        return found.status
    count = len(found.pools)
    lines = [f"{count} pool{'s' * (count != 1)}"]
    rows = [("pool", "level", "hosts", "which", "choices")]
    for one in found.pools:
        policy = one.pool.policy
        which = ", ".join([*policy.hosts, *policy.labels])
        choices = " ".join(options_of(policy.choices)) or "-"
        level = "none" if one.version is None else str(one.version)
        rows.append((one.pool.name, level, str(len(one.hosts)), which, choices))
    say([*lines, *(["", *columns(rows, "  ")] if found.pools else [])])
    return found.status
