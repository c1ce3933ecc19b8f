"""What a KVM has that no row knows: next year's VMM gives it to a passthrough guest, and nobody can judge it."""

from __future__ import annotations

from collections.abc import Container

from armlevel.engine.case import Case
from armlevel.engine.findings import Finding
from armlevel.engine.reasons import Reason, ReasonCode
from armlevel.engine.subjects import about_whole
from armlevel.engine.values import named, offered
from armlevel.kvm.numbers import (
    KNOWN_CAPABILITIES,
    KNOWN_DEVICES,
    KNOWN_FEATURES,
    KNOWN_REGISTER_GROUPS,
)
from armlevel.profile import Host

__all__ = ["judge_unknown", "unknown_there", "unknown_to_rows"]

# By the prefix under which a probe names them (armlevel.probe.novelties).
_KNOWN: dict[str, Container[int]] = {
    "KVM_ARM_VCPU": KNOWN_FEATURES,
    "KVM_CAP": KNOWN_CAPABILITIES,
    "KVM_DEV_TYPE": KNOWN_DEVICES,
    "KVM_REG_ARM": KNOWN_REGISTER_GROUPS,
}


def unknown_to_rows(host: Host) -> tuple[str, ...]:
    """Return what this host's KVM has and no row of today knows; what was new to an older probe may be known by now.

    >>> from armlevel.profile import HostMachine
    >>> unknown_to_rows(Host("a", machine=HostMachine(unknown=("KVM_CAP 240", "KVM_CAP 9999", "KVM_NEW 1"))))
    ('KVM_CAP 9999', 'KVM_NEW 1')
    """
    if host.machine is None:
        return ()
    return tuple(name for name in host.machine.unknown or () if not _is_known(name))


def _is_known(name: str) -> bool:
    prefix, _, number = name.partition(" ")
    try:
        return int(number, 0) in _KNOWN.get(prefix, ())
    except ValueError:
        return False


def judge_unknown(case: Case) -> list[Finding]:
    """Leave open what a passthrough guest may have of a KVM that is newer than the rows, wherever it starts or goes."""
    if not case.guest.unknown:
        return []
    return [_left_open(case.guest.unknown, case.host, "started-beside-unknown")]


def unknown_there(host: Host) -> list[Finding]:
    """Leave open what a VMM that passes its own CPU through gives a guest on arriving at such a host."""
    names = unknown_to_rows(host)
    return [_left_open(names, host, "passed-through-unknown")] if names else []


def _left_open(names: tuple[str, ...], host: Host, code: ReasonCode) -> Finding:
    return Finding(
        about_whole("kvm-unknown"),
        "shape",
        "unknown",
        (named(*names),),
        offered((host.name, named(*unknown_to_rows(host)))),
        "kernel",
        because=(Reason(code),),
    )
