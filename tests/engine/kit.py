"""Hosts for the engine's tests, complete enough to be judged in every part, and otherwise as small as can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from armlevel.arch import load
from armlevel.engine import Baseline, Finding
from armlevel.profile import (
    Accepts,
    Cpu,
    Facts,
    Host,
    HostMachine,
    Implementation,
    Offer,
    Shape,
    Software,
    TriedField,
)

CATALOGUE = load()
N1 = Implementation(0x413FD0C1, 0, 0)
V1 = Implementation(0x411FD401, 1, 0)
V2 = Implementation(0x410FD4F1, 0, 0)
PSCI, W1, W2, W3 = (
    f"KVM_REG_ARM_{name}"
    for name in ("PSCI_VERSION", *(f"SMCCC_ARCH_WORKAROUND_{number}" for number in (1, 2, 3)))
)
STD = "KVM_REG_ARM_STD_BMAP"
FACTS = Facts(cntfrq_hz=1_000_000_000, dczid=4, page_size=4096)
#: What stands around the vCPU on each of them.
AROUND = HostMachine(
    gic={"v2": "ENODEV", "v3": "yes", "its": "yes", "v5": "ENODEV"},
    icc_ctlr={
        "PRIbits": TriedField(4, frozenset(range(5)), frozenset({5, 6, 7})),
        "IDbits": TriedField(0, frozenset({0}), frozenset(range(1, 8))),
        "SEIS": TriedField(0, frozenset({0}), frozenset({1})),
        "A3V": TriedField(1, frozenset({1}), frozenset({0})),
    },
    gicd_iidr=TriedField(3, frozenset({2, 3}), frozenset(range(16)) - {2, 3}),
    gicd_typer2=0,
    ipa_bits=48,
    ipa_min=32,
    ipa_fixed=False,
    mode="vhe",
    counter_offset=True,
    steal_time=True,
    ptp=True,
    unknown=(),
)
BASE = Shape()


def shape(*features: str, imp_id_writable: bool = False) -> Shape:
    return Shape(frozenset(features), imp_id_writable=imp_id_writable)


def limits(fields: Mapping[str, int]) -> dict[str, int]:
    """Register values out of ``REG.FIELD`` values; only AArch64 at every level unless said otherwise."""
    registers: dict[str, int] = {}
    for name, value in {"ID_AA64PFR0_EL1.EL0": 1, "ID_AA64PFR0_EL1.EL1": 1, **fields}.items():
        if name.partition(".")[2]:
            field = CATALOGUE.field(name)
            registers[field.register] = field.put(registers.get(field.register, 0), value)
        else:
            registers[name] = value
    return registers


def offer(
    fields: Mapping[str, int] | None = None,
    *,
    of: Shape = BASE,
    cpu: Implementation = N1,
    takes: Mapping[str, Accepts] | None = None,
    lists: Iterable[int] | None = (),
    firmware: Mapping[str, int] | None = None,
    sve_vls: tuple[int, ...] | None = None,
    default: str = "limit-only",
    state: Mapping[str, int] | None = None,
) -> Offer:
    """One offer; every KVM lists its firmware registers."""
    has = {PSCI: 0x10001} if firmware is None else dict(firmware)
    ids = (
        None if lists is None else tuple(sorted({*lists, *(CATALOGUE.firmware[name].kvm_id for name in has)}))
    )
    return Offer(
        of,
        "tried",
        default,  # type: ignore[arg-type]
        {**cpu.registers(), **limits(fields or {})},
        dict(takes or {}),
        ids,
        has,
        dict(state or {}),
        sve_vls,
    )


def host(
    name: str, *offers: Offer, cpu: Implementation = N1, facts: Facts = FACTS, kernel: str | None = "7.3.4"
) -> Host:
    return Host(name, offers or (offer(cpu=cpu),), (Cpu(cpu),), facts, Software(kernel), machine=AROUND)


def plain(name: str, fields: Mapping[str, int] | None = None, **more) -> Host:
    """A host with one offer."""
    return host(name, offer(fields, **more), cpu=more.get("cpu", N1))


def up_to(*fields: str, most: int = 15) -> dict[str, Accepts]:
    """Fields that take any value up to ``most``."""
    return {name: Accepts.of(range(most + 1)) for name in fields}


def about(findings: Iterable[Finding], subject: str) -> list[Finding]:
    return [finding for finding in findings if finding.subject.key == subject]


def field_of(outcome: Baseline, name: str) -> int:
    """The levelled value of one field."""
    assert outcome.guest is not None, outcome.conflicts
    field = CATALOGUE.field(name)
    return field.get(outcome.guest.registers[field.register])
