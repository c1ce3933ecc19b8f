"""What a guest learnt at boot that no VMM restores: its counter's frequency, and the blocks of DC ZVA and of tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from armlevel.onefile.codes import Code
from armlevel.onefile.found import Found
from armlevel.onefile.here import Here
from armlevel.probe.after_first_run import facts_by_guest
from armlevel.probe.counters import frequencies
from armlevel.probe.hypervisor import KvmLike
from armlevel.profile import Guest

__all__ = ["compare_facts"]

_FACTS = {"cntfrq_hz": "CNTFRQ_EL0", "dczid": "DCZID_EL0", "gmid": "GMID_EL1"}


def compare_facts(kvm: KvmLike, guest: Guest, here: Here, read: Mapping[str, int]) -> Iterator[Found]:
    """Compare a guest's facts with this host's; ``read`` is what a VM of its shape read by instructions.

    No KVM shows them: what a VM of the guest's shape cannot read, a plain one does.
    """
    tags = "mte" in guest.shape.features
    have = dict(read) or facts_by_guest(kvm, mte=tags)
    if len(here.usable) > 1 and len(set(frequencies(kvm, here.usable).values())) > 1:
        have.pop("cntfrq_hz", None)  # it depends on the CPU that the guest happens to run on
    for name, register in _FACTS.items():
        if name == "gmid" and not tags:
            continue
        was, now = getattr(guest.facts, name), have.get(name)
        if was is None or now is None:
            yield Found("not-recorded", "unknown", register, _said(was), _said(now), remedy="probe")
        elif was != now:
            code: Code = "clock-differs" if name == "cntfrq_hz" else "fact-differs"
            yield Found(code, "breaks", register, str(was), str(now), "silicon", "restart")


def _said(value: int | None) -> str:
    return "" if value is None else str(value)
