"""Whether hosts still run a guest, for CI and cron; and what changed on them, with the likely cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from armlevel.arch import load
from armlevel.cli.answers import exit_of, findings_json, given_json, given_lines, judged_text, open_lines
from armlevel.cli.findings import Page
from armlevel.cli.inputs import Given, guest_of, hosts_named
from armlevel.cli.options import Explain, Facts, HostFiles, Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.engine import Answer, Drift, Moved, Part, drift, passthrough, worst
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host

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
    Exit: 0 all do, 1 some host no longer does, 3 cannot say.
    """
    catalogue = load()
    now, given = hosts_named(hosts, fact or ())
    old, _ = hosts_named(since) if since else ([], ())
    if not guest and not old:
        raise UsageError("neither a guest nor older recordings", hint="give --guest GUEST or --since HOST")
    before = _paired(now, old)
    named = guest_of(guest, catalogue) if guest else None
    found = []
    for host in now:
        earlier = before.get(host.name)
        if earlier is not None:
            earlier = _same_machine(earlier, [one for one in given if one.host == host.name])
        wanted: Guest | None = named
        if wanted is None and earlier is not None:
            wanted = passthrough(earlier, catalogue)
        if wanted is None:
            raise UsageError(f"{host.name}: nothing older is recorded of it", hint="give --guest GUEST")
        found.append(drift(host, wanted, catalogue, earlier))
    if as_json:
        answer = worst(one.answer for one in found)
        say_json({"answer": answer, "hosts": [_json(one) for one in found]} | given_json(given))
    else:
        page = Page(catalogue, explain=explain)
        say([*given_lines(given), *_table(found), *(line for one in found for line in _details(one, page))])
    return exit_of(one.answer for one in found)


def _paired(now: Sequence[Host], old: Sequence[Host]) -> dict[str, Host]:
    by_name = {host.name: host for host in old}
    pairs = {host.name: by_name[host.name] for host in now if host.name in by_name}
    if not pairs and len(now) == len(old) == 1:
        return {now[0].name: old[0]}
    if strange := [host.name for host in old if host.name not in pairs]:
        hint = "hosts are compared with those of the same name; or compare one with one"
        raise UsageError(f"--since: no host here is called {strange[0]}", hint=hint)
    return pairs


def _same_machine(earlier: Host, given: Sequence[Given]) -> Host:
    # What a person says of a host now was as true of it then.
    told: dict[str, Any] = {one.fact: one.value for one in given if getattr(earlier.facts, one.fact) is None}
    return replace(earlier, facts=replace(earlier.facts, **told)) if told else earlier


def _table(found: Sequence[Drift]) -> list[str]:
    rows = [("host", "start", "arrive", "changes", "judged")]
    for one in found:
        verdict = one.verdict
        start = verdict.start if one.born_here else "not born here"
        both: dict[Part, Answer] = {
            part: worst(sides) if one.born_here else sides[1] for part, sides in verdict.parts.items()
        }
        real = sum(moved.real for moved in one.changes)
        count = str(real) if one.since else "-"
        rows.append((one.host, start, verdict.arrive, count, judged_text(both, verdict.findings)))
    return columns(rows, "  ")


def _details(one: Drift, page: Page) -> list[str]:
    lines: list[str] = []
    findings = [f for f in one.verdict.findings if one.born_here or "arrive" in f.applies]
    if one.answer != "runs" and findings:
        lines += ["", *wrapped(f"{one.host}: {one.answer}", rest="  "), *page.lines(findings)]
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


def _json(one: Drift) -> dict[str, object]:
    return {
        "host": one.host,
        "guest": one.verdict.guest,
        "answer": one.answer,
        "start": one.verdict.start,
        "arrive": one.verdict.arrive,
        "born_here": one.born_here,
        "since": one.since or None,
        "changes": [_change(moved) for moved in one.changes],
        "not_compared": list(one.not_compared),
        "findings": findings_json(one.verdict.findings),
    }


def _change(moved: Moved) -> dict[str, object]:
    change, row = moved.change, moved.known
    return {
        "subject": change.subject,
        "part": change.part,
        "from": change.before,
        "to": change.after,
        "direction": change.direction,
        "features": list(change.features),
        "cause": moved.cause,
        "known": None
        if row is None
        else {
            "line": ".".join(map(str, row.series)),
            "had": row.had,
            "has": row.has,
            "why": row.why,
            "see": row.see,
        },
    }
