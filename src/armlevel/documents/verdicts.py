"""Verdicts and findings as JSON: each reason and remedy as data, and as the sentence that a person reads.

Standard library only. The sentences are for people: reading a document makes them anew from the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from armlevel.documents.write import guest_object, hex_text, host_object, implementation_object
from armlevel.engine.findings import Finding, Remedy, Verdict
from armlevel.engine.reasons import Reason
from armlevel.engine.values import (
    Bound,
    Cores,
    Count,
    Events,
    FieldValues,
    Frequency,
    Implementations,
    Lowered,
    NamedValues,
    Names,
    RegisterValue,
    State,
    Value,
    VectorLengths,
)
from armlevel.profile import Guest, Host
from armlevel.words.reasons import reason_text
from armlevel.words.remedies import remedy_text
from armlevel.words.values import value_text

__all__ = ["VERDICT_KIND", "document_object", "findings_object", "remedy_object", "verdict_object"]

VERDICT_KIND = "verdict/1"
# JSON numbers stop being exact here; larger ones are written in hex.
_EXACT = 2**53


def document_object(document: Host | Guest | Verdict) -> dict[str, Any]:
    """Return the document of whatever can be one."""
    if isinstance(document, Host):
        return host_object(document)
    return guest_object(document) if isinstance(document, Guest) else verdict_object(document)


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict/1 document of a verdict."""
    return {
        "kind": VERDICT_KIND,
        "guest": verdict.guest,
        "host": verdict.host,
        "start": verdict.start,
        "arrive": verdict.arrive,
        "parts": {
            part: {"start": start, "arrive": arrive} for part, (start, arrive) in verdict.parts.items()
        },
        "judged": list(verdict.judged),
        "not_judged": list(verdict.not_judged),
        "findings": findings_object(verdict.findings),
    }


def findings_object(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as a verdict holds them; every answer in JSON does."""
    return [_finding(finding) for finding in findings]


def _finding(finding: Finding) -> dict[str, Any]:
    said: dict[str, Any] = {
        "subject": finding.subject.key,
        "about": {"kind": finding.subject.kind, "names": list(finding.subject.names)},
        "part": finding.part,
        "needs": [_value(value) for value in finding.needs],
        "offers": [{"host": host, "offer": _value(value)} for host, value in finding.offers],
        "hosts": list(finding.hosts),
        "cause": finding.cause,
        "severity": finding.severity,
        "applies": list(finding.applies),
        "because": [_reason(reason) for reason in finding.because],
        "remedies": [remedy_object(remedy) for remedy in finding.remedies],
    }
    if finding.sets:
        said["sets"] = [list(some) for some in finding.sets]
    return said | ({"messages": list(finding.messages)} if finding.messages else {})


def remedy_object(remedy: Remedy) -> dict[str, Any]:
    """Return a remedy as data and as a sentence."""
    return {
        "kind": remedy.kind,
        "args": [_argument(one) for one in remedy.args],
        "hosts": list(remedy.hosts),
        "text": remedy_text(remedy),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "args": [_argument(one) for one in reason.args],
        "text": reason_text(reason),
    }


def _argument(argument: str | int) -> str | int:
    return _number(argument) if isinstance(argument, int) else argument


def _number(number: int) -> str | int:
    return number if number < _EXACT else hex_text(number)


def _value(value: Value) -> dict[str, Any]:
    return _data(value) | {"text": value_text(value)}


def _data(value: Value) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of value
    if isinstance(value, State):
        return {"kind": "state", "state": value.code}
    if isinstance(value, FieldValues):
        return {"kind": "field", "values": list(map(_number, value.values)), "open": value.open}
    if isinstance(value, RegisterValue):
        return {"kind": "register", "value": hex_text(value.value)}
    if isinstance(value, NamedValues):
        values = [{"name": name, "value": hex_text(number)} for name, number in value.values]
        return {"kind": "named", "values": values, "others": value.others}
    if isinstance(value, Bound):
        return {"kind": "bound", "field": value.field, "limit": value.limit, "value": _number(value.value)}
    if isinstance(value, Implementations):
        return {"kind": "implementations", "shown": list(map(implementation_object, value.shown))}
    return _plain(value)


def _plain(  # noqa: PLR0911 - one for each kind of value
    value: Lowered | Frequency | VectorLengths | Count | Events | Cores | Names,
) -> dict[str, Any]:
    if isinstance(value, Lowered):
        fields = [{"field": one.field, "own": one.own, "told": one.told} for one in value.fields]
        return {"kind": "lowered", "fields": fields}
    if isinstance(value, Frequency):
        return {"kind": "frequency", "hz": value.hz}
    if isinstance(value, VectorLengths):
        return {"kind": "vector-lengths", "bits": list(value.bits)}
    if isinstance(value, Count):
        return {"kind": "count", "number": value.number}
    if isinstance(value, Events):
        return {"kind": "events", "numbers": list(value.numbers)}
    if isinstance(value, Cores):
        return {"kind": "cores", "parts": [list(part) for part in value.parts]}
    return {"kind": "names", "names": list(value.names)}
