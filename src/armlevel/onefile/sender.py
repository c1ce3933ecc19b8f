"""The half of the agent that speaks: it signs what the prober found and puts it where it is fetched; no devices."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from armlevel import __version__
from armlevel.documents.replace import replace_file
from armlevel.documents.reports import (
    ENROLMENT_SPACE,
    ENROLMENT_TYPE,
    HOST_NAME,
    REPORT_SPACE,
    REPORT_TYPE,
    Report,
    content_of,
    enrolment_bytes,
    is_host_name,
    report_bytes,
)
from armlevel.documents.write import digest
from armlevel.errors import UsageError
from armlevel.onefile.openssh import make_key, public_line, sealed
from armlevel.onefile.prober import now
from armlevel.onefile.spool import boot_id, events_of, next_sequence, probed_of, read_part, write_spool

__all__ = ["ask_to_be_known", "host_name", "send"]

_TOOL = f"armlevel {__version__}"
_KEY = "agent_key"


def send(state: Path, own: Path, spool: Path, *, name: str = "", root: str = "/") -> Report:
    """Sign a report of what was probed in this boot, and spool it; what was probed in another is not recorded.

    Raises:
        ArmlevelError: there is no key, or it cannot be written.

    """
    key = own / _KEY
    make_key(key)
    boot, probed = boot_id(root), probed_of(state)
    fresh = probed is not None and probed.boot_id == boot
    profile = read_part(state / "host.json") if fresh else None
    parts: dict[str, bytes] = {}
    host = guests = None
    # The file may be of the next probe already: then the next report has it.
    if probed is not None and profile is not None and _digest_in(profile) == probed.digest:
        host = probed.digest, content_of(profile)
        parts[host[1]] = profile
    if fresh and (data := read_part(state / "guests.json")) is not None:
        guests = content_of(data)
        parts[guests] = data
    report = Report(
        name=(name or host_name())[:255],
        boot_id=boot,
        sequence=next_sequence(own),
        at=now(),
        tool=_TOOL,
        host=host,
        guests=guests,
        events=events_of(state),
    )
    write_spool(spool, sealed(REPORT_TYPE, REPORT_SPACE, report_bytes(report), [key]), parts)
    return report


def ask_to_be_known(  # noqa: PLR0913 (what may vouch)
    own: Path, target: Path, *, name: str = "", token: str = "", host_key: Path | None = None, root: str = "/"
) -> str:
    """Write a request to be known by the agent's key, signed with it; return the key's line.

    ``host_key``  the SSH host key, or its certificate, that vouches with a signature; ``token`` vouches without

    Raises:
        ArmlevelError: no key can be made, read or used, or the name is none.

    """
    name = name or host_name()
    if not is_host_name(name):
        raise UsageError(f"{name[:80]!a} is no name of a host ({HOST_NAME})", hint="give one with --name")
    line = make_key(own / _KEY)
    payload = enrolment_bytes(name, line, at=now(), boot_id=boot_id(root), token=token, tool=_TOOL)
    keys: Sequence[Path] = [own / _KEY, *([] if host_key is None else [host_key])]
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(str(target), sealed(ENROLMENT_TYPE, ENROLMENT_SPACE, payload, keys))
    return public_line(own / _KEY)


def host_name() -> str:
    """Return what this host calls itself."""
    return os.uname().nodename


def _digest_in(data: bytes) -> str:
    try:
        return digest(json.loads(data))
    except (ValueError, RecursionError, AttributeError):
        return ""
