"""Guests of a fleet: which run where, where they may go, and in which order to roll hosts under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli import progress
from armlevel.cli.findings import Page
from armlevel.cli.fleet_options import Actor, Fleet, PoolName
from armlevel.cli.options import Json
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.fleet.rollout import RolloutStep
from armlevel.operations.fleet_evacuate import EvacuateResult, Leaving, fleet_evacuate
from armlevel.operations.fleet_guests import FleetGuestsResult, fleet_guests, fleet_guests_add
from armlevel.operations.fleet_rollout import FleetRolloutResult, Lost, fleet_rollout
from armlevel.words.answers import left_out_text, unknown_text
from armlevel.words.fleet import counted_guests, counted_hosts, short_digest
from armlevel.words.guests import KNOWN_TEXT
from armlevel.words.subjects import hosts_text, listed_few

__all__ = ["evacuate", "guests", "rollout"]

_FEW = 3


def guests(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE...]", help="What `armlevel guests --json` printed on hosts of the fleet."
        ),
    ] = None,
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Record which guests run on hosts, and tell those of the fleet by the CPU that each was born with.

    A file tells all guests of its host: what is not in it any more has ended.
    """
    found = fleet_guests_add(files, fleet, actor=actor) if files else fleet_guests(fleet)
    if as_json:
        say_json(found.document())
    else:
        say(_guests(found))
    return found.status


def _guests(found: FleetGuestsResult) -> list[str]:
    every = [(name, one) for name, there in found.hosts.items() for one in there.guests]
    lines = wrapped(f"{counted_guests(len(every))} on {counted_hosts(len(found.hosts))}", rest="    ")
    alike: dict[tuple[str, str], list[str]] = {}
    names: dict[tuple[str, str], list[str]] = {}
    for host, one in every:
        what = "any guest of its host" if one.guest is None else found.levels.get(one.guest)
        key = (what or short_digest(one.guest), one.known)
        alike.setdefault(key, []).append(one.name)
        names.setdefault(key, []).append(host)
    rows = [("cpu", "guests", "known by", "on", "which")]
    for (what, known), some in alike.items():
        text = dict.fromkeys(names[what, known])
        rows.append((what, str(len(some)), KNOWN_TEXT[known], hosts_text(list(text)), listed_few(some, _FEW)))
    if every:
        lines += ["", *columns(rows, "  ")]
    if found.not_reported:
        lines += ["", *wrapped(hosts_text(found.not_reported), "  not reported  ")]
    return lines


