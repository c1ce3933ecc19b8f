"""The level of a pool: what is in force, what would be, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli import progress
from armlevel.cli.findings import Page
from armlevel.cli.fleet_options import Actor, Fleet, PoolName
from armlevel.cli.options import Json
from armlevel.cli.output import meant, say, say_json, wrapped
from armlevel.operations import Change, Finding
from armlevel.operations.fleet_accept import FleetAcceptResult, fleet_accept
from armlevel.operations.fleet_check import FleetCheckResult, fleet_check
from armlevel.operations.fleet_level import FleetLevelResult, InForce, fleet_level
from armlevel.operations.fleet_standing import Candidate
from armlevel.operations.fleet_why import FleetWhyResult, fleet_why
from armlevel.words.answers import unknown_text
from armlevel.words.fleet import RECOMPUTED, counted_hosts, short_digest
from armlevel.words.subjects import hosts_text, keys_text, listed_few

__all__ = ["accept", "check", "level", "why"]


def level(pool: PoolName, fleet: Fleet = "", as_json: Json = False) -> int:
    """Say which level is in force in a pool, who is outside, and what levelling would give today.

    Nothing moves: accept does. The exit status is 0 if there is a candidate, 1 if there is none, 3 if that cannot be
    said.
    """
    progress.begin("levelling the pool")
    found = fleet_level(pool, fleet)
    if as_json:
        say_json(found.document())
    else:
        say(_level(found))
    return found.status


def _level(found: FleetLevelResult) -> list[str]:
    state, there = found.state, found.in_force
    name, total = state.pool.name, len(state.standings)
    if there is None:
        lines = wrapped(f"pool {name}: no level yet; {counted_hosts(total)}", rest="    ")
    else:
        inside = total - len(state.outside)
        text = (
            f"pool {name}: level {there.level.version} is in force; {inside} of {counted_hosts(total)} run it"
        )
        lines = [*wrapped(text, rest="    "), *_accepted(there)]
    if silent := [one.host.name for one in state.standings if one.silent]:
        text = f"{hosts_text(silent)}: they count as all they were, and let nothing rise"
        lines += wrapped(text, "  silent    ")
    lines += _outside(
        {one.host.name: (one.host.last.kind, str(one.answer)) for one in state.outside}, found.reasons
    )
    if found.same:
        return [*lines, *wrapped("levelling gives the same today", "  candidate ")]
    return [*lines, *_candidate(found.candidate, found.changes, name, first=there is None)]


def _accepted(there: InForce) -> list[str]:
    reason = f": {there.event.entry.reason}" if there.event.entry.reason else ""
    text = f"{there.event.at} by {there.by or 'somebody whose name was forgotten'}{reason}"
    return [*wrapped(text, "  accepted  "), *wrapped(short_digest(there.level.digest), "  digest    ")]


def _outside(
    hosts: Mapping[str, tuple[str, str]], reasons: Mapping[str, Sequence[Finding]], title: str = "outside"
) -> list[str]:
    # Hosts of one kind are told together, with the reasons of that kind.
    lines: list[str] = []
    alike: dict[tuple[str, str], list[str]] = {}
    for name, standing in hosts.items():
        alike.setdefault(standing, []).append(name)
    for (kind, answer), names in alike.items():
        lines += wrapped(f"{hosts_text(names)}: {meant(answer)}", f"  {title:10}")
        lines += Page(load(), explain=False).lines(reasons.get(kind, ()))
    return lines


def _candidate(candidate: Candidate, changes: Sequence[Change], pool: str, *, first: bool) -> list[str]:
    if candidate.result is None:
        return wrapped("none: no host of the pool counts", "  candidate ")
    if candidate.answer == "unknown":
        return wrapped(f"cannot be said: {unknown_text(candidate.result.found.findings)}", "  candidate ")
    if candidate.answer == "refused":
        lines = wrapped("none: these hosts have no guest CPU in common", "  candidate ")
        return [*lines, *Page(load(), explain=False).lines(candidate.result.found.conflicts)]
    how = "a first level" if first else f"another: {changes_text(changes)}"
    lines = wrapped(f"{how}, of {len(candidate.inputs)} kinds of hosts", "  candidate ")
    return [*lines, *wrapped(f"armlevel fleet accept {pool} --reason TEXT", "  to accept ")]


def changes_text(changes: Iterable[Change]) -> str:
    """Return what changes, in few words: features that come and go, else the subjects that differ."""
    told = list(changes)
    features = dict.fromkeys(name for one in told for name in one.features)
    comes = [name[1:] for name in features if name.startswith("+")]
    goes = [name[1:] for name in features if name.startswith("-")]
    texts = []
    if comes:
        texts.append(f"{len(comes)} features come ({listed_few(comes, 4)})")
    if goes:
        texts.append(f"{len(goes)} features go ({listed_few(goes, 4)})")
    others = list(dict.fromkeys(str(one.subject) for one in told if not one.features))
    if others:
        texts.append(f"{keys_text(others[:4])}{f' and {len(others) - 4} more' * (len(others) > 4)} differ")
    return "; ".join(texts) or "nothing changes"


def accept(
    pool: PoolName,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the history.")],
    version: Annotated[
        int | None,
        typer.Option(
            "--version", metavar="N", min=1, help="An earlier version, byte for byte, not the candidate."
        ),
    ] = None,
    lower: Annotated[
        bool, typer.Option("--lower", help="Count hosts outside as what they are, so that they come in.")
    ] = False,
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Put the candidate of a pool into force: it is frozen, as the next version.

    Guests that run keep the CPU that they have. A CPU that was accepted before is the same bytes and the same digest.
    The exit status is 1 if there is no candidate, and 3 if that cannot be said; then nothing moved.
    """
    progress.begin("levelling the pool")
    found = fleet_accept(pool, fleet, reason=reason, version=version, lower=lower, actor=actor)
    if as_json:
        say_json(found.document())
    else:
        say(_accept(found))
    return found.status


