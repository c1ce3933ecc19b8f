"""What an agent says of its host: a report, and the request to be known by its key.

Both are canonical bytes in a DSSE envelope (:mod:`armlevel.documents.dsse`) whose signature OpenSSH made. The host
profile is named by its digest, and lies beside the report for who does not have it. Who speaks is the key that signed;
the name is a label. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from armlevel.documents.specs import Many, OneOf, Record, Table, Text, Whole
from armlevel.documents.write import canonical

__all__ = [
    "ENROLMENT",
    "ENROLMENT_KIND",
    "ENROLMENT_SPACE",
    "ENROLMENT_TYPE",
    "HOST_NAME",
    "MOST_EVENTS",
    "REPORT",
    "REPORT_KIND",
    "REPORT_SPACE",
    "REPORT_TYPE",
    "Event",
    "Report",
    "content_of",
    "enrolment_bytes",
    "is_host_name",
    "numbered",
    "report_bytes",
    "report_of",
]

REPORT_KIND = "report/1"
ENROLMENT_KIND = "enrolment/1"
REPORT_TYPE = "application/vnd.armlevel.report+json;version=1"
ENROLMENT_TYPE = "application/vnd.armlevel.enrolment+json;version=1"
#: What OpenSSH's signatures are made for: one that was made for one of them is none for the other.
REPORT_SPACE = "report.armlevel"
ENROLMENT_SPACE = "enrol.armlevel"

#: What a host may be called where its key is known.
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"
#: A report holds the newest events; what is older was in reports before it.
MOST_EVENTS = 256

_BOOT = Text(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", wanted="a boot_id as Linux writes it")
_TIME = Text(
    pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    wanted="a time like 2026-11-30T20:00:00Z",
)
_DIGEST = Text(pattern="^sha256:[0-9a-f]{64}$", wanted="sha256: and 64 hex digits")
_NAME = Text(255)
_TEXT = Text(1024)
_EVENT = Record(
    {
        "number": Whole(1),
        "at": _TIME,
        "code": Text(pattern="^[a-z][a-z0-9-]{0,63}$", wanted="a code like 'profile-changed'"),
        "words": Table(Text(64), _TEXT, 32),
    },
    frozenset(("number", "at", "code")),
)
REPORT = Record(
    {
        "kind": OneOf(REPORT_KIND),
        "name": _NAME,
        "tool": _NAME,
        "boot_id": _BOOT,
        "sequence": Whole(1),
        "at": _TIME,
        "host": Record({"digest": _DIGEST, "content": _DIGEST}, frozenset(("digest", "content"))),
        "guests": Record({"content": _DIGEST}, frozenset(("content",))),
        "events": Many(_EVENT, MOST_EVENTS),
    },
    frozenset(("kind", "name", "boot_id", "sequence", "at")),
)
ENROLMENT = Record(
    {
        "kind": OneOf(ENROLMENT_KIND),
        "name": Text(pattern=HOST_NAME, wanted="a host's name: letters, digits, '.', '_' and '-'"),
        "tool": _NAME,
        "key": Text(2048),
        "boot_id": _BOOT,
        "at": _TIME,
        "token": Text(256),
    },
    frozenset(("kind", "name", "key", "at")),
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a host; numbers grow by one, so that a gap is seen."""

    number: int
    at: str
    code: str
    words: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an agent says of its host, at one time of one boot.

    ``host``     the digest of its profile, and of the bytes of the file that holds it; None where it has none
    ``guests``   the digest of the bytes of what it knows of its running guests; None where that is not recorded
    ``sequence`` grows with each report of a key, whatever boot
    """

    name: str
    boot_id: str
    sequence: int
    at: str
    tool: str = ""
    host: tuple[str, str] | None = None
    guests: str | None = None
    events: tuple[Event, ...] = ()


def content_of(data: bytes) -> str:
    """Return the digest of exact bytes, by which a report names a file beside it.

    >>> content_of(b"")[:20]
    'sha256:e3b0c44298fc1'
    """
    return "sha256:" + hashlib.sha256(data).hexdigest()


def report_bytes(report: Report) -> bytes:
    """Return the exact bytes of a report, which are signed."""
    said: dict[str, Any] = {
        "kind": REPORT_KIND,
        "name": report.name,
        "tool": report.tool or None,
        "boot_id": report.boot_id,
        "sequence": report.sequence,
        "at": report.at,
        "host": None if report.host is None else dict(zip(("digest", "content"), report.host, strict=True)),
        "guests": None if report.guests is None else {"content": report.guests},
        "events": [_event(one) for one in report.events],
    }
    return canonical({key: value for key, value in said.items() if value is not None})


def report_of(document: Mapping[str, Any]) -> Report:
    """Return the report of an object that fits :data:`REPORT`."""
    host, guests = document.get("host"), document.get("guests")
    return Report(
        name=document["name"],
        boot_id=document["boot_id"],
        sequence=document["sequence"],
        at=document["at"],
        tool=document.get("tool") or "",
        host=None if host is None else (host["digest"], host["content"]),
        guests=None if guests is None else guests["content"],
        events=tuple(
            Event(one["number"], one["at"], one["code"], one.get("words", {}))
            for one in document.get("events", [])
        ),
    )


def enrolment_bytes(  # noqa: PLR0913 (what a request holds)
    name: str, key: str, *, at: str, boot_id: str = "", token: str = "", tool: str = ""
) -> bytes:
    """Return the exact bytes of a request to be known by a key; ``key`` is the line that OpenSSH wrote."""
    said = {"name": name, "key": key, "at": at, "boot_id": boot_id, "token": token, "tool": tool}
    return canonical({"kind": ENROLMENT_KIND, **{key: text for key, text in said.items() if text}})


def is_host_name(name: str) -> bool:
    r"""Whether a host may be called so.

    >>> is_host_name("n1-03.example"), is_host_name("../n1"), is_host_name("a\n")
    (True, False, False)
    """
    return re.fullmatch(HOST_NAME[1:-1], name) is not None


def _event(event: Event) -> dict[str, Any]:
    said: dict[str, Any] = {"number": event.number, "at": event.at, "code": event.code}
    return said | ({"words": dict(event.words)} if event.words else {})


def numbered(events: Sequence[Event]) -> bool:
    """Whether the numbers of events grow one by one."""
    return all(one.number + 1 == after.number for one, after in pairwise(events))
