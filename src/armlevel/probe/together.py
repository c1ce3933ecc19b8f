"""Values that KVM may judge together: tried in pairs, and said where the pair is not what each alone was."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.errors import KvmError
from armlevel.probe.final import make_ready
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.plan import Plan, Tried
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Offer

__all__ = ["tried_together"]

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


def tried_together(
    kvm: KvmLike, offer: Offer, plan: Plan, gic: str | None, *, pmu: int | None = None
) -> list[str]:
    """Lower one of a pair, let KVM finish the VM, and say where the other one changed with it.

    >>> from armlevel.profile import Shape
    >>> tried_together(None, Offer(Shape()), Plan((), (), (), ""), None)  # nothing is shown: nothing to try
    []
    """
    rows = {row.name: row for row in plan.identity}
    firmware = {name: number for name, number, _kind, _values in plan.firmware}
    said = []
    shown = {**offer.limits, **offer.firmware}
    for lowered, watched in _PAIRS:
        accepted = offer.accepts.get(lowered)
        name = watched.partition(".")[0]
        if accepted is None or not accepted.values or name not in shown:
            continue
        lowest = min(accepted.values)
        register = rows[lowered.partition(".")[0]]
        run = next(run for run in register.runs if run.subject == lowered)
        if run.get(offer.limits[register.name]) == lowest:
            continue
        number = rows[name].kvm_id if name in rows else firmware[name]
        with vcpu_of(kvm, offer.shape, pmu=pmu) as (vm, vcpu):
            make_ready(vm, vcpu, offer.shape, gic)
            try:
                vcpu.set(register.kvm_id, run.put(offer.limits[register.name], lowest), lowered)
                before = _shown(vcpu.get(number, watched), watched, rows)
                vcpu.finalise()
                after = _shown(vcpu.get(number, watched), watched, rows)
            except KvmError as exc:
                said.append(f"{lowered} = {lowest} cannot be finalised: {exc}")
                continue
        alone = _shown(shown[name], watched, rows)
        if after != alone:
            when = "" if before == after else ", once the VM runs"
            said.append(f"with {lowered} = {lowest}, {watched} is {after:#x} instead of {alone:#x}{when}")
    return said


def _shown(value: int, watched: str, rows: Mapping[str, Tried]) -> int:
    name, _, field = watched.partition(".")
    if not field:
        return value
    return next(run.get(value) for run in rows[name].runs if run.subject == watched)
