"""A person's word for one domain: the guard lets it move, until a time, for a reason. It travels with the domain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from armlevel.errors import UsageError
from armlevel.onefile.metadata import (
    KEY,
    MOST_REASON,
    OVERRIDE_URI,
    BadDomain,
    Override,
    override_element,
    read_domain,
    read_time,
    written_time,
)
from armlevel.operations.virsh import Virsh

__all__ = ["LONGEST", "OverrideResult", "end_of", "override", "remove_override"]

#: An override is for a time of need.
LONGEST = timedelta(days=31)

_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class OverrideResult:
    """What was written into a domain's metadata, or removed from it, and where it is."""

    kind: ClassVar[str] = "override/1"

    domain: str
    override: Override | None
    running: bool
    persistent: bool
    saved: bool

    def document(self) -> dict[str, Any]:
        """Return the override/1 object."""
        found: dict[str, Any] = {
            "kind": self.kind,
            "domain": self.domain,
            "running": self.running,
            "persistent": self.persistent,
            "saved": self.saved,
        }
        if self.override is not None:
            found["until"] = written_time(self.override.until)
            found["reason"] = self.override.reason
            found["breaks"] = self.override.breaks
        return found


def end_of(until: str | None, span: str | None, now: datetime) -> datetime:
    """Return when an override ends: at a time, or after a span.

    Raises:
        UsageError: neither or both are given, or it is none, past, or too far away.

    >>> from datetime import timezone
    >>> end_of(None, "2h", datetime(2026, 11, 30, 20, tzinfo=timezone.utc)).hour
    22
    """
    if (until is None) == (span is None):
        raise UsageError(
            "an override has an end", hint="give either --for 2h or --until 2026-11-30T22:00:00Z"
        )
    if span is not None:
        matched = _SPAN.fullmatch(span)
        if matched is None:
            raise UsageError(f"--for: {span!r} is no span of time", hint="as 30m, 2h or 1d")
        end = now.replace(microsecond=0) + int(matched[1]) * _UNITS[matched[2]]
    else:
        read = read_time(until or "")
        if read is None:
            raise UsageError(f"--until: {until!r} is no time in UTC", hint="as 2026-11-30T22:00:00Z")
        end = read
    if end <= now:
        raise UsageError(f"{written_time(end)} has passed; it is {written_time(now)}")
    if end - now > LONGEST:
        raise UsageError(
            f"an override lasts {LONGEST.days} days at most", hint="level the guest instead, or renew it"
        )
    return end


def override(virsh: Virsh, domain: str, wanted: Override) -> OverrideResult:
    """Write an override into a domain's metadata, read it back, and return where it is.

    Raises:
        UsageError: the reason is none, or libvirt refuses it; in libvirt's words.

    """
    if not wanted.reason.strip() or not wanted.reason.isprintable() or len(wanted.reason) > MOST_REASON:
        raise UsageError(f"--reason: give one line of text, of {MOST_REASON} characters at most")
    before = _state(virsh, domain)
    _metadata(virsh, domain, before, "--key", KEY, "--set", override_element(wanted, named=False))
    text = virsh.ask("metadata", *_of(domain), "--uri", OVERRIDE_URI, *_places(before)[:1])
    # libvirt gives the element back without its namespace (src/util/virxml.c, virXMLExtractNamespaceXML).
    text = text.strip().replace("<override", f'<override xmlns="{OVERRIDE_URI}"', 1)
    try:
        read = read_domain(f"<domain><metadata>{text}</metadata></domain>".encode()).override
    except BadDomain as exc:
        raise UsageError(f"libvirt keeps something else than was written: {exc.message}") from exc
    if read != wanted:
        raise UsageError(
            "libvirt keeps something else than was written", hint=f"virsh metadata {domain} {OVERRIDE_URI}"
        )
    return OverrideResult(domain, wanted, **before)


def remove_override(virsh: Virsh, domain: str) -> OverrideResult:
    """Take an override out of a domain's metadata; one that has none stays as it is."""
    before = _state(virsh, domain)
    _metadata(virsh, domain, before, "--remove")
    return OverrideResult(domain, None, **before)


def _of(domain: str) -> tuple[str, str]:
    return "--domain", domain


def _metadata(virsh: Virsh, domain: str, state: dict[str, bool], *words: str) -> None:
    virsh.ask("metadata", *_of(domain), "--uri", OVERRIDE_URI, *words, *_places(state))


def _places(state: dict[str, bool]) -> list[str]:
    return [*(["--live"] if state["running"] else []), *(["--config"] if state["persistent"] else [])]


def _state(virsh: Virsh, domain: str) -> dict[str, bool]:
    told = {
        key.strip(): value.strip()
        for key, colon, value in (
            line.partition(":") for line in virsh.ask("dominfo", *_of(domain)).splitlines()
        )
        if colon
    }
    return {
        "running": told.get("Id", "-") != "-",
        "persistent": told.get("Persistent") == "yes",
        "saved": told.get("Managed save") == "yes",
    }
