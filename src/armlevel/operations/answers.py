"""What every operation gives: a result of a kind, as a JSON object, with the exit status of a command that asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from armlevel.documents import Document, document_object, findings_object
from armlevel.engine import Answer, Finding, Verdict, worst
from armlevel.engine.findings import RemedyKind

__all__ = ["INFORM", "Result", "findings_told", "status_of", "told", "told_object"]

#: Remedies that make known what is not.
INFORM: tuple[RemedyKind, ...] = ("fact", "probe", "say-vmm")

_STATUS: dict[Answer, int] = {"runs": 0, "refused": 1, "unknown": 3}


class Result(Protocol):
    """What an operation found. Its ``kind`` names the JSON Schema of its document."""

    kind: ClassVar[str]

    @property
    def status(self) -> int:
        """The exit status: 0 yes or done, 1 no, 3 cannot say."""

    def document(self) -> dict[str, Any]:
        """Return the result as a JSON object."""


def status_of(answers: Iterable[Answer]) -> int:
    """Return the exit status of several answers: that of the worst.

    >>> status_of(["runs", "unknown"]), status_of(["unknown", "refused"]), status_of([])
    (3, 1, 0)
    """
    return _STATUS[worst(answers)]


def told(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without the remedies that nobody tried: what would make a fact known is left.

    What changes an answer is tried for the question as a whole, not for a finding.
    """
    return tuple(
        replace(one, remedies=tuple(way for way in one.remedies if way.kind in INFORM)) for one in findings
    )


def findings_told(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as every answer in JSON holds them: no remedy stands beside one that was not tried."""
    return findings_object(told(findings))


def told_object(document: Document) -> dict[str, Any]:
    """Return the document of a host, a guest or a verdict, the findings of a verdict as answers hold them."""
    if isinstance(document, Verdict):
        document = replace(document, findings=told(document.findings))
    return document_object(document)
