"""What changes no answer, and a person should know, as paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from armlevel.arch import Catalogue
from armlevel.cli.output import meant, wrapped
from armlevel.operations import RISKS, Finding
from armlevel.words.reasons import reason_text
from armlevel.words.risks import reasons_shown, risk_text

__all__ = ["caution_lines", "cautions_in"]


def cautions_in(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Split findings into risks, which have a paragraph each, and the others."""
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
        text = risk_text(finding, catalogue, explain=explain)
        lines += wrapped(text, f"  {meant(finding.severity)}{'':{9 - len(finding.severity)}}")
        if explain and reasons_shown(finding):
            for reason in finding.because:
                lines += wrapped(reason_text(reason), "  why      ")
    return lines
