"""What is decided before a vCPU exists: its features, vector lengths, event counters, and who signed its pointers."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Mapping

from armlevel.errors import KvmError
from armlevel.onefile.found import Found
from armlevel.onefile.here import Here
from armlevel.probe.hypervisor import KvmLike, VcpuLike
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import Guest, Implementation, Shape
from armlevel.profile.policy import SAME_IMPDEF

__all__ = [
    "compare_counters",
    "compare_lengths",
    "compare_signers",
    "interrupt_controller",
    "missing_features",
]

_PMCR = 0x603000000013DCE0
_QUADWORD = 128
_GIC_LSB = 24  # ID_AA64PFR0_EL1.GIC
_NEEDS = {"pmu_v3_strict": frozenset({"pmu_v3"}), "has_el2_e2h0": frozenset({"has_el2"})}
# Fields that say "an IMPLEMENTATION DEFINED algorithm" (DDI 0487, ID_AA64ISAR1_EL1.API and .GPI).
_IMPDEF = ("ID_AA64ISAR1_EL1.API", "ID_AA64ISAR1_EL1.GPI")


def missing_features(kvm: KvmLike, shape: Shape) -> list[Found]:
    """Return what this host cannot give a vCPU of this shape; nothing where it can have it."""
    if (code := _refused(kvm, shape)) is None:
        return []
    found = []
    for name in sorted(shape.features):
        if (alone := _refused(kvm, Shape(frozenset({name}) | _NEEDS.get(name, frozenset())))) is not None:
            cause = "kernel" if alone == errno.ENOENT else "silicon"
            found.append(Found("feature-missing", "stops", name, "yes", "no", cause, "elsewhere"))
    if shape.imp_id_writable and _refused(kvm, Shape(imp_id_writable=True)) is not None:
        found.append(Found("feature-missing", "stops", "imp_id", "yes", "no", "kernel", "elsewhere"))
    why = errno.errorcode.get(code, "")
    return found or [Found("feature-missing", "stops", shape.label, "yes", why, remedy="elsewhere")]


def _refused(kvm: KvmLike, shape: Shape) -> int | None:
    try:
        with vcpu_of(kvm, shape):
            return None
    except KvmError as exc:
        if exc.code not in (errno.EINVAL, errno.ENOENT):
            raise
        return exc.code


def compare_lengths(wanted: tuple[int, ...] | None, bitmap: int) -> Iterator[Found]:
    """Compare vector lengths in bits with those of this host, up to the guest's largest.

    >>> [one.severity for one in compare_lengths((128, 256), 0b1011)], list(compare_lengths((128,), 0b11))
    ([], [])
    """
    have = tuple(_QUADWORD * (n + 1) for n in range(512) if bitmap >> n & 1)
    shown = ", ".join(map(str, have))
    if not wanted:
        yield Found("not-recorded", "unknown", "sve_vls", "", shown, remedy="probe")
    elif tuple(one for one in have if one <= max(wanted)) != tuple(sorted(wanted)):
        said = ", ".join(map(str, sorted(wanted)))
        yield Found("lengths-differ", "stops", "sve_vls", said, shown, "silicon", "elsewhere")


def compare_counters(guest: Guest, vcpu: VcpuLike, listed: Collection[int], here: Here) -> Iterator[Found]:
    """Compare the event counters that the guest was told of with those of this host's PMU."""
    if "pmu_v3" not in guest.shape.features:
        return
    was = guest.pmu_counters
    now = vcpu.get(_PMCR, "PMCR_EL0") >> 11 & 0x1F if _PMCR in listed else None
    said = "" if was is None else str(was), "" if now is None else str(now)
    if here.mixed:
        # The default PMU is that of the CPU on which the vCPU was initialised.
        yield Found("cpus-differ", "unknown", "pmu.counters", *said, remedy="elsewhere")
    elif was is None or now is None:
        yield Found("not-recorded", "unknown", "pmu.counters", *said, remedy="probe")
    elif now < was:
        yield Found("counters-fewer", "breaks", "pmu.counters", *said, "silicon", "restart")


def compare_signers(guest: Guest, known: Mapping[str, int], here: Here) -> Iterator[Found]:
    """Compare the cores that signed the guest's pointers with an algorithm of their own with those of this host."""
    if "ptrauth" not in guest.shape.features or not any(known.get(name) for name in _IMPDEF):
        return
    shown = guest.implementation
    signed: tuple[Implementation, ...] = ()
    if shown is not None:
        signed = shown.targets if guest.shape.imp_id_writable else (shown.shown,)
    ours, theirs = _parts(signed), _parts(here.cpus)
    if ours and ours == theirs:
        return
    said = _cores(ours), _cores(theirs), "silicon"
    if SAME_IMPDEF in guest.tolerates:
        yield Found("tolerated", "note", "ptrauth", *said)
    elif not ours or not theirs or ours & theirs:
        yield Found("core-not-known", "unknown", "ptrauth", *said, "elsewhere")
    else:
        yield Found("other-core", "breaks", "ptrauth", *said, "restart")


def _parts(implementations: Collection[Implementation]) -> frozenset[tuple[int, int]]:
    parts = [one.part for one in implementations]
    return frozenset() if None in parts else frozenset(part for part in parts if part is not None)


def _cores(parts: frozenset[tuple[int, int]]) -> str:
    return ", ".join(f"{implementer:#x}/{part:#x}" for implementer, part in sorted(parts))


def interrupt_controller(guest: Guest, gics: tuple[str, ...]) -> str | None:
    """Return the interrupt controller of a guest; None where it is none of those that a VM here can have.

    ID_AA64PFR0_EL1.GIC follows from the one that the VM has.
    """
    machine = guest.machine.gic if guest.machine is not None else None
    if machine is not None:
        kind = f"vgic-v{machine}"
    elif "ID_AA64PFR0_EL1" in guest.registers:
        kind = "vgic-v3" if guest.registers["ID_AA64PFR0_EL1"] >> _GIC_LSB & 0xF else "vgic-v2"
    else:
        kind = gics[0] if gics else ""
    return kind if kind in gics else None