def evacuate(
    host: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Hosts of the fleet, by name or pattern."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="Every host that has all of these. Repeatable."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="NAME", help="Only to these hosts: a name or pattern. Repeatable."),
    ] = None,
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Say where the guests of hosts may go now, from the store alone: no host is asked.

    Whether there is room is not looked at. The exit status is 0 if every guest may go somewhere, 1 if one may not, 3
    where it cannot be said.
    """
    progress.begin("asking where each may go")
    found = fleet_evacuate(host or (), fleet, labels=label or (), to=to or ())
    if as_json:
        say_json(found.document())
    else:
        say(_evacuated(found))
    return found.status


def _evacuated(found: EvacuateResult) -> list[str]:
    told = [one for one in found.leaving if one.names]
    count = sum(len(one.names) for one in told)
    where = counted_hosts(len(found.hosts))
    bad = [one for one in found.leaving if one.answer != "runs"]
    if not found.leaving:
        head = f"{where}: no guest runs there"
    elif not bad:
        head = f"{where}, {counted_guests(count)}: {meant('every guest', 'yes')} may go elsewhere"
    else:
        kinds = [
            f"{sum(max(1, len(o.names)) for o in some)} {word}"
            for word, some in (
                ("may not", [one for one in bad if one.answer == "refused"]),
                ("cannot be said", [one for one in bad if one.answer == "unknown"]),
            )
            if some
        ]
        head = f"{where}, {counted_guests(count)}: {meant(', '.join(kinds), 'no')}"
    left = dict.fromkeys(part for one in found.leaving for part in one.not_judged)
    head += f"; {left_out_text(tuple(left))}" if left else ""
    lines = wrapped(head, rest="    ")
    alike: dict[tuple[object, ...], list[Leaving]] = {}
    for one in found.leaving:
        key = (one.guest, one.level, one.known, one.to, one.silent, one.unsaid, bool(one.names))
        alike.setdefault(key, []).append(one)
    if found.leaving:
        rows = [("hosts", "guests", "cpu", "may go to"), *map(_leaving, alike.values())]
        lines += ["", *columns(rows, "  ")]
    for some in alike.values():
        if some[0].answer != "runs":
            lines += ["", *wrapped(f"{_called(some)} of {_on(some)}", "  "), *_why(some[0])]
    not_reported = [name for name, at in found.as_of.items() if at is None]
    if not_reported:
        text = f"{hosts_text(not_reported)}: armlevel fleet guests FILE... puts in what armlevel guests --json printed"
        lines += ["", *wrapped(text, "  not reported  ")]
    return lines


def _on(some: Sequence[Leaving]) -> str:
    return hosts_text(list(dict.fromkeys(one.host for one in some)))


def _called(some: Sequence[Leaving]) -> str:
    one, names = some[0], [name for one in some for name in one.names]
    if names:
        return listed_few(names, _FEW)
    if one.level:
        return f"guests of level {one.level}"
    return "any guest" if one.known == "any" else "what starts there now"


def _leaving(some: Sequence[Leaving]) -> tuple[str, ...]:
    one = some[0]
    cpu = f"level {one.level}" if one.level else short_digest(one.guest) if one.guest else "not known"
    if not one.names and not one.level and one.known != "any":
        cpu = "passthrough"
    if one.to:
        where = f"{counted_hosts(len(one.to))}: {hosts_text(one.to)}"
    elif one.silent:
        where = f"cannot be said: {hosts_text(one.silent)} would take it, and nothing came of it for long"
    elif one.unsaid:
        where = f"cannot be said of {hosts_text(one.unsaid)}"
    else:
        where = "nowhere"
    return _on(some), _called(some), cpu, where


def _why(one: Leaving) -> Iterator[str]:
    if one.answer == "unknown" and not one.findings:
        yield from wrapped("what it was born with is not known, and not every guest could go", "    ")
    elif one.answer == "unknown":
        yield from wrapped(unknown_text(one.findings), "    ")
    else:
        yield from Page(load(), explain=False).lines(one.findings)
    if one.start:
        yield from wrapped(f"may be stopped, and started with this CPU on {hosts_text(one.start)}", "    ")
    elif one.answer == "refused":
        yield from wrapped("can be stopped and started elsewhere, with another CPU", "    ")


def rollout(
    pool: PoolName,
    like: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="CANARY",
            help="What the hosts with its cores are to become: a profile, or a host of the fleet. Repeatable.",
        ),
    ] = None,
    saved: Annotated[
        list[str] | None,
        typer.Option(
            "--saved",
            metavar="HOST:GUEST",
            help="A saved image or snapshot on HOST, by its guest profile. Repeatable.",
        ),
    ] = None,
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Say in which order to roll a kernel through a pool, as a canary shows it, and who would lose the way.

    To roll a host its guests go elsewhere. No step takes a way from a guest that another order would have kept. Whether
    there is room is not looked at. The exit status is 0 if every guest and image keeps a way and every host runs the
    level, 1 if one does not, 3 where it cannot be said.
    """
    progress.begin("searching for an order")
    found = fleet_rollout(pool, like or (), fleet, saved=saved or ())
    if as_json:
        say_json(found.document())
    else:
        say(_rollout(found))
    return found.status


