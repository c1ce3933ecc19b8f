"""Guests of recorded hosts, tried in one boot of an emulated host each, and what `check` says of the same."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from armlevel.arch import Catalogue
from armlevel.documents.packed import pack
from armlevel.engine import level
from armlevel.engine.passthrough import passthrough
from armlevel.engine.policy import Policy
from armlevel.errors import LabError
from armlevel.lab import PATIENCE, Job, Laboratory, pack_guard, parse_host
from armlevel.lab.images import archive_of, write_archive
from armlevel.lab.store import content_key
from armlevel.profile import Guest, GuestMachine, Host, Shape

__all__ = ["DESTINATIONS", "guests_for", "try_there"]

#: Cores and kernels of every kind that is recorded.
DESTINATIONS = (
    *(
        "neoverse-n1@7.x",
        "neoverse-n2@7.x",
        "neoverse-n1@6.12",
        "max@7.x",
        "neoverse-v1@6.12",
        "neoverse-n1@6.1",
    ),
    *(
        "neoverse-n1@6.18",
        "cortex-a76@7.x",
        "a64fx@6.18",
        "cortex-a72@6.1",
        "neoverse-n2@6.12",
        "neoverse-v1@7.x",
    ),
    *("cortex-a710@7.x", "cortex-a53@6.12", "max@6.1"),
)


def guests_for(there: Host, hosts: Sequence[Host], catalogue: Catalogue) -> dict[str, Guest]:
    """Return guests that may come to a host: of its own core under every kernel, of some others, and levelled ones."""
    core = there.name.split("@")[0].split(",")[0]
    alike = [host for host in hosts if host.name.split("@")[0].split(",")[0] == core]
    others = [host for host in hosts if host not in alike]
    Random(there.name).shuffle(others)
    found: dict[str, Guest] = {}
    for host in (*alike, *others[:5]):
        found |= _started_on(host, catalogue)
    pairs = [
        *((there, one) for one in (*alike, *others[:8]) if one is not there),
        *list(combinations(alike, 2))[:4],
    ]
    for number, pair in enumerate(pairs):
        policy = Policy(tolerate=("el2-only",)) if number % 2 else Policy()
        if (outcome := level(pair, catalogue, policy)).guest is not None:
            found[f"{pair[0].name} + {pair[1].name}"] = outcome.guest
    return found


def _started_on(host: Host, catalogue: Catalogue) -> dict[str, Guest]:
    asked = GuestMachine(
        vmm="qemu",
        machine="virt-10.0",
        gic_asked="default",
        its=True,
        vcpus=2,
        memory=1 << 30,
        maxmem=1 << 30,
        slots=0,
        virtualization=False,
        steal_time_asked="default",
        **catalogue.board_defaults(()),
    )
    return {
        f"{host.name} kvm": passthrough(host, catalogue),
        f"{host.name} qemu": passthrough(host, catalogue, vmm="qemu", machine=asked),
        f"{host.name} base": passthrough(host, catalogue, shape=Shape()),
    }


def try_there(lab: Laboratory, host: str, guests: Mapping[str, Guest]) -> dict[str, Any]:
    """Boot ``host`` once and try every guest in it.

    Raises:
        LabError: the host did not start, or what runs inside failed.

    """
    files = {f"inside/{path}": data for path, data in pack_guard().items()}
    files["inside/__main__.py"] = Path(__file__).with_name("inside_trying.py").read_bytes()
    store, key = (
        lab.store(),
        content_key("trying", *(part for item in sorted(files.items()) for part in item)),
    )
    compiled = store.path("bytecode", key) / "bytecode.cpio"
    known = compiled.exists()
    texts = {name: pack(guest) for name, guest in guests.items()}
    files["texts"] = gzip.compress(json.dumps(texts).encode(), 6, mtime=0)
    job = Job("python3 -I inside texts $OUT/found", files, learn=not known)
    result = lab.run(parse_host(host), job, PATIENCE, (compiled,) if known else ())
    if result.status or "found" not in result.files:
        raise LabError(f"{host}: {result.stderr.strip().splitlines()[-3:] or result.status}")
    if not known:
        learnt = archive_of(result.bytecode)
        store.entry("bytecode", key, lambda place: write_archive(place / "bytecode.cpio", learnt))
    found: dict[str, Any] = json.loads(gzip.decompress(result.files["found"]))
    return found
