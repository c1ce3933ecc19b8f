"""Whether hosts still run a guest, for CI and cron; and what changed on them, with the likely cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli.answers import given_lines, open_lines
from armlevel.cli.findings import Page
from armlevel.cli.options import Explain, Facts, HostFiles, Json
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.operations import Answer, Drift, Moved, Part, worst
from armlevel.operations.drift import drift
from armlevel.operations.named import guest_named, hosts_named
from armlevel.words.answers import judged_text

__all__ = ["run"]


def run(
    hosts: HostFiles,
    guest: Annotated[
        str,
        typer.Option("--guest", metavar="GUEST", help="The guest; else each old host's passthrough guest."),
    ] = "",
    since: Annotated[
        list[str] | None,
        typer.Option(
            "--since", metavar="HOST", help="The hosts as they were recorded before, by name. Repeatable."
        ),
    ] = None,
    fact: Facts = None,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether hosts still run a guest, and what changed on them.

    A host must still receive the guest, and start it if the guest is born there. With --since each host is compared
    with itself as it was, and every change that a guest may notice is shown with its likely cause.
    Exit: 0 all do, 1 some host no longer does, 3 cannot say, also where it is not recorded what changed.
    """
    now, given = hosts_named(hosts, fact or ())
    old, _ = hosts_named(since) if since else ([], ())
    found = drift(now, guest_named(guest) if guest else None, old, given=given)
    if as_json:
        say_json(found.document())
    else:
        page = Page(load(), explain=explain)
        details = (line for one in found.hosts for line in _details(one, page))
        say([*given_lines(given), *_table(found.hosts), *details])
    return found.status


def _table(found: Sequence[Drift]) -> list[str]:
    rows = [("host", "start", "arrive", "changes", "judged")]
    for one in found:
        verdict = one.verdict
        start = meant(verdict.start) if one.born_here else "not born here"
        both: dict[Part, Answer] = {
            part: worst(sides) if one.born_here else sides[1] for part, sides in verdict.parts.items()
        }
        real = sum(moved.real for moved in one.changes)
        # Of what one recording lacks it is not known whether it changed.
        count = f"{real}{' or more' if one.not_compared else ''}" if one.since else "-"
        rows.append((one.host, start, meant(verdict.arrive), count, judged_text(both, verdict.findings)))
    return columns(rows, "  ")


def _details(one: Drift, page: Page) -> list[str]:
    lines: list[str] = []
    findings = [f for f in one.verdict.findings if one.born_here or "arrive" in f.applies]
    if one.answer != "runs" and findings:
        lines += ["", *wrapped(f"{one.host}: {meant(one.answer)}", rest="  "), *page.lines(findings)]
    if one.changes:
        since = f" since {one.since}" if one.since != one.host else ""
        lines += ["", f"{one.host} changed{since}:"]
        rows = [("  subject", "from", "to", "cause", "what brought it")]
        for moved in one.changes:
            change = moved.change
            rows.append(
                (f"  {change.subject}", change.before or "-", change.after or "-", moved.cause, _why(moved))
            )
        lines += columns(rows)
    lines += open_lines(one.not_compared, f"{one.host}: not compared", explain=page.explain)
    return lines


def _why(moved: Moved) -> str:
    features = " ".join(moved.change.features)
    if moved.known is not None:
        row = moved.known
        line = ".".join(map(str, row.series))
        when = f"{line}.{row.has}" if row.had == row.has else f"{line}.{row.had + 1} to {line}.{row.has}"
        return f"{row.why} ({when})"
    if not moved.real:
        return "every KVM lists it: the recording left it out"
    return features
