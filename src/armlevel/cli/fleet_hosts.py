"""What only a person says of a host of a fleet: its labels, its name, and that it is gone."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli.fleet_options import Actor, Fleet, Reason
from armlevel.cli.helping import Verb, VerbGroup
from armlevel.cli.options import Json
from armlevel.cli.output import say, say_json, wrapped
from armlevel.operations.fleet_hosts import fleet_label, fleet_rename, fleet_retire
from armlevel.operations.fleet_show import FleetHostResult
from armlevel.words.subjects import hosts_text

__all__ = ["host_app"]

host_app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)

_Host = Annotated[str, typer.Argument(metavar="HOST", help="A host's name in the fleet.")]


@host_app.callback()
def _host() -> None:
    """Say what only a person can say of a host."""


@host_app.command("label", cls=Verb)
def label(
    host: _Host,
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="Labels to give it.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="KEY", help="Take the label of this key away. Repeatable."),
    ] = None,
    reason: Reason = "",
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Give a host labels, and take others away; pools by label have it from then on, or no more."""
    found = fleet_label(host, labels or (), fleet, remove=remove or (), reason=reason, actor=actor)
    return _tell(found, f"{host} has other labels", as_json=as_json)


@host_app.command("rename", cls=Verb)
def rename(
    host: _Host,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name that it has from now on.")],
    reason: Reason = "",
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Call a host by another name: it stays the same host, with all it was.

    Pools by name have it from then on, or no more. Its profiles must come under the new name as well.
    """
    found = fleet_rename(host, new, fleet, reason=reason, actor=actor)
    return _tell(found, f"{host} is called {new}", as_json=as_json)


def _tell(found: FleetHostResult, done: str, *, as_json: bool) -> int:
    if as_json:
        say_json(found.document())
        return found.status
    labels = ", ".join(f"{key}={value}" for key, value in sorted(found.host.labels.items())) or "none"
    lines = [*wrapped(done, rest="    "), *wrapped(labels, "  labels    ")]
    say([*lines, *wrapped(", ".join(found.pools) or "none", "  pools     ")])
    return found.status


@host_app.command("retire", cls=Verb)
def retire(
    host: _Host,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the history.")],
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Take a host out of the question: it belongs to no pool any more, and holds no level down.

    A host that only fell silent still counts as what it was. One that is added again afterwards is back.
    """
    found = fleet_retire(host, fleet, reason=reason, actor=actor)
    if as_json:
        say_json(found.document())
        return found.status
    held = f"; it belonged to {hosts_text(found.pools, every=True)}" if found.pools else ""
    say(wrapped(f"{host} is retired{held}", rest="    "))
    return found.status
