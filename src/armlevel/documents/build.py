"""Validated verdicts to values, with the check that needs more than one place of a document."""

from __future__ import annotations

from armlevel.documents.maps import Faults
from armlevel.documents.models import VerdictModel
from armlevel.engine.findings import Finding, Remedy, Verdict

__all__ = ["verdict_of"]


def verdict_of(model: VerdictModel, faults: Faults) -> Verdict:
    """Build a verdict from its validated document; its two answers must be those of its parts."""
    parts = {part: (answers.start, answers.arrive) for part, answers in model.parts.items()}
    findings = tuple(
        Finding(
            finding.subject,
            finding.part,
            finding.severity,
            tuple(finding.needs),
            tuple(finding.offers.items()),
            finding.cause,
            tuple(finding.applies),
            tuple(finding.because),
            tuple(Remedy(remedy.do, remedy.what, tuple(remedy.hosts)) for remedy in finding.remedies),
            messages=tuple(finding.messages),
        )
        for finding in model.findings
    )
    verdict = Verdict(model.guest, model.host, parts, findings)
    for side, said, follows in (
        ("start", model.start, verdict.start),
        ("arrive", model.arrive, verdict.arrive),
    ):
        if said != follows:
            faults.add(side, f"{said!r}, but its parts say {follows!r}")
    return verdict
