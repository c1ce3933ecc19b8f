"""One guest on many hosts: what each part answers, from compiled hosts; reasons for the host that somebody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from armlevel.arch import Catalogue
from armlevel.engine.findings import Answer, Finding, Late, Part, Verdict
from armlevel.engine.policy import Policy
from armlevel.engine.screen.compiled import GuestVector, Screen
from armlevel.engine.verdict import check
from armlevel.profile import Guest, Host, kind_digest

__all__ = ["checks"]

Parts = Mapping[Part, tuple[Answer, Answer]]


def checks(
    guest: Guest, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy | None = None
) -> tuple[Verdict, ...]:
    """Judge one guest on each of some hosts, as :func:`armlevel.engine.verdict.check` does.

    Hosts of one kind are asked once. Of a host without an offer for the shape of the guest little is asked, in full.
    """
    screen = Screen(catalogue)
    compiled = screen.guest(guest, policy)
    known: dict[str, Parts] = {}
    verdicts = []
    for host in hosts:
        findings = Late(partial(_findings, guest, host, catalogue, policy))
        kind = kind_digest(host)
        if kind not in known:
            known[kind] = _parts(screen, compiled, host)
        verdicts.append(Verdict(guest.name, host.name, known[kind], findings))
    return tuple(verdicts)


def _parts(screen: Screen, guest: GuestVector, host: Host) -> Parts:
    asked = guest.view
    offer = host.offer(asked.guest.shape)
    if offer is None:
        return check(asked.guest, host, screen.catalogue, asked.policy).parts
    return screen.answers(guest, screen.host(host, offer))


def _findings(guest: Guest, host: Host, catalogue: Catalogue, policy: Policy | None) -> Sequence[Finding]:
    return check(guest, host, catalogue, policy).findings
