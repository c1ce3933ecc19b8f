"""One guest against many hosts, on one page: how many hosts say what, then why, the reason of most hosts first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from armlevel.cli.output import columns, meant, wrapped
from armlevel.operations import Answer, Finding, HostName, Part, Remedy, Severity, Verdict, worst
from armlevel.operations.answers import INFORM
from armlevel.operations.ways_out import WaysOut
from armlevel.words.answers import JUDGED_WELL, judged_text
from armlevel.words.reasons import reason_text
from armlevel.words.remedies import remedy_text
from armlevel.words.subjects import hosts_text, listed_few, subject_text

__all__ = ["ANOTHER", "counted", "judged_of", "many_lines", "many_ways"]

#: How a host is called where the same is true of several.
ANOTHER = HostName("the host")

_GRAVE: tuple[Severity, ...] = ("breaks", "stops", "unknown")
_ORDER: tuple[Severity, ...] = (*_GRAVE, "risk", "note")
_ROWS = 12
_LINES = 16
_REMEDIES = 5
# What is always possible, and what is none, stands behind what helps.
_LAST = ("restart", "nothing")


def counted(some: int, total: int) -> str:
    """Return how many of all.

    >>> counted(3, 57), counted(57, 57), counted(1, 1)
    ('3 of 57', 'all 57', '1 of 1')
    """
    return f"all {total}" if some == total > 1 else f"{some} of {total}"


def judged_of(verdict: Verdict) -> str:
    """Return the parts that a verdict rests on, for start and arrive together."""
    both: dict[Part, Answer] = {
        part: worst(sides) if "unknown" not in sides else "unknown" for part, sides in verdict.parts.items()
    }
    return judged_text(both, verdict.findings)


@dataclass
class _Reason:
    # What is said of the same hosts, by the same words.
    finding: Finding
    hosts: tuple[str, ...]
    subjects: list[str] = field(default_factory=list)


def many_lines(verdicts: Sequence[Verdict], *, names: bool) -> list[str]:
    """Return the answers by kind of answer, then the reasons by how many hosts they concern, then the remedies."""
    reasons = _reasons(verdicts)
    lines = [*_answers(verdicts, names=names), ""]
    lines += _reason_lines(reasons, len(verdicts), names=names)
    return lines + _remedies(verdicts)


def _answers(verdicts: Sequence[Verdict], *, names: bool) -> list[str]:
    alike: dict[tuple[str, str, str], list[str]] = {}
    for verdict in verdicts:
        alike.setdefault((verdict.start, verdict.arrive, _short(judged_of(verdict))), []).append(verdict.host)
    rows = [("hosts", "start", "arrive", "judged", "")]
    for (start, arrive, judged), hosts in sorted(alike.items(), key=lambda pair: -len(pair[1])):
        rows.append((f"{len(hosts):5}", meant(start), meant(arrive), judged, hosts_text(hosts, every=names)))
    return columns(rows, "  ")


def _short(judged: str) -> str:
    return judged if judged in JUDGED_WELL else "not every part"


def _reasons(verdicts: Sequence[Verdict]) -> list[_Reason]:
    of: dict[tuple[object, ...], tuple[Finding, dict[str, None]]] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            because = tuple(dict.fromkeys(one for one in finding.because if one.code != "feature"))
            key = (finding.severity, finding.subject, because if finding.part == "list" else ())
            of.setdefault(key, (finding, {}))[1][verdict.host] = None
    together: dict[tuple[object, ...], _Reason] = {}
    for finding, hosts in of.values():
        because = tuple(dict.fromkeys(one for one in finding.because if one.code != "feature"))
        kind = (
            finding.severity,
            finding.part,
            tuple(hosts),
            because if finding.part == "list" else finding.cause,
        )
        reason = together.setdefault(kind, _Reason(finding, tuple(hosts)))
        reason.subjects.append(subject_text(finding.subject))
    return sorted(
        together.values(),
        key=lambda one: (_ORDER.index(one.finding.severity), -len(one.hosts), -len(one.subjects)),
    )


def _reason_lines(reasons: Sequence[_Reason], total: int, *, names: bool) -> list[str]:
    grave = [one for one in reasons if one.finding.severity in _GRAVE]
    rows: list[tuple[str, ...]] = []
    lines: list[str] = []
    shown: Sequence[_Reason] = ()
    for number in range(len(grave) + 1) if names else range(min(len(grave), _ROWS) + 1):
        rows = [_row(one, total, names=names) for one in grave[:number]]
        laid = columns([("", "hosts", "what differs"), *rows], "  ")
        if len(laid) > _LINES and not names:
            break
        lines, shown = laid, grave[:number]
    if not shown:
        return []
    left = len(grave) - len(shown)
    lines += wrapped(f"and {left} more reasons: --names lists them all", "  ") if left else []
    others = [one for one in reasons if one.finding.severity not in _GRAVE]
    if others:
        count = len({(one.finding.severity, name) for one in others for name in one.subjects})
        lines += wrapped(f"and {count} that change no answer: --explain", "  ")
    return lines


def _row(one: _Reason, total: int, *, names: bool) -> tuple[str, ...]:
    what = listed_few(one.subjects, 2, every=names)
    if one.finding.cause not in ("not known", "shape"):
        what += f" ({one.finding.cause})"
    text = "; ".join(reason_text(reason) for reason in one.finding.because if reason.code != "feature")
    if text and (one.finding.part in ("list", "shape") or not one.finding.offers):
        what += f": {text}"
    if names:
        what += f": {hosts_text(one.hosts, every=True)}"
    return (meant(one.finding.severity), counted(len(one.hosts), total), what)


def _remedies(verdicts: Iterable[Verdict]) -> list[str]:
    helped: dict[str, dict[str, None]] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            for remedy in finding.remedies:
                if finding.severity in _GRAVE and remedy.kind in INFORM:
                    hosts = (ANOTHER,) if remedy.hosts and remedy.kind != "fact" else ()
                    alike = replace(remedy, hosts=hosts)
                    helped.setdefault(remedy_text(alike), {})[verdict.host] = None
    ranked = sorted(helped.items(), key=lambda pair: -len(pair[1]))
    lines: list[str] = []
    for text, hosts_helped in ranked[:_REMEDIES]:
        lines += wrapped(f"{text} ({len(hosts_helped)} hosts)", "  remedy   ")
    if len(ranked) > _REMEDIES:
        lines += wrapped(f"and {len(ranked) - _REMEDIES} more: --explain", "           ")
    return lines


def many_ways(ways: Sequence[WaysOut], left: int, source: str) -> list[str]:
    """Return what was tried and changes an answer, by how many hosts it helps.

    ``left`` hosts were not tried; ``source`` is the host whose guest it is, empty if it is none's.
    """
    helped: dict[tuple[bool, str], int] = {}
    for one in ways:
        texts = {(remedy.kind in _LAST, remedy_text(_of_any(remedy, source))) for remedy in one.remedies}
        for told in sorted(texts):
            helped[told] = helped.get(told, 0) + 1
    ranked = sorted(helped.items(), key=lambda pair: (pair[0][0], -pair[1]))
    lines: list[str] = []
    for (_, text), count in ranked[:_REMEDIES]:
        lines += wrapped(f"{text} ({count} host{'s' * (count > 1)})", "  remedy   ")
    if len(ranked) > _REMEDIES:
        lines += wrapped(f"and {len(ranked) - _REMEDIES} more: --json", "           ")
    if left:
        lines += wrapped(f"for {left} more hosts none was tried: name fewer, or --json", "           ")
    return lines


def _of_any(remedy: Remedy, source: str) -> Remedy:
    # A remedy as it is told of several hosts; a command of two names the guest's own.
    others = ANOTHER if source not in remedy.hosts else HostName("HOST")
    named = sorted({one if one == source else others for one in remedy.hosts}, key=lambda one: one != source)
    return replace(remedy, hosts=tuple(named))
