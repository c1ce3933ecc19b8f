"""What KVM can neither hide nor change: equal on both hosts, or refused."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.engine.findings import Finding, Remedy
from armlevel.profile import Facts, Guest, Host, Shape

__all__ = ["FACT_MEANING", "common_facts", "facts_needed", "judge_facts", "level_facts"]

# Each is read by the guest without a trap, and kept from boot: CNTFRQ_EL0 has no KVM register id and is not
# trapped (a guest moved from 62.5 MHz to 1 GHz lived on with a clock 16 times too fast); DCZID_EL0 is cached by
# C libraries; GMID_EL1 is the block of tag instructions. Measured on Linux 7.3.4 guests under QEMU.
FACT_MEANING: dict[str, tuple[str, str]] = {
    "cntfrq_hz": ("CNTFRQ_EL0", "the guest's clock would run at another rate"),
    "dczid": ("DCZID_EL0", "DC ZVA would zero another number of bytes"),
    "gmid": ("GMID_EL1", "LDGM and STGM would move another number of tags"),
}


def facts_needed(shape: Shape) -> tuple[str, ...]:
    """Return the facts that a guest of this shape depends on."""
    return tuple(name for name in FACT_MEANING if name != "gmid" or "mte" in shape.features)


def _value(facts: Facts, name: str) -> int | None:
    value = getattr(facts, name)
    return value if value is None else int(value)


def _text(name: str, value: int | None) -> str:
    if value is None:
        return "not recorded"
    return f"{value / 1_000_000:g} MHz" if name == "cntfrq_hz" else f"{value:#x}"


def _finding(
    name: str, severity: str, needs: tuple[str, ...], offers: tuple[tuple[str, str], ...]
) -> Finding:
    unknown = severity == "unknown"
    missing = tuple(host for host, text in offers if text == "not recorded")
    remedy = (
        Remedy("fact", name, missing) if unknown else Remedy("leave-out", hosts=tuple(h for h, _ in offers))
    )
    return Finding(
        f"facts.{name}",
        "facts",
        severity,  # type: ignore[arg-type]
        needs=needs,
        offers=offers,
        cause="not known" if unknown else "silicon",
        because=() if unknown else FACT_MEANING[name],
        remedies=(remedy,),
    )


def level_facts(hosts: Sequence[Host], shape: Shape) -> list[Finding]:
    """Return a ``breaks`` finding for each fact that differs, and an ``unknown`` one for each not recorded."""
    findings = []
    for name in facts_needed(shape):
        seen = {host.name: _value(host.facts, name) for host in hosts}
        offers = tuple((host, _text(name, value)) for host, value in seen.items())
        known = {value for value in seen.values() if value is not None}
        if len(known) > 1:
            findings.append(_finding(name, "breaks", (), offers))
        elif None in seen.values():
            findings.append(_finding(name, "unknown", tuple(_text(name, value) for value in known), offers))
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
                _finding(name, "unknown", (_text(name, want),), ((host.name, _text(name, have)),))
            )
        elif want != have:
            findings.append(_finding(name, "breaks", (_text(name, want),), ((host.name, _text(name, have)),)))
    return findings
