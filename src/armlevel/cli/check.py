"""Whether a guest may start and arrive on hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from armlevel.arch import load
from armlevel.cli.answers import given_lines
from armlevel.cli.findings import Page
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Explain, Facts, GuestFile, HostFiles, Json
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.operations import Answer, Finding, HostName, Part, Verdict, worst
from armlevel.operations.check import check
from armlevel.operations.named import guest_named, hosts_named
from armlevel.operations.policies import policy_of
from armlevel.profile import Guest
from armlevel.words.answers import judged_text
from armlevel.words.subjects import hosts_text, shape_text

__all__ = ["run"]

_THE_HOST = HostName("the host")


def run(
    guest: GuestFile,
    hosts: HostFiles,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether a guest may start and arrive on hosts.

    Start: a guest booted there sees exactly the profile. Arrive: a guest that holds these values is accepted, and
    what it learnt at boot stays true. The parts are shape, registers, register list, firmware and facts; the virtual
    interrupt controller and the size of guest-physical addresses are not judged.
    """
    wanted = guest_named(guest)
    there, given = hosts_named(hosts, fact or ())
    policy = policy_of(
        assume_same_impdef=assume_same_impdef, accept_weaker_mitigation=accept_weaker_mitigation
    )
    found = check(wanted, there, policy, given=given)
    if as_json:
        say_json(found.document())
    else:
        page = Page(load(), explain=explain)
        table, findings = _table(found.verdicts), _findings(found.verdicts, page)
        say([*_guest_lines(wanted), *given_lines(given), "", *table, *findings])
    return found.status


def _guest_lines(guest: Guest) -> list[str]:
    starts = f"; may start on {hosts_text(guest.starts_on)}" if guest.starts_on else ""
    return wrapped(f"guest {guest.name}: shape {shape_text(guest.shape)}{starts}", rest="    ")


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    rows = [("host", "start", "arrive", "judged")]
    for verdict in verdicts:
        both: dict[Part, Answer] = {
            part: worst(sides) if "unknown" not in sides else "unknown"
            for part, sides in verdict.parts.items()
        }
        rows.append(
            (verdict.host, meant(verdict.start), meant(verdict.arrive), judged_text(both, verdict.findings))
        )
    return columns(rows, "  ")


def _findings(verdicts: Sequence[Verdict], page: Page) -> list[str]:
    # Hosts of which the same is to be said are told together.
    alike: dict[tuple[Finding, ...], list[str]] = {}
    for verdict in verdicts:
        nameless = tuple(_nameless(finding) for finding in verdict.findings)
        alike.setdefault(nameless, []).append(verdict.host)
    lines: list[str] = []
    for findings, names in alike.items():
        if findings:
            lines += [
                "",
                *wrapped(f"{hosts_text(names, every=page.explain)}:", rest="  "),
                *page.lines(findings),
            ]
    return lines


def _nameless(finding: Finding) -> Finding:
    return replace(
        finding,
        offers=tuple((_THE_HOST, value) for _, value in finding.offers),
        remedies=tuple(
            replace(remedy, hosts=(_THE_HOST,) if remedy.hosts and remedy.kind != "fact" else ())
            for remedy in finding.remedies
        ),
    )
