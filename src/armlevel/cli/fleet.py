"""A fleet: what every host offers and since when, its pools, and the history of both."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli import fleet_copies, fleet_levels, fleet_moves, fleet_watch, progress
from armlevel.cli.fleet_hosts import host_app
from armlevel.cli.fleet_options import Actor, Fleet, faults_text, kind_text
from armlevel.cli.fleet_pools import pool_app
from armlevel.cli.helping import Verb, VerbGroup
from armlevel.cli.options import Json
from armlevel.cli.output import columns, meant, say, say_json, tell, wrapped
from armlevel.operations.fleet_add import FleetAddResult, fleet_add
from armlevel.operations.fleet_audit import FleetAuditResult, fleet_audit
from armlevel.operations.fleet_init import fleet_init
from armlevel.operations.fleet_list import FleetListResult, fleet_list
from armlevel.operations.fleet_log import FleetLogResult, fleet_log
from armlevel.operations.fleet_show import FleetHostResult, fleet_show
from armlevel.words.fleet import counted_hosts, counted_kinds, event_text, short_digest
from armlevel.words.subjects import hosts_text

__all__ = ["app"]

app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)

_Label = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="Give every host of them this label. Repeatable."),
]


app.command("level", cls=Verb)(fleet_levels.level)
app.command("accept", cls=Verb)(fleet_levels.accept)
app.command("check", cls=Verb)(fleet_levels.check)
app.command("why", cls=Verb)(fleet_levels.why)
app.command("guests", cls=Verb)(fleet_moves.guests)
app.command("evacuate", cls=Verb)(fleet_moves.evacuate)
app.command("rollout", cls=Verb)(fleet_moves.rollout)
app.command("watch", cls=Verb)(fleet_watch.watch)
app.command("backup", cls=Verb)(fleet_copies.backup)
app.command("restore", cls=Verb)(fleet_copies.restore)
app.command("export", cls=Verb)(fleet_copies.export)
app.command("forget", cls=Verb)(fleet_copies.forget)
app.add_typer(pool_app, name="pool")
app.add_typer(host_app, name="host")


@app.callback()
def _fleet() -> None:
    """Remember a fleet: what every host offers and since when, its pools and their levels, who changed what."""


@app.command("init", cls=Verb)
def init(fleet: Fleet = "", as_json: Json = False) -> int:
    """Make the store of a fleet, or bring an older one up to date; what is in it stays."""
    found = fleet_init(fleet)
    if as_json:
        say_json(found.document())
    elif found.before is None:
        say([*wrapped(f"a fleet store was made: {found.place}", rest="    ")])
    else:
        say(
            [
                *wrapped(
                    f"the store is there and up to date: {counted_hosts(found.hosts)} in {found.place}",
                    rest="    ",
                )
            ]
        )
    return found.status


@app.command("add", cls=Verb)
def add(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Profiles of hosts and guests, directories of them, or @recorded machines.",
        ),
    ],
    label: _Label = None,
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Put profiles into the fleet: all of them, or none where one has a fault.

    A host is known by its name. A profile that is older than what is known of its host is refused, and one that does
    not say when it was made is taken as of now.
    """
    progress.begin("reading profiles")
    found = fleet_add(files, fleet, labels=label or (), actor=actor)
    if as_json:
        say_json(found.document())
    else:
        say(_added(found))
    return found.status


def _added(found: FleetAddResult) -> list[str]:
    names = {
        state: [o.name for o in found.hosts if o.state == state]
        for state in ("new", "changed", "same", "known")
    }
    told = [f"{len(some)} {state}" for state, some in names.items() if some]
    new = f", {found.new_kinds} of them new to the fleet" if found.new_kinds else ""
    kinds = f"{counted_kinds(found.kinds)}{new}"
    hosts = f"{counted_hosts(len(found.hosts))} of {kinds}: {', '.join(told)}" if found.hosts else ""
    fresh = sum(one.new for one in found.guests)
    count = len(found.guests)
    guests = f"{count} guest profile{'s' * (count != 1)}, {fresh} new" if count else ""
    lines = wrapped("; ".join(filter(None, [hosts, guests])), rest="    ")
    lines += [line for state in ("new", "changed") if names[state] for line in _names(state, names[state])]
    if undated := [one.name for one in found.hosts if not one.dated]:
        text = f"{hosts_text(undated)}: the profile does not say when it was made, and is taken as of now"
        lines += wrapped(text, "  undated   ")
    return lines


def _names(title: str, names: list[str]) -> list[str]:
    return wrapped(hosts_text(names), f"  {title:10}")


@app.command("list", cls=Verb)
def list_fleet(fleet: Fleet = "", as_json: Json = False) -> int:
    """List the hosts of a fleet by kind, and its pools."""
    found = fleet_list(fleet)
    if as_json:
        say_json(found.document())
    else:
        say(_listed(found))
    return found.status