def _rollout(found: FleetRolloutResult) -> list[str]:
    count = sum(len(step.hosts) for step in found.order.steps)
    what = f"pool {found.pool} as {' and '.join(found.canaries)}: {counted_hosts(count)} to roll"
    lost = sum(one.count for one in found.lost)
    if lost:
        head = f"{what}; {meant(f'{counted_guests(lost)} would lose the way', 'no')}"
    elif found.not_reported:
        unsaid = meant(f"{counted_hosts(len(found.not_reported))} did not report guests", "unknown")
        head = f"{what}; every guest that is known keeps a way, and {unsaid}"
    else:
        head = f"{what}; {meant('every guest keeps a way', 'yes')}"
    lines = wrapped(head, rest="    ")
    rows = [("step", "roll", "guests go before")]
    rows += [(str(n), _hosts(step), _travels(step)) for n, step in enumerate(found.order.steps, 1)]
    lines += ["", *columns(rows, "  "), ""] if found.order.steps else []
    if not found.order.proven:
        lines += wrapped("more orders than could be searched: a better one may be there", "  order     ")
    lines += _lost(found)
    lines += _beside(found)
    return lines


def _lost(found: FleetRolloutResult) -> list[str]:
    lines: list[str] = []
    alike: dict[tuple[object, ...], list[Lost]] = {}
    for one in found.lost:
        key = (one.guest, one.answer, one.cornered, tuple(str(finding.subject) for finding in one.findings))
        alike.setdefault(key, []).append(one)
    for some in alike.values():
        first, hosts = some[0], list(dict.fromkeys(one.host for one in some))
        end = "may not leave the host that they end on" if first.cornered else "have to be stopped"
        count = counted_guests(sum(one.count for one in some))
        why = "no order keeps a way" if first.answer == "refused" else "no way is certain"
        told = f"{count} of {hosts_text(hosts)} ({found.labels[first.guest]}) {end}: {why}"
        lines += wrapped(told, "  lost      ") + Page(load(), explain=False).lines(first.findings)
    return lines


def _hosts(step: RolloutStep) -> str:
    return hosts_text(step.hosts) + (", one after the other" if len(step.hosts) > 1 else "")


def _travels(step: RolloutStep) -> str:
    if not step.travels and not step.lost:
        return "none has to"
    alike: dict[tuple[str, ...], int] = {}
    for one in step.travels:
        alike[one.target] = alike.get(one.target, 0) + one.rider.count
    texts = [f"{count} to {hosts_text(target)}" for target, count in alike.items()]
    stopped = sum(one.count for one in step.lost)
    return "; ".join([*texts, *([f"{stopped} to be stopped"] if stopped else [])])


def _beside(found: FleetRolloutResult) -> list[str]:
    lines: list[str] = []
    for guest in dict.fromkeys(one.guest for one in found.traps):
        some = [one for one in found.traps if one.guest == guest]
        text = f"{found.labels[guest]}: to a rolled host, not back to one that is not rolled"
        lines += wrapped(text, "  one way   ") + Page(load(), explain=False).lines(some[0].findings)
    for saved in found.saved:
        text = f"{saved.host}, {saved.guest}: {meant(saved.answer)} there once it is rolled"
        if saved.answer != "runs":
            text += (
                f"; restore it before, or on {hosts_text(saved.to)}" if saved.to else "; restore it before"
            )
        lines += wrapped(text, "  saved     ") + Page(load(), explain=False).lines(saved.findings)
    for answer in dict.fromkeys(found.outside.values()):
        outside = [name for name, one in found.outside.items() if one == answer]
        lines += wrapped(f"{hosts_text(outside)}: the level would be {meant(answer)} there", "  outside   ")
    for name, back in found.rollback.items():
        if back != "runs":
            text = f"guests that start on a host like {name} would have no way back: {meant(back)}"
            lines += wrapped(text, "  rollback  ")
    told: Sequence[tuple[str, tuple[str, ...], str]] = (
        ("  stay      ", found.left, "no canary is like them"),
        ("  silent    ", found.silent, "nothing came of them for long; they are left out"),
    )
    for title, names, why in told:
        lines += wrapped(f"{hosts_text(names)}: {why}", title) if names else []
    if found.not_reported:
        text = f"{hosts_text(found.not_reported)}: their guests count as one of the level, or one that starts there now"
        lines += wrapped(text, "  not reported  ")
    return lines
