"""Why a field differs between hosts, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from armlevel.arch import Catalogue
from armlevel.engine.findings import Cause, Remedy
from armlevel.engine.names import HostName, Name
from armlevel.profile import Host, Implementation, alike

__all__ = ["cause_between", "newer_line"]


def cause_between(hosts: Sequence[Host]) -> Cause:
    """Say what differs between hosts that do not agree: the silicon, the kernel, or something not recorded.

    >>> from armlevel.profile import Cpu, Implementation, Software
    >>> n1 = (Cpu(Implementation(0x413FD0C1, 0, 0)),)
    >>> old, new = Host("a", cpus=n1, software=Software("6.1")), Host("b", cpus=n1, software=Software("6.18"))
    >>> cause_between([old, new]), cause_between([new, Host("c", cpus=n1, software=Software("6.18"))])
    ('kernel', 'boot option')
    """
    return _cause(
        frozenset(host.implementations for host in hosts), frozenset(host.software.kernel for host in hosts)
    )


# The same few hosts differ in many fields.
@lru_cache(maxsize=1024)
def _cause(kinds: frozenset[frozenset[Implementation]], kernels: frozenset[str | None]) -> Cause:
    if frozenset() in kinds:
        return "not known"
    same = {alike(one, two) for one in kinds for two in kinds}
    if False in same:
        return "silicon"
    if None in same:
        return "not known"
    if None in kernels:
        return "not known"
    return "kernel" if len(kernels) > 1 else "boot option"


def newer_line(subject: str, kernels: Mapping[str, str | None], catalogue: Catalogue) -> Remedy | None:
    """Return the kernel upgrade that would let userspace write ``subject``, and for which of these hosts.

    ``kernels`` maps host -> kernel release, None where it is not recorded. None if no measured kernel line lets it be
    written, or all do.
    """
    opens = _opens(catalogue, subject)
    if not opens:
        return None
    stuck = tuple(
        HostName(host)
        for host, release in kernels.items()
        if (line := catalogue.line(release)) is not None and line.name not in opens
    )
    return Remedy("upgrade-kernel", (Name(opens[0]),), stuck) if stuck else None


@lru_cache(maxsize=4096)
def _opens(catalogue: Catalogue, subject: str) -> tuple[str, ...]:
    rows = catalogue.writable.get(subject, ())
    return tuple(line.name for line in catalogue.lines if any(line.name in row.lines for row in rows))
