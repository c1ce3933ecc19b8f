"""What changes no answer, and a person should know: errata, hidden instructions, mitigations, implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from armlevel.arch import Catalogue
from armlevel.cli.output import wrapped
from armlevel.cli.subjects import core_name, hosts_text
from armlevel.cli.words import listed_few
from armlevel.engine import RISKS, Finding
from armlevel.profile import Implementation

__all__ = ["caution_lines", "cautions_in"]

_FEW = 6


def cautions_in(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Split findings into those that this module words, and the others."""
    ours: list[Finding] = []
    others: list[Finding] = []
    for finding in findings:
        (ours if finding.subject in RISKS else others).append(finding)
    return ours, others


def caution_lines(findings: Sequence[Finding], catalogue: Catalogue, *, explain: bool) -> list[str]:
    """Return a paragraph for each finding; notes only with ``explain``."""
    lines: list[str] = []
    for finding in findings:
        if finding.severity == "note" and not explain:
            continue
        lines += wrapped(_WORDS[finding.subject](finding, catalogue, explain), f"  {finding.severity:7}  ")
        if explain:
            reasons = finding.because if finding.subject in _REASONED else ()
            for text in reasons:
                lines += wrapped(text, "  why      ")
    return lines


_REASONED = ("errata.missed", "errata.needless", "implementation.identity")


def _by_text(offers: Iterable[tuple[str, str]], *, every: bool) -> Mapping[str, str]:
    # What is told of hosts -> which hosts.
    hosts: dict[str, list[str]] = {}
    for host, text in offers:
        hosts.setdefault(text, []).append(host)
    return {text: hosts_text(names, every=every) for text, names in hosts.items()}


def _painted(finding: Finding, catalogue: Catalogue) -> str:
    return core_name(Implementation(int(finding.needs[0], 16)), catalogue)


def _core(name: str, catalogue: Catalogue) -> str:
    # A target that is no host of these goes by its MIDR_EL1.
    return core_name(Implementation(int(name, 16)), catalogue) if name.startswith("0x") else name


def _missed(finding: Finding, catalogue: Catalogue, explain: bool) -> str:
    offers = [(_core(host, catalogue), text) for host, text in finding.offers]
    told = "; ".join(
        f"{listed_few(text.split(), _FEW, every=explain)} of {hosts}"
        for text, hosts in _by_text(offers, every=explain).items()
    )
    ways = [way for remedy in finding.remedies if (way := _way(remedy.do, remedy.what, remedy.hosts))]
    help_ = f". What helps: {', or '.join(ways)}" if ways else ""
    return f"errata: a guest told it runs on {_painted(finding, catalogue)} does not look for {told}{help_}"


def _way(do: str, what: str, hosts: Sequence[str]) -> str:
    if do == "implementation":
        return f"--implementation {hosts[0] if hosts else what}"
    if do == "pin":
        return f"--pin {what}"
    return "a VMM that serves the list of target implementations" if do == "serve-targets" else ""


def _needless(finding: Finding, catalogue: Catalogue, explain: bool) -> str:
    names = listed_few(finding.offers[0][1].split(), _FEW, every=explain)
    return f"errata: as {_painted(finding, catalogue)} the guest works around {names}, which no host has"


def _hidden(finding: Finding, _: Catalogue, explain: bool) -> str:
    told = "; ".join(
        f"{listed_few([name.removeprefix('FEAT_') for name in text.split()], _FEW, every=explain)} on {hosts}"
        for text, hosts in _by_text(finding.offers, every=explain).items()
    )
    where = "on one host and fails on another" if finding.severity == "risk" else "all the same"
    return (
        f"hidden, not disabled: a program that does not ask for {told} runs {where}. "
        "Hiding is not a security boundary"
    )


def _mitigations(finding: Finding, _: Catalogue, explain: bool) -> str:
    told = "; ".join(f"{text} ({hosts})" for text, hosts in _by_text(finding.offers, every=explain).items())
    return (
        f"mitigations: the guest is told of less protection from speculation: {told}. "
        "It falls back to other means; the profile is not a security boundary"
    )


def _identity(finding: Finding, catalogue: Catalogue, explain: bool) -> str:
    hosts = hosts_text([host for host, _ in finding.offers], every=explain)
    return f"implementation: {hosts} runs as {_painted(finding, catalogue)}; what picks code by MIDR_EL1 picks for that"


def _targets(finding: Finding, catalogue: Catalogue, _: bool) -> str:
    host, midrs = finding.offers[0]
    cores = ", ".join(core_name(Implementation(int(text, 16)), catalogue) for text in midrs.split())
    if finding.needs:
        return (
            f"implementation: whether {host} ({cores or 'core not recorded'}) is in the guest's list of target "
            "implementations is not known: a number of it is not recorded"
        )
    return f"implementation: {host} ({cores}) is not in the guest's list of target implementations, fixed at boot"


_WORDS: Mapping[str, Callable[[Finding, Catalogue, bool], str]] = {
    "errata.missed": _missed,
    "errata.needless": _needless,
    "instructions.hidden": _hidden,
    "mitigations": _mitigations,
    "implementation.identity": _identity,
    "implementation.targets": _targets,
}
