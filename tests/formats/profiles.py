"""Guest profiles to export: naturals and baselines of the recorded emulated and Graviton hosts."""

from __future__ import annotations

from functools import cache
from itertools import combinations

from armlevel import machines
from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import level, passthrough
from armlevel.formats import read_request
from armlevel.profile import Guest, Host
from tests.fidelity.hosts import HOSTS, read

__all__ = ["EMULATED", "RECORDED", "back", "baselines", "host", "naturals"]

EMULATED = tuple(
    f"{cpu}@{line}"
    for line in ("6.12", "7.x")
    for cpu in (
        "cortex-a72",
        "cortex-a76",
        "cortex-a710",
        "neoverse-n1",
        "neoverse-n2",
        "neoverse-v1",
        "a64fx",
        "max",
    )
    if f"{cpu}@{line}" in HOSTS
)
RECORDED = machines.names()


@cache
def _emulated() -> dict[str, Host]:
    return {one.name: one for one in read()}


@cache
def host(name: str) -> Host:
    """Return an emulated host, or a recorded machine, by name."""
    if name in _emulated():
        return _emulated()[name]
    with machines.folder() as folder:
        return load_hosts([str(folder / f"{name}.json")])[0]


@cache
def naturals(vmm: str = "qemu") -> tuple[tuple[Guest, Host], ...]:
    """Return the passthrough guest of each host, with the host."""
    hosts = [host(name) for name in (*EMULATED, *RECORDED)]
    return tuple((passthrough(one, load(), vmm=vmm), one) for one in hosts)


@cache
def baselines() -> tuple[tuple[Guest, Host, Host], ...]:
    """Return each pair of emulated hosts that has a baseline, with that."""
    found = []
    for one, other in combinations(EMULATED, 2):
        outcome = level([host(one), host(other)], load(), name=f"{one} & {other}")
        if outcome.answer == "runs" and outcome.guest is not None:
            found.append((outcome.guest, host(one), host(other)))
    return tuple(found)


def back(text: str, there: Host) -> Guest:
    """Return the guest that a file which changes a host's CPU gives on a host."""
    request = read_request(text.encode(), "file")
    assert request is not None
    return request.onto(passthrough(there, load(), shape=request.shape_on(there)))
