"""Which vCPU shapes a host can have: asked of KVM, one scratch VM each."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

from armlevel.errors import KvmError
from armlevel.probe.hypervisor import KvmLike, VcpuLike, VmLike
from armlevel.profile import SHAPE_FEATURES, Shape

__all__ = ["FEATURES", "feature_bits", "shapes_of", "vcpu_of"]

_PSCI = 2  # every shape has PSCI 0.2 or later: guests without it cannot stop a CPU
_FREE = ("pmu_v3", "ptrauth", "sve")
# Tried on the smallest and on the largest combination of the free ones; strict PMU needs a PMU.
_EXTRAS = ("mte", "el1_32bit", "has_el2", "pmu_v3_strict")
_NEEDS = {"pmu_v3_strict": frozenset({"pmu_v3"}), "has_el2_e2h0": frozenset({"has_el2"})}
#: The vCPU feature names that a kernel may or may not know, with their bits.
FEATURES = {name: bits for name, (bits, _what) in SHAPE_FEATURES.items() if bits}


def feature_bits(shape: Shape) -> tuple[int, ...]:
    """Return the bits of KVM_ARM_VCPU_INIT for a shape.

    >>> feature_bits(Shape(frozenset({"ptrauth"})))
    (2, 5, 6)
    """
    return (_PSCI, *sorted(bit for name in shape.features for bit in FEATURES.get(name, ())))


@contextmanager
def vcpu_of(kvm: KvmLike, shape: Shape, *, pmu: int | None = None) -> Iterator[tuple[VmLike, VcpuLike]]:
    """Give a scratch VM with one vCPU of ``shape``, initialised, SVE not yet finalized; gone when the block ends.

    ``pmu`` is the perf event type of the physical PMU, which a strict one must be told.

    Raises:
        KvmError: this host cannot have the shape.

    """
    with kvm.create_vm() as vm:
        if "mte" in shape.features:
            vm.enable("ARM_MTE")
        if shape.imp_id_writable:
            vm.enable("ARM_WRITABLE_IMP_ID_REGS")
        vcpu = vm.create_vcpu()
        vcpu.init(feature_bits(shape))
        if pmu is not None and "pmu_v3_strict" in shape.features:
            vcpu.choose_pmu(pmu)
        yield vm, vcpu


def _possible(kvm: KvmLike, shape: Shape) -> bool:
    try:
        with vcpu_of(kvm, shape):
            return True
    except KvmError as exc:
        if exc.code in (errno.EINVAL, errno.ENOENT):
            return False
        raise


def known_features(kvm: KvmLike) -> dict[str, int]:
    """Say of each feature: 2 this host can have it, 1 the kernel knows it but cannot here, 0 it does not."""
    states = {}
    for name in FEATURES:
        alone = Shape(frozenset({name}) | _NEEDS.get(name, frozenset()))
        try:
            with vcpu_of(kvm, alone):
                states[name] = 2
        except KvmError as exc:
            if exc.code not in (errno.EINVAL, errno.ENOENT):
                raise
            states[name] = int(exc.code == errno.EINVAL)
    return states


def shapes_of(kvm: KvmLike, known: dict[str, int]) -> tuple[Shape, ...]:
    """Return every shape that this host accepts, smaller ones first, those with writable implementation IDs last.

    All combinations of PMU, pointer authentication and SVE; each of the others on the smallest and on the largest.
    """
    free = [name for name in _FREE if known[name] == 2]
    sets = [frozenset(features) for count in range(len(free) + 1) for features in combinations(free, count)]
    sets = [features for features in sets if _possible(kvm, Shape(features))]
    largest = sets[-1]
    for extra in _EXTRAS:
        if known.get(extra, 2) != 2:
            continue
        for base in (frozenset[str](), largest):
            features = base | {extra} | _NEEDS.get(extra, frozenset())
            if features not in sets and _possible(kvm, Shape(features)):
                sets.append(features)
    shapes = [Shape(features) for features in sets]
    writable = Shape(imp_id_writable=True)
    if _possible(kvm, writable):
        shapes += [Shape(shape.features, imp_id_writable=True) for shape in shapes]
    return tuple(shapes)
