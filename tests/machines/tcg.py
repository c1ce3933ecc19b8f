"""What TCG guests of the lab's models read, recorded under both QEMUs: ``tools/record_tcg.py`` makes it anew."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from armlevel.documents import read_host
from armlevel.documents.write import host_object
from armlevel.profile import Host

__all__ = ["read", "write"]

_ARCHIVE = Path(__file__).with_name("tcg.json.xz")


def read() -> list[Host]:
    """Return the recorded profiles, by name."""
    documents = json.loads(lzma.decompress(_ARCHIVE.read_bytes()))
    return [read_host(json.dumps(one).encode(), name) for name, one in sorted(documents.items())]


def write(hosts: Iterable[Host]) -> None:
    """Record profiles in place of those that were."""
    documents = {host.name: host_object(replace(host, made=replace(host.made, at=""))) for host in hosts}
    text = json.dumps(documents, sort_keys=True, separators=(",", ":"))
    _ARCHIVE.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
