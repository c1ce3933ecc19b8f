"""Whether a guest may start and arrive on hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from armlevel.arch import load
from armlevel.cli import progress
from armlevel.cli.answers import given_lines
from armlevel.cli.findings import Page, means_lines, way_lines
from armlevel.cli.many import ANOTHER, counted, judged_of, many_lines, many_ways
from armlevel.cli.options import (
    AcceptWeaker,
    AssumeSameImpdef,
    Explain,
    Facts,
    GuestFile,
    HostFiles,
    Json,
    Key,
    Means,
    Names,
    Tolerate,
    Vmm,
)
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.operations import Finding, Verdict
from armlevel.operations.check import CheckResult, check
from armlevel.operations.named import guest_named, hosts_named, source_named
from armlevel.operations.policies import policy_of
from armlevel.operations.ways_out import WaysOut, vmm_family
from armlevel.profile import Guest
from armlevel.words.answers import not_judged_text
from armlevel.words.subjects import hosts_text, shape_text

__all__ = ["run"]

#: Beyond so many hosts the same reasons are told once for all of them.
_MANY = 4
#: For so many kinds of hosts remedies are tried then; with --json for all.
_TRIED = 12


def run(
    guest: GuestFile,
    hosts: HostFiles,
    key: Key = None,
    vmm: Vmm = "kvm",
    means: Means = "",
    tolerate: Tolerate = None,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    names: Names = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether a guest may start and arrive on hosts.

    Start: a guest booted there sees exactly the profile. Arrive: a guest that holds these values is accepted, and
    what it learnt at boot stays true. The parts are shape, registers, register list, firmware and facts; and the
    machine (interrupt controller, memory map, stolen time) of a guest that records what it was given.
    """
    progress.begin("judging hosts")
    wanted = guest_named(guest, vmm=vmm_family(vmm), keys=key or ())
    there, given = hosts_named(hosts, fact or ())
    policy = policy_of(
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    found = check(wanted, there, policy, given=given, source=source_named(guest), means=means, vmm=vmm)
    if as_json:
        say_json(found.document())
    else:
        head = [*_head(wanted, found.verdicts), *given_lines(given), ""]
        if explain or len(found.verdicts) <= _MANY:
            page = Page(load(), explain=explain)
            say([*head, *_table(found.verdicts), *_findings(found, page)])
        else:
            ways = many_ways(*found.ways_out_of_some(_TRIED), found.source.name if found.source else "")
            say([*head, *many_lines(found.verdicts, names=names), *ways])
    return found.status


def _head(guest: Guest, verdicts: Sequence[Verdict]) -> list[str]:
    starts = f"; may start on {hosts_text(guest.starts_on)}" if guest.starts_on else ""
    return [
        *wrapped(f"guest {guest.name}{_answer(verdicts)}", rest="    "),
        *wrapped(f"shape {shape_text(guest.shape)}{starts}", "  "),
    ]


def _answer(verdicts: Sequence[Verdict]) -> str:
    if len(verdicts) == 1:
        (one,) = verdicts
        answers = f" on {one.host}: start {meant(one.start)}, arrive {meant(one.arrive)}"
        return answers + not_judged_text(one.parts, (one.start, one.arrive))
    total = len(verdicts)
    start, arrive = ([one.start for one in verdicts], [one.arrive for one in verdicts])
    text = (
        f": {counted(start.count('runs'), total)} hosts may start it, "
        f"{counted(arrive.count('runs'), total)} may receive it"
    )
    doubt = sum("unknown" in pair and "refused" not in pair for pair in zip(start, arrive, strict=True))
    text += f"; of {doubt} that cannot be said" if doubt else ""
    asked = {part for one in verdicts for part in one.parts}
    return text + not_judged_text(asked, {*start, *arrive})


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    rows = [("host", "start", "arrive", "judged")]
    rows += [(one.host, meant(one.start), meant(one.arrive), judged_of(one)) for one in verdicts]
    return columns(rows, "  ")


def _findings(result: CheckResult, page: Page) -> list[str]:
    # Hosts of which the same is to be said are told together.
    alike: dict[tuple[Finding, ...], list[tuple[Verdict, WaysOut]]] = {}
    for verdict, ways in zip(result.verdicts, result.ways_out(), strict=True):
        nameless = tuple(_nameless(finding) for finding in verdict.findings)
        alike.setdefault(nameless, []).append((verdict, ways))
    lines: list[str] = []
    for findings, some in alike.items():
        means = dict.fromkeys(line for _, ways in some for line in means_lines(ways))
        remedies = way_lines(way for _, ways in some for way in ways.remedies)
        if found := [*page.lines(findings), *means, *remedies]:
            names = [verdict.host for verdict, _ in some]
            lines += ["", *wrapped(f"{hosts_text(names, every=page.explain)}:", rest="  "), *found]
    return lines


def _nameless(finding: Finding) -> Finding:
    return replace(
        finding,
        offers=tuple((ANOTHER, value) for _, value in finding.offers),
        remedies=tuple(
            replace(remedy, hosts=(ANOTHER,) if remedy.hosts and remedy.kind != "fact" else ())
            for remedy in finding.remedies
        ),
    )
