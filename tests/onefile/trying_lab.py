"""Guests of recorded hosts, tried in one boot of an emulated host each, and what `check` says of the same."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
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
from armlevel.profile import Guest, GuestMachine, Host, Shape

__all__ = ["DESTINATIONS", "guests_of", "try_there"]

#: Cores and kernels of every kind that is recorded.
DESTINATIONS = (
    *(f"{cpu}@6.1" for cpu in ("neoverse-n1", "cortex-a72", "max")),
    *(f"{cpu}@6.12" for cpu in ("neoverse-n1", "neoverse-v1", "neoverse-n2", "cortex-a53")),
    *(f"{cpu}@6.18" for cpu in ("neoverse-n1", "cortex-a76", "a64fx")),
    *(f"{cpu}@7.x" for cpu in ("neoverse-n1", "neoverse-n2", "neoverse-v1", "cortex-a710", "max")),
)
_TYPED = "virt-10.0"


def guests_of(hosts: Sequence[Host], catalogue: Catalogue, *, levelled: int = 60) -> dict[str, Guest]:
    """Return the passthrough guests of hosts, with a machine and without, in several shapes, and levelled ones."""
    board = catalogue.board_defaults(())
    asked = GuestMachine(
        vmm="qemu",
        machine=_TYPED,
        gic_asked="default",
        its=True,
        vcpus=2,
        memory=1 << 30,
        maxmem=1 << 30,
        slots=0,
        virtualization=False,
        steal_time_asked="default",
        **board,
    )
    found = {}
    for host in hosts:
        for name, guest in (
            ("kvm", passthrough(host, catalogue)),
            ("qemu", passthrough(host, catalogue, vmm="qemu", machine=asked)),
            ("base", passthrough(host, catalogue, shape=Shape())),
        ):
            found[f"{host.name} {name}"] = guest
    pairs = list(combinations(hosts, 2))
    Random(13).shuffle(pairs)
    for number, pair in enumerate(pairs):
        if number >= levelled:
            break
        policy = Policy(tolerate=("el2-only",)) if number % 3 == 0 else Policy()
        if (outcome := level(pair, catalogue, policy)).guest is not None:
            found[f"{pair[0].name} + {pair[1].name}"] = outcome.guest
    return found


def try_there(lab: Laboratory, host: str, guests: dict[str, Guest]) -> dict[str, Any]:
    """Boot ``host`` once and try every guest in it.

    Raises:
        LabError: the host did not start, or what runs inside failed.

    """
    files = {f"inside/{path}": data for path, data in pack_guard().items()}
    files["inside/__main__.py"] = Path(__file__).with_name("inside_trying.py").read_bytes()
    texts = {name: pack(guest) for name, guest in guests.items()}
    files["texts"] = gzip.compress(json.dumps(texts).encode(), 6, mtime=0)
    result = lab.run(parse_host(host), Job("python3 -I inside texts $OUT/found", files), PATIENCE)
    if result.status or "found" not in result.files:
        raise LabError(f"{host}: {result.stderr.strip().splitlines()[-3:] or result.status}")
    found: dict[str, Any] = json.loads(gzip.decompress(result.files["found"]))
    return found
