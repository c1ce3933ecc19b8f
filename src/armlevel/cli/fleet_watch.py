"""What changed in a fleet since the look before."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.fleet_levels import changes_text
from armlevel.cli.fleet_options import Fleet
from armlevel.cli.options import Json
from armlevel.cli.output import meant, say, say_json, wrapped
from armlevel.operations.fleet_watch import (
    ChangedKind,
    FleetWatchResult,
    PoolFigures,
    fleet_watch,
    keep_mark,
    mark_place,
    write_metrics,
)
from armlevel.words.fleet import counted_hosts, counted_kinds
from armlevel.words.subjects import hosts_text

__all__ = ["watch"]

_CANDIDATES = {
    "same": "",
    "another": "levelling gives another CPU",
    "none": "levelling gives none",
    "unknown": "levelling gives no certain answer",
}


def watch(
    mark: Annotated[
        str,
        typer.Option("--mark", metavar="PATH", help="Where the last look is kept; else beside the store."),
    ] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the mark: the next look tells the same again.")
    ] = False,
    prometheus: Annotated[
        str,
        typer.Option(
            "--prometheus", metavar="FILE", help="Write figures to FILE, for the node exporter's text files."
        ),
    ] = "",
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Tell what changed in the fleet since the look before: which hosts, when, why, and what that does to pools.

    For a timer: the exit status is 0 if nothing changed, 1 if something did. The first look only makes the mark.
    """
    place = mark or mark_place(fleet)
    progress.begin("looking")
    found = fleet_watch(place, fleet)
    if prometheus:
        write_metrics(prometheus, found)
    if as_json:
        say_json(found.document())
    else:
        say(_page(found))
    if not keep:
        keep_mark(place, found)
    return found.status


def _page(found: FleetWatchResult) -> list[str]:
    if found.rewritten:
        head = f"the history is {meant('not the one', 'no')} that was looked at before; armlevel fleet audit says more"
    elif found.since is None:
        head = f"a first look: {counted_hosts(found.hosts)} of {counted_kinds(found.kinds)}"
    elif not found.has_changed:
        head = f"{meant('nothing changed', 'yes')} among {counted_hosts(found.hosts)}"
    else:
        count = len({name for one in found.changed for name in one.hosts})
        texts = [
            f"{count} changed" if count else "",
            f"{len(found.joined)} joined" if found.joined else "",
            f"{len(found.retired)} retired" if found.retired else "",
            f"{len(found.silent)} fell silent" if found.silent else "",
            f"{sum(map(len, found.outside.values()))} left a level" if found.outside else "",
        ]
        head = f"{counted_hosts(found.hosts)}: {', '.join(filter(None, texts)) or 'something changed'}"
    return [*wrapped(head, rest="    "), *_told(found)]


def _told(found: FleetWatchResult) -> list[str]:
    lines = [line for one in found.changed for line in _changed(one)]
    for title, names in (
        ("  joined    ", found.joined),
        ("  retired   ", found.retired),
        ("  silent    ", found.silent),
        ("  heard     ", found.heard),
    ):
        lines += wrapped(hosts_text(names), title) if names else []
    for pool, outside in found.outside.items():
        for answer in dict.fromkeys(outside.values()):
            some = [name for name, one in outside.items() if one == answer]
            text = f"{hosts_text(some)}: the level of {pool} is {meant(answer)} there"
            lines += wrapped(text, "  outside   ")
    for pool, back in found.inside.items():
        lines += wrapped(f"{hosts_text(back)}: outside the level of {pool} no more", "  inside    ")
    for event in found.levels:
        pool, reason = found.names.get(event.entry.subject, "a pool"), event.entry.reason
        text = f"{pool}: a level was accepted{f' ({reason})' if reason else ''}, {event.at}"
        lines += wrapped(text, "  level     ")
    return [*lines, *(line for figures in found.pools for line in _pool(figures))]


def _changed(one: ChangedKind) -> list[str]:
    times = sorted(one.hosts.values())
    when = times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
    software = ", ".join(f"{key} {old} to {new}" for key, (old, new) in one.software.items())
    text = f"{hosts_text(list(one.hosts))}, {when}: {software or one.cause}; {changes_text(one.changes)}"
    return wrapped(text, "  changed   ")


def _pool(one: PoolFigures) -> list[str]:
    told = _CANDIDATES[one.candidate or "same"]
    return wrapped(f"{one.name}: {told}; armlevel fleet level {one.name}", "  candidate ") if told else []
