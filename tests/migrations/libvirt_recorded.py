"""What the last whole run of libvirt's migrations saw: a file beside this one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.migrations.libvirt_cases import LibvirtSeen

__all__ = ["LIBVIRT_SEEN", "record_libvirt", "recorded_libvirt", "seen_of"]

LIBVIRT_SEEN = Path(__file__).with_name("libvirt_seen.json")


def seen_of(values: Mapping[str, Any]) -> LibvirtSeen:
    """Return what was seen from a plain object of it."""
    return LibvirtSeen(**{**values, "says": tuple(values["says"])})


def recorded_libvirt() -> dict[str, LibvirtSeen]:
    """Return what was seen of each case, by its name."""
    if not LIBVIRT_SEEN.exists():
        return {}
    return {name: seen_of(one) for name, one in json.loads(LIBVIRT_SEEN.read_text("ascii")).items()}


def record_libvirt(seen: Mapping[str, LibvirtSeen]) -> None:
    """Write what was seen of each case."""
    text = json.dumps({name: asdict(one) for name, one in seen.items()}, indent=1)
    LIBVIRT_SEEN.write_text(text + "\n", encoding="ascii")