def _listed(found: FleetListResult) -> list[str]:
    head = f"{counted_hosts(found.hosts)} of {counted_kinds(len(found.kinds))}"
    head += f", {len(found.silent)} silent" if found.silent else ""
    head += f", {len(found.retired)} retired" if found.retired else ""
    if not found.hosts:
        return [head, *wrapped("armlevel fleet add FILE... puts some in", "  ")]
    rows = [("kind", "hosts", "what", "which")]
    for one in found.kinds:
        names = [host.name for host in one.hosts]
        what = kind_text(one.kind.midrs, one.kind.kernel)
        rows.append((short_digest(one.kind.digest), str(len(names)), what, hosts_text(names)))
    lines = [*wrapped(head, rest="    "), "", *columns(rows, "  ")]
    if found.pools:
        lines += ["", *columns([("pool", "hosts"), *((name, str(n)) for name, n in found.pools)], "  ")]
    if found.silent:
        lines += ["", *wrapped(hosts_text(found.silent), "  silent    ")]
    return lines


@app.command("show", cls=Verb)
def show(
    host: Annotated[str, typer.Argument(metavar="HOST", help="A host's name in the fleet.")],
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Show one host of the fleet: what it is, what it was and since when."""
    found = fleet_show(host, fleet)
    if as_json:
        say_json(found.document())
    else:
        say(_shown(found))
    return found.status


def _shown(found: FleetHostResult) -> list[str]:
    host, kind = found.host, found.kinds[found.host.last.kind]
    state = f"retired {host.retired}" if host.retired else f"last seen {host.last.last_seen}"
    silent = ", silent" if found.silent and not host.retired else ""
    lines = wrapped(f"{host.name}: {kind_text(kind.midrs, kind.kernel)}; {state}{silent}", rest="    ")
    lines += wrapped(", ".join(found.pools) or "none", "  pools     ")
    if host.labels:
        lines += wrapped(", ".join(f"{key}={value}" for key, value in host.labels.items()), "  labels    ")
    rows = [("from", "to", "kind", "what")]
    for one in host.seen:
        there = found.kinds[one.kind]
        rows.append(
            (one.first_seen, one.last_seen, short_digest(one.kind), kind_text(there.midrs, there.kernel))
        )
        for before, noted in zip(one.evidence, one.evidence[1:], strict=False):
            changed = _changed(found.software[before.evidence], found.software[noted.evidence])
            rows.append((noted.since, noted.until, "  same", changed))
    return [*lines, "", *columns(rows, "  ")]


def _changed(before: object, after: object) -> str:
    # Which words of the evidence differ.
    assert isinstance(before, dict), "software is an object"
    assert isinstance(after, dict), "software is an object"
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return (
        f"other {', '.join(key.replace('_', ' ') for key in keys)}"
        if keys
        else "other CPUs or facts recorded"
    )


@app.command("log", cls=Verb)
def log(
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="Only what happened to this host.")
    ] = "",
    pool: Annotated[
        str, typer.Option("--pool", metavar="POOL", help="Only what happened to this pool.")
    ] = "",
    last: Annotated[
        int | None, typer.Option("-n", "--last", metavar="N", min=1, help="Only the last so many.")
    ] = None,
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Tell what happened in the fleet: when, who, what and why, oldest first."""
    found = fleet_log(fleet, host=host, pool=pool, last=last)
    if as_json:
        say_json(found.document())
    else:
        say(_told(found))
    return found.status


def _told(found: FleetLogResult) -> list[str]:
    count = found.head.length
    shown = f"{len(found.events)} of " if len(found.events) != count else ""
    lines = [f"{shown}{count} event{'s' * (count != 1)}"]
    rows = [("event", "when", "who", "what")]
    for event in found.events:
        entry = event.entry
        name = found.names.get(entry.subject, entry.subject)
        what = event_text(entry.action, name, entry.before, entry.after)
        reason = f" ({entry.reason})" if entry.reason else ""
        rows.append((str(event.seq), event.at, found.names.get(event.actor, "forgotten"), what + reason))
    return [*lines, *(["", *columns(rows, "  ")] if found.events else [])]


@app.command("audit", cls=Verb)
def audit(
    head: Annotated[
        str,
        typer.Option(
            "--head", metavar="FILE", help="Hold it against a head that was kept: the last one of FILE."
        ),
    ] = "",
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Prove that the history is whole: no event changed, moved or gone, and every row what its event says.

    Keep the head that it prints somewhere else. Only against a head that was kept can it be seen that the last events
    were cut off, or that somebody made all of them anew.
    """
    found = fleet_audit(fleet, kept=head)
    if as_json:
        say_json(found.document())
    else:
        say(_audited(found))
    if found.whole and found.kept is None:
        tell(
            "against no head that was kept: that events at the end are gone is not seen so; keep the last line"
        )
    return found.status


def _audited(found: FleetAuditResult) -> list[str]:
    count = found.head.length
    since = f", and the first {found.kept.length} are those of the kept head" if found.kept else ""
    if found.whole:
        events = f"{count} event{'s' * (count != 1)}"
        lines = wrapped(f"the history is {meant('whole', 'yes')}: {events}{since}", rest="    ")
        if gone := len(found.found.forgotten):
            text = f"{gone} hosts, guests or names, each by an event that says so: they are not missing"
            lines += wrapped(text, "  forgotten ")
        return [*lines, "", found.head.text]
    faults = faults_text(found.found)
    lines = wrapped(f"the history is {meant('not whole', 'no')}: {faults[0]}", rest="    ")
    return [*lines, *(line for text in faults[1:50] for line in wrapped(text, "  "))]