def _accept(found: FleetAcceptResult) -> list[str]:
    if found.level is not None and found.moved:
        again = "" if found.again is None else f", byte for byte what version {found.again} was"
        text = f"pool {found.pool}: level {found.level.version} is in force{again}"
        lines = [*wrapped(text, rest="    "), *wrapped(found.level.digest, "  digest    ")]
        if found.outside:
            lines += wrapped(f"{hosts_text(found.outside)}: armlevel fleet level says why", "  outside   ")
        return lines
    now = "there is no level" if found.level is None else f"level {found.level.version} stays in force"
    candidate = found.candidate
    if found.status == 0:
        return wrapped(f"pool {found.pool}: {now}: that is what it is already", rest="    ")
    lines = wrapped(f"pool {found.pool}: {meant('nothing was accepted', 'no')}, and {now}", rest="    ")
    if found.lacking:
        return [*lines, *wrapped(f"not recorded: {', '.join(found.lacking)}", "  candidate ")]
    assert candidate is not None, "something was not accepted"
    return [*lines, *_candidate(candidate, (), found.pool, first=found.level is None)]


def check(
    pool: PoolName,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="HOST",
            help="If it joined: a profile, or a host of the fleet. Repeatable.",
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove", metavar="NAME", help="If these hosts were retired: a name or pattern. Repeatable."
        ),
    ] = None,
    like: Annotated[
        str,
        typer.Option(
            "--as", metavar="HOST", help="If all hosts with the cores of this canary were as it is."
        ),
    ] = "",
    raised: Annotated[bool, typer.Option("--raise", help="Who holds the level down?")] = False,
    lower: Annotated[
        bool, typer.Option("--lower", help="What would it cost to take in the hosts outside?")
    ] = False,
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Try a change of a pool without making it: one question at a time.

    The exit status is 0 where every host concerned would run the level and there would be a candidate, 1 where not, 3
    where it cannot be said.
    """
    progress.begin("levelling the pool")
    found = fleet_check(
        pool, fleet, add=add or (), remove=remove or (), like=like, raised=raised, lower=lower
    )
    if as_json:
        say_json(found.document())
    else:
        say(_check(found))
    return found.status


def _check(found: FleetCheckResult) -> list[str]:
    lines = wrapped(_head(found), rest="    ")
    well = [one.host.name for one in found.hosts if one.answer == "runs"]
    if well:
        lines += wrapped(hosts_text(well), "  inside    ")
    out = {o.host.name: (o.host.last.kind, str(o.answer)) for o in found.hosts if o.outside}
    lines += _outside(out, found.reasons)
    if found.question != "raise":
        lines += _then(found)
    if found.question == "raise" and found.about:
        lines += wrapped(f"{hosts_text(found.about)}: probe them, or retire them", "  silent    ")
    for one in found.blockers:
        text = f"{hosts_text(one.hosts)}: without it {changes_text(one.gains)}"
        lines += wrapped(text, "  held by   ")
    return lines


def _head(found: FleetCheckResult) -> str:
    who = hosts_text(found.about) or "nobody"
    texts = {
        "add": f"if {who} joined",
        "remove": f"if {who} went",
        "as": f"if {who} were so",
        "raise": "to raise the level",
        "lower": f"to take in {who}",
    }
    if found.question == "raise":
        gains = changes_text(found.changes) if found.changes else "levelling gives no more today"
        gains = gains if found.has_level else "there is none yet"
        return f"pool {found.pool}, {texts['raise']}: {gains}"
    stays = "its level stays what it is" if found.has_level else "it has no level yet"
    return f"pool {found.pool}, {texts[found.question]}: {meant(found.answer)}; {stays}"


def _then(found: FleetCheckResult) -> list[str]:
    after = found.after
    if after.cpu is None:
        return _candidate(after, (), found.pool, first=True)
    if not found.changes:
        return wrapped("what it is without that", "  candidate ")
    base = "against the level in force" if found.question == "lower" else "it would change"
    return wrapped(f"{base}: {changes_text(found.changes)}", "  candidate ")


def why(pool: PoolName, fleet: Fleet = "", as_json: Json = False) -> int:
    """Say why the level of a pool is what it is: who accepted it when and why, and which hosts hold it down.

    The level is computed anew from what it was made of, so that a change of the facts that armlevel knows is told apart
    from one of the hosts.
    """
    progress.begin("levelling the pool")
    found = fleet_why(pool, fleet)
    if as_json:
        say_json(found.document())
    else:
        say(_why(found))
    return found.status


def _why(found: FleetWhyResult) -> list[str]:
    there = found.in_force
    text = f"pool {found.pool}: level {there.level.version}, levelled from {counted_hosts(found.hosts)} of "
    text += f"{len(there.level.inputs)} kinds"
    lines = [*wrapped(text, rest="    "), *_accepted(there)]
    lines += wrapped(RECOMPUTED[found.recomputed], "  anew      ")
    if found.before is not None:
        lines += wrapped(f"against version {found.before}: {changes_text(found.changes)}", "  changed   ")
    for one in found.held:
        since = f" since {one.since[:10]}" if one.since else ""
        text = f"{hosts_text(one.blocker.hosts)}{since}: without it {changes_text(one.blocker.gains)}"
        lines += wrapped(text, "  held by   ")
    if found.moved:
        lines += wrapped(
            f"{hosts_text(found.moved)}: of another kind now than when they counted", "  moved     "
        )
    return lines
