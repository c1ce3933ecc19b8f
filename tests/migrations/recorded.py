"""What the last whole run of the migrations about the machine saw, and its hosts: an archive beside this file."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from armlevel.documents import read_host
from armlevel.profile import Host
from tests.fidelity import hosts as lab
from tests.migrations.predicted import Seen, as_json

__all__ = ["SEEN", "record", "recorded_hosts", "recorded_seen", "seen_of"]

SEEN = Path(__file__).with_name("seen.json.xz")


def seen_of(values: Mapping[str, Any]) -> Seen:
    """Return what was seen from a plain object of it."""
    return Seen(**{key: _tuples(value) for key, value in values.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def record(seen: Mapping[str, Seen], hosts: Iterable[Host]) -> None:
    """Write what was seen of each case, and those of the hosts that the archive of the lab has not."""
    documents = {host.name: lab.timeless(host) for host in hosts if host.name not in lab.HOSTS}
    cases = {
        name: {key: value for key, value in as_json(one).items() if key != "seconds"}
        for name, one in seen.items()
    }
    text = json.dumps({"hosts": documents, "seen": cases}, sort_keys=True, separators=(",", ":"))
    SEEN.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def _read() -> dict[str, dict[str, Any]]:
    if not SEEN.exists():
        return {"hosts": {}, "seen": {}}
    found: dict[str, dict[str, Any]] = json.loads(lzma.decompress(SEEN.read_bytes()))
    return found


def recorded_seen() -> dict[str, Seen]:
    """Return what was seen of each case, by its name."""
    return {name: seen_of(one) for name, one in _read()["seen"].items()}


def recorded_hosts(names: Iterable[str]) -> dict[str, Host]:
    """Return those hosts of these names that were recorded, here or in the archive of the lab."""
    wanted = dict.fromkeys(names)
    found = {host.name: host for host in lab.read([name for name in wanted if name in lab.HOSTS])}
    for name, document in _read()["hosts"].items():
        if name in wanted:
            found[name] = read_host(json.dumps(document).encode(), name)
    return found
