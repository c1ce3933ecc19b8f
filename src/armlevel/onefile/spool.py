"""What an agent leaves behind on its host, each file whole or not at all: what was probed, what happened, the report.

::

    /var/lib/armlevel/          the prober's: host.json, guests.json, probed.json, events.json
    /var/lib/armlevel-sender/   the sender's: agent_key, sent.json, spool/report.json and what it names
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlevel.documents.replace import replace_file
from armlevel.documents.reports import MOST_EVENTS, Event
from armlevel.documents.write import canonical
from armlevel.errors import UnreadableFile, UsageError
from armlevel.probe import boot

__all__ = [
    "Probed",
    "add_event",
    "boot_id",
    "events_of",
    "next_sequence",
    "part_name",
    "probed_of",
    "read_part",
    "write_probed",
    "write_spool",
]

#: Bytes of a file beside a report.
LARGEST_PART = 8 << 20


@dataclass(frozen=True, slots=True)
class Probed:
    """What the prober found in one boot: the digest of the host's profile, and when."""

    boot_id: str
    at: str
    digest: str


def boot_id(root: str = "/") -> str:
    """Return the id of this boot. Raises :class:`UnreadableFile` where there is none: a report must have it."""
    found = boot.boot_id(root)
    if found is None:
        raise UnreadableFile(str(Path(root, "proc/sys/kernel/random/boot_id")), "this boot has no name")
    return found


def probed_of(state: Path) -> Probed | None:
    """Return what was probed last, whatever boot; None where that is not known."""
    said = _object(state / "probed.json")
    values = [said.get(key) for key in ("boot_id", "at", "digest")]
    return Probed(*map(str, values)) if all(isinstance(one, str) for one in values) else None


def write_probed(state: Path, probed: Probed) -> None:
    """Note what was probed."""
    said = {"boot_id": probed.boot_id, "at": probed.at, "digest": probed.digest}
    replace_file(str(state / "probed.json"), canonical(said) + b"\n")


def events_of(state: Path) -> tuple[Event, ...]:
    """Return the newest events, their numbers growing by one; what is no event ends the list before it."""
    found: list[Event] = []
    for one in _object(state / "events.json").get("events", []):
        try:
            event = Event(int(one["number"]), str(one["at"]), str(one["code"]), dict(one.get("words", {})))
        except (KeyError, TypeError, ValueError, AttributeError):
            found = []
            continue
        if found and event.number != found[-1].number + 1:
            found = []
        found.append(event)
    return tuple(found[-MOST_EVENTS:])


def add_event(state: Path, at: str, code: str, words: Mapping[str, str]) -> None:
    """Note that something happened."""
    events = events_of(state)
    new = Event(events[-1].number + 1 if events else 1, at, code, words)
    said = [
        {"number": one.number, "at": one.at, "code": one.code, "words": dict(one.words)}
        for one in (*events, new)[-MOST_EVENTS:]
    ]
    replace_file(str(state / "events.json"), canonical({"events": said}) + b"\n")


def next_sequence(own: Path) -> int:
    """Return the number of the next report, which is used up by asking.

    Raises:
        UsageError: which was last is not known any more: its reports would be taken for old ones.

    """
    path = own / "sent.json"
    last: Any = 0
    if path.exists():
        last = _object(path).get("sequence")
        if not isinstance(last, int) or last < 0:
            hint = "remove it and the key beside it, and enrol this host again"
            raise UsageError(f"{path}: is not as it was written", hint=hint)
    replace_file(str(path), canonical({"sequence": last + 1}) + b"\n")
    return int(last) + 1


def part_name(content: str) -> str:
    """Return what a file beside a report is called, by the digest of its bytes."""
    return f"sha256-{content.removeprefix('sha256:')}.json"


def read_part(path: Path) -> bytes | None:
    """Return the bytes of what was probed; None where there is nothing, or too much."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_PART + 1)
    except OSError:
        return None
    return data if 0 < len(data) <= LARGEST_PART else None


def write_spool(spool: Path, envelope: bytes, parts: Mapping[str, bytes]) -> None:
    """Put a report where it is fetched from, in the place of the one before; what it names comes first.

    Raises:
        UsageError: it cannot be written.

    """
    try:
        spool.mkdir(parents=True, exist_ok=True, mode=0o750)
        there = {one.name for one in os.scandir(spool)}
        names = {part_name(content): data for content, data in parts.items()}
        for name, data in names.items():
            if name not in there:
                replace_file(str(spool / name), data)
        replace_file(str(spool / "report.json"), envelope)
        for name in there - {*names, "report.json", "enrolment.json"}:
            if name.startswith("sha256-"):
                (spool / name).unlink(missing_ok=True)
    except OSError as exc:
        raise UsageError(f"{spool}: cannot be written: {exc.strerror or exc}") from exc


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
