"""Hosts of one CPU under another kernel: the one place that says so. What is not recorded is equal to nothing."""

from __future__ import annotations

from armlevel.arch import release_numbers
from armlevel.profile import Host, alike

__all__ = ["is_newer_twin", "is_twin", "may_be_newer_twin"]


def is_twin(host: Host, other: Host) -> bool:
    """Whether two hosts have the same CPUs and what no kernel changes, and another kernel, all of it recorded."""
    kernels = (host.software.kernel, other.software.kernel)
    return _same_machine(host, other) is True and None not in kernels and kernels[0] != kernels[1]


def is_newer_twin(host: Host, other: Host) -> bool:
    """Whether ``other`` is a twin of ``host`` with a newer kernel."""
    return is_twin(host, other) and () < _release(host) < _release(other)


def may_be_newer_twin(host: Host, other: Host) -> bool:
    """Whether ``other`` is a twin of ``host`` with a newer kernel as far as is recorded."""
    newer = not _release(host) or not _release(other) or _release(host) < _release(other)
    return newer and _same_machine(host, other) is not False


def _release(host: Host) -> tuple[int, ...]:
    return release_numbers(host.software.kernel)


def _same_machine(host: Host, other: Host) -> bool | None:
    # None: something that decides is not recorded. GMID_EL1 is there with memory tagging alone.
    mte = any("mte" in shape.features for shape in (*host.shapes, *other.shapes))
    names = ("cntfrq_hz", "dczid", *(("gmid",) if mte else ()))
    said = [alike(host.implementations, other.implementations)]
    for name in names:
        one, two = getattr(host.facts, name), getattr(other.facts, name)
        said.append(None if None in (one, two) else one == two)
    return False if False in said else None if None in said else True
