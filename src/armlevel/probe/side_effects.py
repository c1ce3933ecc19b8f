"""Values that KVM may judge together: one of a pair is lowered, and what KVM then makes of the other is noted."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.errors import KvmError
from armlevel.probe.after_first_run import make_ready
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.plan import ProbePlan, Tried
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Offer

__all__ = ["side_effects_of"]

_WORKAROUND_2 = "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2"
# What is lowered (field, to its lowest value) -> what is looked at: a field or a firmware register.
_PAIRS = (
    ("ID_AA64DFR0_EL1.PMUVer", "ID_DFR0_EL1.PerfMon"),
    ("ID_DFR0_EL1.PerfMon", "ID_AA64DFR0_EL1.PMUVer"),
    ("ID_AA64PFR1_EL1.SSBS", _WORKAROUND_2),
    ("ID_AA64PFR1_EL1.MTE", "ID_AA64PFR1_EL1.MTE_frac"),
    ("CTR_EL0.IDC", "CLIDR_EL1.LoC"),
    ("CTR_EL0.DIC", "CLIDR_EL1.LoUU"),
)


def side_effects_of(
    kvm: KvmLike, offer: Offer, plan: ProbePlan, gic: str | None, *, pmu: int | None = None
) -> dict[str, dict[str, int | None]]:
    """Lower one value of each pair, finalize the vCPU, and return the value of the other (None: KVM refuses).

    The result is ``Offer.side_effects``, without pairs of which this shape shows only one or lets nothing be lowered.

    >>> from armlevel.profile import Shape
    >>> side_effects_of(
    ...     None, Offer(Shape()), ProbePlan((), (), (), ""), None
    ... )  # nothing is shown: nothing to try
    {}
    """
    rows = {row.name: row for row in plan.identity}
    firmware = {name: number for name, number, _kind, _values in plan.firmware}
    effects: dict[str, dict[str, int | None]] = {}
    shown = {**offer.limits, **offer.firmware}
    for lowered, watched in _PAIRS:
        accepted = offer.accepts.get(lowered)
        name = watched.partition(".")[0]
        if accepted is None or name not in shown:
            continue
        lowest = 0 if accepted.values is None else min(accepted.values)
        register = rows[lowered.partition(".")[0]]
        run = next(run for run in register.runs if run.subject == lowered)
        if run.get(offer.limits[register.name]) == lowest:
            continue
        number = rows[name].kvm_id if name in rows else firmware[name]
        seen: int | None = None
        with vcpu_of(kvm, offer.shape, pmu=pmu) as (vm, vcpu):
            make_ready(vm, vcpu, offer.shape, gic)
            try:
                vcpu.set(register.kvm_id, run.put(offer.limits[register.name], lowest), lowered)
                vcpu.finalize()
                seen = _shown(vcpu.get(number, watched), watched, rows)
            except KvmError:
                seen = None
        effects[f"{lowered}={lowest}"] = {watched: seen}
    return effects


def _shown(value: int, watched: str, rows: Mapping[str, Tried]) -> int:
    name, _, field = watched.partition(".")
    if not field:
        return value
    return next(run.get(value) for run in rows[name].runs if run.subject == watched)
