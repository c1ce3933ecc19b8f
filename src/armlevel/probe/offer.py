"""One shape of one host: its registers, limits, lengths and services, and by trying what it accepts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from armlevel.probe.hypervisor import KvmLike, VcpuLike
from armlevel.probe.plan import ProbePlan, Run, Tried
from armlevel.probe.reset import CLIDR, forgets, without_forgotten
from armlevel.probe.shapes import feature_bits, vcpu_of
from armlevel.probe.try_writes import Answered, accepts_of, answers_alike, try_cache, try_register
from armlevel.profile import Accepts, Offer, Shape, whole_register

__all__ = ["Effort", "OfferSession", "probe_shape"]

_DEMUX = 0x6020_0000_0011_0000
_GROUP = 0xFFFF_FFFF_FFFF_0000
_VLS = 0x6060_0000_0015_FFFF
_PMCR = 0x603000000013DCE0
_QUADWORD = 128


@dataclass(slots=True)
class Effort:
    """What the trying of a host cost: values asked in full, and seconds in all."""

    values: int = 0
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class OfferSession:
    """One probe of one host: what it asks, how, and what it has learnt so far.

    ``pmu`` is the perf event type of the physical PMU. ``answers`` has what other shapes answered, by register, limit
    and mask of writable bits: a shape that has all three alike is asked at the edges of those answers, and in full
    if it answers otherwise; ``thorough`` asks everything again.
    """

    kvm: KvmLike
    plan: ProbePlan
    pmu: int | None = None
    thorough: bool = False
    effort: Effort = field(default_factory=Effort)
    answers: dict[tuple[str, int, int], Answered] = field(default_factory=dict)

    def answered(self, vcpu: VcpuLike, register: Tried, limit: int, mask: int) -> Answered:
        """Return what KVM does with a register of this vCPU."""
        key = (register.name, limit, mask)
        known = self.answers.get(key)
        if known is not None and not self.thorough and answers_alike(vcpu, register, known):
            return known
        answered = self.answers[key] = try_register(vcpu, register, limit)
        self.effort.values += answered.tried
        return answered


def probe_shape(session: OfferSession, shape: Shape) -> Offer:
    """Return the whole offer of ``shape``, from a scratch VM that never runs."""
    plan = session.plan
    with vcpu_of(session.kvm, shape, pmu=session.pmu) as (vm, vcpu):
        lengths = None
        if "sve" in shape.features:
            lengths = _lengths(vcpu.get(_VLS, "SVE vector lengths"))
            vcpu.finalize_sve()
        listed = frozenset(vcpu.registers())
        firmware = {name: vcpu.get(number, name) for name, number, _, _ in plan.firmware if number in listed}
        state = {name: vcpu.get(number, name) for name, number in plan.state if number in listed}
        counts = {"counters": vcpu.get(_PMCR, "PMCR_EL0") >> 11 & 0x1F} if _PMCR in listed else {}
        caches = {_cache_name(number): number for number in sorted(listed) if number & _GROUP == _DEMUX}
        limits = {name: vcpu.get(number, name) for name, number in caches.items()}
        limits |= {row.name: vcpu.get(row.kvm_id, row.name) for row in plan.identity if row.kvm_id in listed}
        start = time.perf_counter()
        accepts = _try_identity(session, vcpu, limits, vm.writable_masks())
        for name, number in caches.items():
            if try_cache(vcpu, number, limits[name]):
                accepts[whole_register(name)] = Accepts.of(None)
        session.effort.seconds += time.perf_counter() - start
        accepts |= _try_firmware(vcpu, plan, firmware)
        clidr = next((row.kvm_id for row in plan.identity if row.name == CLIDR and CLIDR in limits), None)
        if clidr is not None and forgets(vcpu, clidr, feature_bits(shape)):
            accepts = without_forgotten(accepts, CLIDR)
    registers = tuple(sorted(listed))
    return Offer(shape, "tried", "limit-only", limits, accepts, registers, firmware, state, lengths, counts)


def _cache_name(number: int) -> str:
    return f"CCSIDR_EL1[{number & 0xFF}]"


def _try_identity(
    session: OfferSession, vcpu: VcpuLike, limits: Mapping[str, int], masks: tuple[int, ...] | None
) -> dict[str, Accepts]:
    accepts: dict[str, Accepts] = {}
    for register in session.plan.identity:
        if register.name in limits:
            mask = masks[register.mask_index] if masks and register.mask_index >= 0 else -1
            accepts.update(session.answered(vcpu, register, limits[register.name], mask).accepts)
    return accepts


def _lengths(bitmap: int) -> tuple[int, ...]:
    return tuple(_QUADWORD * (n + 1) for n in range(512) if bitmap >> n & 1)


def _try_firmware(vcpu: VcpuLike, plan: ProbePlan, reset: Mapping[str, int]) -> dict[str, Accepts]:
    accepts: dict[str, Accepts] = {}
    for name, number, _kind, values in plan.firmware:
        if name not in reset:
            continue
        limit = reset[name]
        wanted = [value for value in values if value != limit]
        answers = dict(zip(wanted, vcpu.write_and_read_back(number, [*wanted, limit]), strict=False))
        accepted = accepts_of(Run(whole_register(name), 0, (1 << 64) - 1), limit, answers)
        if accepted is None:
            continue
        same = {limit, *(value for value, after in answers.items() if after == value)}
        changed = {value: after for value, after in answers.items() if after is not None and after != value}
        # Of what lies between the values that were tried and a larger limit, nothing is known.
        others: Literal["refused", "unknown"] = "unknown" if limit > max(values) else "refused"
        accepts[whole_register(name)] = Accepts.of(same, changed=changed, others=others)
    return accepts
