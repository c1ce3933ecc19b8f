"""What KVM can neither hide nor change: equal on both hosts, or refused."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import Name
from armlevel.engine.reasons import Reason, ReasonCode
from armlevel.engine.subjects import about_fact
from armlevel.engine.values import NOT_RECORDED, Frequency, Offers, RegisterValue, Value, offered
from armlevel.profile import Facts, Guest, Host, Shape

__all__ = ["FACTS", "common_facts", "facts_needed", "judge_facts", "level_facts"]

# Each is read by the guest without a trap, and kept from boot: CNTFRQ_EL0 has no KVM register id and is not
# trapped (a guest moved from 62.5 MHz to 1 GHz lived on with a clock 16 times too fast); DCZID_EL0 is cached by
# C libraries; GMID_EL1 is the block of tag instructions. Measured on Linux 7.3.4 guests under QEMU.
FACTS: dict[str, ReasonCode] = {
    "cntfrq_hz": "clock-rate",
    "dczid": "zeroed-bytes",
    "gmid": "moved-tags",
}


def facts_needed(shape: Shape) -> tuple[str, ...]:
    """Return the facts that a guest of this shape depends on."""
    return tuple(name for name in FACTS if name != "gmid" or "mte" in shape.features)


def _value(facts: Facts, name: str) -> int | None:
    value = getattr(facts, name)
    return value if value is None else int(value)


def _shown(name: str, value: int | None) -> Value:
    if value is None:
        return NOT_RECORDED
    return Frequency(value) if name == "cntfrq_hz" else RegisterValue(value)


def _finding(name: str, severity: Severity, needs: tuple[Value, ...], offers: Offers) -> Finding:
    unknown = severity == "unknown"
    missing = tuple(host for host, value in offers if value == NOT_RECORDED)
    remedy = (
        Remedy("fact", (Name(name),), missing)
        if unknown
        else Remedy("leave-out", hosts=tuple(host for host, _ in offers))
    )
    return Finding(
        about_fact(name),
        "facts",
        severity,
        needs=needs,
        offers=offers,
        cause="not known" if unknown else "silicon",
        because=() if unknown else (Reason(FACTS[name]),),
        remedies=(remedy,),
    )


def level_facts(hosts: Sequence[Host], shape: Shape) -> list[Finding]:
    """Return a ``breaks`` finding for each fact that differs, and an ``unknown`` one for each not recorded."""
    findings = []
    for name in facts_needed(shape):
        seen = {host.name: _value(host.facts, name) for host in hosts}
        offers = offered(*((host, _shown(name, value)) for host, value in seen.items()))
        known = {value for value in seen.values() if value is not None}
        if len(known) > 1:
            findings.append(_finding(name, "breaks", (), offers))
        elif None in seen.values():
            findings.append(_finding(name, "unknown", tuple(_shown(name, value) for value in known), offers))
    return findings


def common_facts(hosts: Sequence[Host], shape: Shape) -> Facts:
    """Return the facts that all hosts are known to share; the others stay unknown."""
    shared: dict[str, int] = {}
    for name in facts_needed(shape):
        values = {_value(host.facts, name) for host in hosts}
        if len(values) == 1 and (value := values.pop()) is not None:
            shared[name] = value
    return Facts(shared.get("cntfrq_hz"), shared.get("dczid"), shared.get("gmid"))


def judge_facts(guest: Guest, host: Host) -> list[Finding]:
    """Compare what the guest learnt at boot with the host's facts."""
    findings = []
    for name in facts_needed(guest.shape):
        want, have = _value(guest.facts, name), _value(host.facts, name)
        if want is None or have is None:
            findings.append(
                _finding(name, "unknown", (_shown(name, want),), offered((host.name, _shown(name, have))))
            )
        elif want != have:
            findings.append(
                _finding(name, "breaks", (_shown(name, want),), offered((host.name, _shown(name, have))))
            )
    return findings
