"""The guest CPUs that this host may be asked for: tried after each boot, so that the guard has its answers ready.

They stand in the domains that libvirt here has, running or not. The guard's own archive tries them, for its answers
hold for its very bytes; what fails here is a miss there, and tried on the spot.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from armlevel.errors import InputError
from armlevel.onefile.metadata import MOST_XML, read_domain

__all__ = ["Known", "known_guests", "try_known"]

#: A packed guest CPU, and the emulator that would restore it ("" where the domain names none).
Known = tuple[str, str]
_FOLDERS = ("etc/libvirt/qemu", "run/libvirt/qemu")
_MOST = 4096  # domains
_PATIENCE = 20.0  # seconds for one, which takes some milliseconds


def known_guests(root: str = "/") -> tuple[Known, ...]:
    """Return the guest CPUs that libvirt's domains on this host hold, each once."""
    found: dict[Known, None] = {}
    for path in _domains(root):
        try:
            with path.open("rb") as stream:
                marks = read_domain(_domain_in(stream.read(MOST_XML + 1)), str(path))
        except (OSError, InputError):
            continue
        if marks.guest is not None and marks.guest.packed is not None:
            found[marks.guest.packed, marks.emulator or ""] = None
    return tuple(found)


def try_known(guests: Iterable[Known], guard: Path, cache: Path) -> Counter[str]:
    """Have the guard try each of them and keep its answers; return how many it answered how."""
    answers: Counter[str] = Counter()
    for packed, emulator in guests:
        words = [sys.executable, "-I", str(guard), "try", "--cache", str(cache)]
        words += ["--emulator", emulator] if emulator else []
        try:
            done = subprocess.run(  # noqa: S603 - the guard, with our own words
                words, input=packed, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
            answers[str(json.loads(done.stdout)["answer"])] += 1
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
            answers["failed"] += 1
    return answers


def _domains(root: str) -> list[Path]:
    found = [path for folder in _FOLDERS for path in sorted(Path(root, folder).glob("*.xml"))]
    return found[:_MOST]


def _domain_in(xml: bytes) -> bytes:
    # What runs is kept with its status around it: <domstatus> … <domain> … </domain> </domstatus>.
    start, end = xml.find(b"<domain"), xml.rfind(b"</domain>")
    return xml[start : end + len(b"</domain>")] if b"<domstatus" in xml and 0 <= start < end else xml
