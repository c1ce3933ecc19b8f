"""The half of the agent that touches the machine: it probes, and sends nothing anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from armlevel.documents.replace import replace_file
from armlevel.documents.write import host_object, pretty
from armlevel.errors import ArmlevelError
from armlevel.onefile.spool import Probed, add_event, boot_id, events_of, probed_of, write_probed
from armlevel.profile import Host

__all__ = ["now", "probe_into"]


def probe_into(
    state: Path, probe: Callable[[], Host], guests: Callable[[], str], *, root: str = "/"
) -> Probed:
    """Probe this host, and write down what was found and what changed; what fails is an event, too.

    ``guests`` gives what runs here, as text: without it the host would be known, and nobody on it.

    Raises:
        ArmlevelError: it could not be probed; what was found before stays, under the boot that it was found in.

    """
    boot, before = boot_id(root), probed_of(state)
    if not any(one.code == "booted" and one.words.get("boot_id") == boot for one in events_of(state)):
        add_event(state, now(), "booted", {"boot_id": boot})
    try:
        document = host_object(probe())
    except ArmlevelError as exc:
        add_event(state, now(), "probe-failed", {"why": str(exc)[:1024]})
        raise
    found = Probed(boot, now(), str(document["digest"]))
    replace_file(str(state / "host.json"), pretty(document))
    replace_file(str(state / "guests.json"), guests())
    write_probed(state, found)
    if before is not None and before.digest != found.digest:
        add_event(state, found.at, "profile-changed", {"from": before.digest, "to": found.digest})
    return found


def now() -> str:
    """Return the time, as documents write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
