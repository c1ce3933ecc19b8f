"""What changes no answer, and a person should know: errata, hidden instructions, mitigations, implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from armlevel.arch import Catalogue
from armlevel.engine import Finding
from armlevel.engine.findings import RemedyKind
from armlevel.engine.subjects import SubjectKind
from armlevel.engine.values import NOT_RECORDED, Implementations, Names, Value
from armlevel.profile import Implementation
from armlevel.words.remedies import option_text
from armlevel.words.subjects import core_name, hosts_text, listed_few
from armlevel.words.values import value_text

__all__ = ["reasons_shown", "risk_text"]

_FEW = 6
_HELP: tuple[RemedyKind, ...] = ("implementation", "pin", "serve-targets")
_REASONED = ("errata.missed", "errata.needless", "implementation.identity")


def risk_text(finding: Finding, catalogue: Catalogue, *, explain: bool) -> str:
    """Return a sentence or two for a finding of ``armlevel.engine.RISKS``; ``explain`` leaves no name out."""
    return _WORDS[finding.subject.kind](finding, catalogue, explain)


def reasons_shown(finding: Finding) -> bool:
    """Whether the reasons of such a finding say more than its sentence."""
    return finding.subject.kind in _REASONED


def _names(value: Value) -> tuple[str, ...]:
    return value.names if isinstance(value, Names) else ()


def _implementations(value: Value) -> tuple[Implementation, ...]:
    return value.shown if isinstance(value, Implementations) else ()


def _by_value(offers: Iterable[tuple[str, Value]], *, every: bool) -> Mapping[Value, str]:
    # What is told of hosts -> which hosts.
    hosts: dict[Value, list[str]] = {}
    for host, value in offers:
        hosts.setdefault(value, []).append(host)
    return {value: hosts_text(names, every=every) for value, names in hosts.items()}


def _shown_core(finding: Finding, catalogue: Catalogue) -> str:
    (shown,) = _implementations(finding.needs[0])
    return core_name(shown, catalogue)


def _core(name: str, catalogue: Catalogue) -> str:
    # A target that is no host of these goes by its MIDR_EL1.
    return core_name(Implementation(int(name, 16)), catalogue) if name.startswith("0x") else name


def _missed(finding: Finding, catalogue: Catalogue, explain: bool) -> str:  # noqa: FBT001 - one signature for all
    offers = [(_core(host, catalogue), value) for host, value in finding.offers]
    errata = "; ".join(
        f"{listed_few(_names(value), _FEW, every=explain)} of {hosts}"
        for value, hosts in _by_value(offers, every=explain).items()
    )
    ways = [option_text(remedy) for remedy in finding.remedies if remedy.kind in _HELP]
    help_ = f". What helps: {', or '.join(ways)}" if ways else ""
    return (
        f"errata: a guest told it runs on {_shown_core(finding, catalogue)} does not look for {errata}{help_}"
    )


def _needless(finding: Finding, catalogue: Catalogue, explain: bool) -> str:  # noqa: FBT001
    names = listed_few(_names(finding.offers[0][1]), _FEW, every=explain)
    return f"errata: as {_shown_core(finding, catalogue)} the guest works around {names}, which no host has"


def _hidden(finding: Finding, _: Catalogue, explain: bool) -> str:  # noqa: FBT001
    features = "; ".join(
        f"{listed_few([name.removeprefix('FEAT_') for name in _names(value)], _FEW, every=explain)} on {hosts}"
        for value, hosts in _by_value(finding.offers, every=explain).items()
    )
    where = "on one host and fails on another" if finding.severity == "risk" else "all the same"
    return (
        f"hidden, not disabled: a program that does not ask for {features} runs {where}. "
        "Hiding is not a security boundary"
    )


def _mitigations(finding: Finding, _: Catalogue, explain: bool) -> str:  # noqa: FBT001
    lowered = "; ".join(
        f"{value_text(value)} ({hosts})" for value, hosts in _by_value(finding.offers, every=explain).items()
    )
    return (
        f"mitigations: the guest is told of less protection from speculation: {lowered}. "
        "It falls back to other means; the profile is not a security boundary"
    )


def _identity(finding: Finding, catalogue: Catalogue, explain: bool) -> str:  # noqa: FBT001
    hosts = hosts_text([host for host, _ in finding.offers], every=explain)
    core = _shown_core(finding, catalogue)
    return f"implementation: {hosts} runs as {core}; what picks code by MIDR_EL1 picks for that"


def _targets(finding: Finding, catalogue: Catalogue, _: bool) -> str:  # noqa: FBT001
    host, unlisted = finding.offers[0]
    cores = ", ".join(core_name(one, catalogue) for one in _implementations(unlisted))
    return f"implementation: {host} ({cores}) is not in the guest's list of target implementations, fixed at boot"


def _interrupt_controller(finding: Finding, _: Catalogue, explain: bool) -> str:  # noqa: FBT001
    lacking = [host for host, value in finding.offers if value != NOT_RECORDED]
    unknown = [host for host, value in finding.offers if value == NOT_RECORDED]
    said = [f"{hosts_text(lacking, every=explain)} cannot give it one"] if lacking else []
    said += [f"whether {hosts_text(unknown, every=explain)} can is not recorded"] if unknown else []
    return (
        "interrupt controller: a guest with ID_AA64PFR0_EL1.GIC 0 has a GICv2 (QEMU: gic-version=2); "
        f"{'; '.join(said)}, and beside a GICv3 no guest sees 0"
    )


_WORDS: Mapping[SubjectKind, Callable[[Finding, Catalogue, bool], str]] = {
    "errata.missed": _missed,
    "errata.needless": _needless,
    "instructions.hidden": _hidden,
    "mitigations": _mitigations,
    "implementation.identity": _identity,
    "implementation.targets": _targets,
    "interrupt-controller": _interrupt_controller,
}
