"""Whether a report is taken: who signed it, whether it is newer than what that key said last, and what it brings.

A pure question: the answer holds what is to be kept. The name in a report decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from armlevel.documents.read import read_host
from armlevel.documents.reports import (
    REPORT,
    REPORT_SPACE,
    REPORT_TYPE,
    Event,
    Report,
    content_of,
    numbered,
    report_of,
)
from armlevel.documents.sshsig import NotSigned
from armlevel.documents.write import host_object
from armlevel.errors import ArmlevelError, BadDocument
from armlevel.operations.agents.sealed import opened
from armlevel.operations.agents.values import Agent

__all__ = ["LARGEST_PART", "Part", "ReportRefusal", "ReportResult", "accept_report"]

ReportRefusal = Literal[
    "", "no-report", "signature", "unknown-key", "given-up-key", "replayed", "older", "older-boot"
]
#: What became of a file that a report names: it was here, it was taken, it is wanted, it is another one, or the agent
#: has none.
Part = Literal["there", "taken", "wanted", "refused", "not recorded"]

#: Bytes of a file beside a report; the profile of a host is some 40 KiB, what is known of a guest some 3 KiB.
LARGEST_PART = 8 << 20

_SKEW = 600  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """Whether a report was taken.

    ``agent``   who said it, with the mark that is to be kept; None where that is not known
    ``clock``   whether its time is within ten minutes of ours: else when it was said is unknown
    ``profile``, ``guests``  what became of the files that it names, ``kept`` their bytes by digest
    ``events``  those that no report brought before;  ``lost``  how many at least never came
    """

    kind: ClassVar[str] = "report-answer/1"

    refused: ReportRefusal = ""
    detail: str = ""
    agent: Agent | None = None
    report: Report | None = None
    clock: Literal["held", "unknown"] = "unknown"
    profile: Part = "not recorded"
    guests: Part = "not recorded"
    kept: Mapping[str, bytes] | None = None
    events: tuple[Event, ...] = ()
    lost: int = 0

    @property
    def status(self) -> int:
        """The exit status: 0 taken, 1 refused, 3 taken, and something of it is not known."""
        if self.refused:
            return 1
        whole = self.clock == "held" and {self.profile, self.guests} <= {"there", "taken", "not recorded"}
        return 0 if whole and not self.lost else 3

    def document(self) -> dict[str, Any]:
        """Return the report-answer/1 object."""
        agent, report = self.agent, self.report
        return {
            "kind": self.kind,
            "answer": "refused" if self.refused else "taken",
            "reason": self.refused or None,
            "detail": self.detail or None,
            "host": None if agent is None else agent.name,
            "key": None if agent is None else agent.key.fingerprint,
            "says": None if report is None else report.name,
            "sequence": None if report is None else report.sequence,
            "boot_id": None if report is None else report.boot_id,
            "at": None if report is None else report.at,
            "clock": self.clock,
            "digest": None if report is None or report.host is None else report.host[0],
            "profile": self.profile,
            "guests": self.guests,
            "events": len(self.events),
            "lost": self.lost,
        }


def accept_report(  # noqa: PLR0913 (what is known here, and what lies beside the report)
    data: bytes,
    path: str,
    agents: Mapping[str, Agent],
    *,
    now: float,
    there: Collection[str] = (),
    beside: Mapping[str, bytes] | None = None,
) -> ReportResult:
    """Judge a report; ``agents`` are known by the fingerprints of their keys.

    ``now``     seconds since 1970;  ``there``  digests of host profiles that are here already
    ``beside``  the files that lie beside the report, by the digest of their bytes
    """
    try:
        document, payload, (signer, *_) = opened(data, path, REPORT_TYPE, REPORT_SPACE, REPORT)
        report = report_of(document)
    except NotSigned as exc:
        return ReportResult(refused="signature", detail=str(exc))
    except BadDocument as exc:
        return ReportResult(refused="no-report", detail=str(exc))
    if not numbered(report.events):
        return ReportResult(refused="no-report", detail="events: their numbers do not grow one by one")
    if signer.certificate is not None or (agent := agents.get(signer.key.fingerprint)) is None:
        return ReportResult(refused="unknown-key", detail=signer.key.fingerprint, report=report)
    content = content_of(payload)
    refused = _refused(agent, report, content)
    if refused:
        return ReportResult(refused=refused, agent=agent, report=report)
    return _taken(agent, report, content, now=now, there=there, beside=beside or {})


def _refused(agent: Agent, report: Report, content: str) -> ReportRefusal:
    mark = agent.mark
    if agent.standing != "enrolled":
        return "given-up-key"
    if content == mark.content:
        return "replayed"
    if report.sequence <= mark.sequence:
        return "older"
    return "older-boot" if report.boot_id in mark.left else ""


def _taken(  # noqa: PLR0913 (what is known of a report that is taken)
    agent: Agent,
    report: Report,
    content: str,
    *,
    now: float,
    there: Collection[str],
    beside: Mapping[str, bytes],
) -> ReportResult:
    kept: dict[str, bytes] = {}
    profile, detail = _profile(report, there, beside, kept)
    guests = _guests(report, beside, kept)
    events, lost = _events(report.events, agent.mark.event)
    last = report.events[-1].number if report.events else agent.mark.event
    return ReportResult(
        agent=replace(agent, mark=agent.mark.after(report.sequence, report.boot_id, content, last)),
        report=report,
        clock="held" if _near(report.at, now) else "unknown",
        profile=profile,
        guests=guests,
        detail=detail,
        kept=kept,
        events=events,
        lost=lost,
    )


def _events(events: tuple[Event, ...], before: int) -> tuple[tuple[Event, ...], int]:
    # Those that are new, and how many at least never came. An agent that lost its memory counts from 1 again.
    if events and events[-1].number < before:
        return events, 1
    new = tuple(one for one in events if one.number > before)
    return new, new[0].number - before - 1 if new else 0


def _profile(
    report: Report, there: Collection[str], beside: Mapping[str, bytes], kept: dict[str, bytes]
) -> tuple[Part, str]:
    if report.host is None:
        return "not recorded", ""
    digest, content = report.host
    if digest in there:
        return "there", ""
    data = beside.get(content)
    if data is None:
        return "wanted", ""
    try:
        if content_of(data) != content or host_object(read_host(data, "the profile"))["digest"] != digest:
            return "refused", "the profile beside it is another one than it says"
    except ArmlevelError as exc:
        return "refused", str(exc)
    kept[digest] = data
    return "taken", ""


def _guests(report: Report, beside: Mapping[str, bytes], kept: dict[str, bytes]) -> Part:
    if report.guests is None:
        return "not recorded"
    data = beside.get(report.guests)
    if data is None:
        return "wanted"
    if content_of(data) != report.guests:
        return "refused"
    kept[report.guests] = data
    return "taken"


def _near(at: str, now: float) -> bool:
    try:
        said = datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:  # a month 13
        return False
    return abs(now - said) <= _SKEW
