"""Whether hosts still run a guest, for CI and cron; and what changed on them, with the likely cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli import progress
from armlevel.cli.answers import given_lines, open_lines
from armlevel.cli.findings import Page, means_lines, way_lines
from armlevel.cli.many import counted, many_lines, many_ways
from armlevel.cli.options import Explain, Facts, HostFiles, Json, Key, Means, Names, Tolerate, Vmm
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.errors import UsageError
from armlevel.operations import Answer, Drift, Moved, Part, Verdict, worst
from armlevel.operations.drift import DriftResult, drift
from armlevel.operations.named import guest_named, hosts_named, source_named
from armlevel.operations.policies import policy_of
from armlevel.operations.ways_out import WaysOut, vmm_family
from armlevel.words.answers import judged_text, not_judged_text
from armlevel.words.changes import change_text
from armlevel.words.subjects import hosts_text

__all__ = ["run"]

_HEADS = ("  subject", "from", "to", "cause", "what brought it")
#: Beyond so many hosts what is true of several is told once.
_MANY = 4
#: For so many kinds of hosts remedies are tried then; with --json for all.
_TRIED = 12
_CHANGES = 6
_ONE: dict[Answer, str] = {
    "runs": "{} still runs",
    "refused": "{} no longer runs",
    "unknown": "cannot say whether {} still runs",
}


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
    key: Key = None,
    vmm: Vmm = "kvm",
    means: Means = "",
    tolerate: Tolerate = None,
    fact: Facts = None,
    names: Names = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether hosts still run a guest, and what changed on them.

    A host must still receive the guest, and start it if the guest is born there. With --since each host is compared
    with itself as it was, and every change that a guest may notice is shown with its likely cause.
    Exit: 0 all do, 1 some host no longer does, 3 cannot say, also where it is not recorded what changed.
    """
    progress.begin("judging hosts")
    if key and not guest:
        raise UsageError("--key without --guest", hint="it says whose signature a frozen GUEST has to have")
    now, given = hosts_named(hosts, fact or ())
    old, _ = hosts_named(since) if since else ([], ())
    found = drift(
        now,
        guest_named(guest, vmm=vmm_family(vmm), keys=key or ()) if guest else None,
        old,
        policy_of(tolerate=tolerate),
        given=given,
        source=source_named(guest) if guest else None,
        means=means,
        vmm=vmm,
    )
    if as_json:
        say_json(found.document())
    else:
        lines = [*_answer(found, guest), *given_lines(given), ""]
        if explain or len(found.hosts) <= _MANY:
            page = Page(load(), explain=explain)
            lines += _table(found.hosts)
            for one, ways in zip(found.hosts, found.ways_out(), strict=True):
                lines += _details(one, page, ways)
        else:
            lines += many_lines([_for_its_place(one) for one in found.hosts], names=names)
            lines += many_ways(*found.ways_out_of_some(_TRIED), found.source.name if found.source else "")
            lines += _changes_of_many(found.hosts, names=names)
        say(lines)
    return found.status


def _answer(found: DriftResult, guest: str) -> list[str]:
    total = len(found.hosts)
    runs = sum(one.answer == "runs" for one in found.hosts)
    doubt = sum(one.answer == "unknown" for one in found.hosts)
    what = f"the guest {guest}" if guest else "what ran there"
    text = f"{counted(runs, total)} hosts still {'run' if runs != 1 else 'runs'} {what}"
    text += f"; of {doubt} that cannot be said" if doubt else ""
    if total == 1:
        (one,) = found.hosts
        text = f"{_ONE[one.answer].replace('{}', one.host)} {what}"
    if any(one.since for one in found.hosts):
        changed = sum(any(moved.real for moved in one.changes) for one in found.hosts)
        open_ = sum(bool(one.not_compared) for one in found.hosts)
        text += f"; {changed} changed" + (f", of {open_} not everything was compared" if open_ else "")
    asked = {part for one in found.hosts for part in one.verdict.parts}
    return wrapped(text + not_judged_text(asked, [one.answer for one in found.hosts]), rest="    ")


def _for_its_place(one: Drift) -> Verdict:
    # Where the guest only arrives, starting is not asked for.
    if one.born_here:
        return one.verdict
    parts = {part: (arrive, arrive) for part, (_, arrive) in one.verdict.parts.items()}
    findings = tuple(finding for finding in one.verdict.findings if "arrive" in finding.applies)
    return replace(one.verdict, parts=parts, findings=findings)


def _changes_of_many(found: Sequence[Drift], *, names: bool) -> list[str]:
    # Hosts that changed alike are told together.
    alike: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for one in found:
        if rows := tuple(_row(moved) for moved in one.changes):
            alike.setdefault(rows, []).append(one.host)
    lines: list[str] = []
    for rows, hosts in sorted(alike.items(), key=lambda pair: -len(pair[1])):
        shown = rows if names else rows[:_CHANGES]
        title = f"{counted(len(hosts), len(found))} changed in {len(rows)} place{'s' * (len(rows) > 1)}"
        lines += ["", *wrapped(f"{title}: {hosts_text(hosts, every=names)}", rest="  ")]
        lines += columns([_HEADS, *shown])
        lines += [f"  and {len(rows) - len(shown)} more: --names"] if len(shown) < len(rows) else []
    return lines


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


def _details(one: Drift, page: Page, ways: WaysOut) -> list[str]:
    lines: list[str] = []
    findings = [f for f in one.verdict.findings if one.born_here or "arrive" in f.applies]
    if one.answer != "runs" and findings:
        lines += ["", *wrapped(f"{one.host}: {meant(one.answer)}", rest="  "), *page.lines(findings)]
        lines += [*means_lines(ways), *way_lines(ways.remedies)]
    if one.changes:
        since = f" since {one.since}" if one.since != one.host else ""
        lines += ["", f"{one.host} changed{since}:"]
        lines += columns([_HEADS, *map(_row, one.changes)])
    lines += open_lines(one.not_compared, f"{one.host}: not compared", explain=page.explain)
    return lines


def _row(moved: Moved) -> tuple[str, ...]:
    change = moved.change
    was, now = (change_text(side, change.subject) or "-" for side in (change.before, change.after))
    return (f"  {change.subject}", was, now, moved.cause, _why(moved))


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
