"""The emulated hosts that the suite runs on, and what was recorded of them: one small archive beside this file."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from armlevel.documents import canonical, host_object, read_host
from armlevel.profile import Host

__all__ = ["ARCHIVE", "HOSTS", "SAMPLE", "alike", "read", "write"]

ARCHIVE = Path(__file__).parents[1] / "machines" / "lab.json.xz"
_CPUS = (
    *("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "cortex-a710"),
    *("neoverse-n1", "neoverse-n2", "neoverse-v1", "a64fx", "max"),
)
_VARIANTS = (
    "neoverse-v1,sve=off@{}",
    "max,pauth-qarma5=on@{}",
    "max,pauth-impdef=on@{}",
    "max,cntfrq=62500000@{}",
    "max@{},mte=on",
    "max@{},boot=kvm-arm.mode=nested",
)
#: Ten CPU models on four kernel lines, and variants.
HOSTS = (
    *(f"{cpu}@{line}" for line in ("6.1", "6.12", "6.18", "7.x") for cpu in _CPUS),
    *(variant.format(line) for line in ("6.12", "7.x") for variant in _VARIANTS),
    *(variant.format("6.18") for variant in _VARIANTS[-2:]),
    *("max,pauth-qarma3=on@7.x", "max,sve=off@7.x", "neoverse-n1,cntfrq=100000000@7.x"),
)
#: Those that `make test` boots.
SAMPLE = tuple(
    f"{cpu}@{line}" for line in ("6.12", "7.x") for cpu in ("neoverse-n1", "neoverse-n2", "cortex-a72")
)


def read(names: Iterable[str] = HOSTS, archive: Path = ARCHIVE) -> list[Host]:
    """Return recorded hosts."""
    documents: dict[str, Any] = json.loads(lzma.decompress(archive.read_bytes()))
    return [read_host(json.dumps(documents[name]).encode(), name) for name in names]


def timeless(host: Host) -> dict[str, Any]:
    """Return the document of a host without the moment at which it was probed."""
    return host_object(replace(host, made=replace(host.made, at="")))


def alike(one: Host, other: Host) -> bool:
    """Whether two probes of a host found the same."""
    documents = [timeless(host) for host in (one, other)]
    return len({canonical({k: v for k, v in some.items() if k != "made"}) for some in documents}) == 1


def write(hosts: Iterable[Host], archive: Path = ARCHIVE) -> None:
    """Write the archive."""
    documents = {host.name: timeless(host) for host in hosts}
    text = json.dumps(documents, sort_keys=True, separators=(",", ":"))
    archive.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
