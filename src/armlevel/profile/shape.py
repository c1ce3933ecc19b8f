"""The choices that are made before a vCPU exists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from armlevel.errors import UnknownName

__all__ = ["SHAPE_FEATURES", "Shape", "shape_feature"]

# name -> (bits of KVM_ARM_VCPU_INIT features[0], what it is). Linux arch/arm64/include/uapi/asm/kvm.h;
# MTE is a VM capability (KVM_CAP_ARM_MTE), not a vCPU bit, but as much a choice before the first vCPU.
SHAPE_FEATURES: dict[str, tuple[tuple[int, ...], str]] = {
    "el1_32bit": ((1,), "EL1 starts in AArch32"),
    "pmu_v3": ((3,), "PMUv3 performance counters"),
    "sve": ((4,), "Scalable Vector Extension"),
    "ptrauth": ((5, 6), "pointer authentication, address and generic"),
    "has_el2": ((7,), "nested virtualisation"),
    "has_el2_e2h0": ((8,), "nested virtualisation without VHE"),
    "pmu_v3_strict": ((9,), "PMUv3 with exact counter and event identity"),
    "mte": ((), "Memory Tagging Extension"),
}

# QEMU's property names for the same choices, accepted wherever a person types one.
_ALIASES = {
    "pmu": "pmu_v3",
    "pauth": "ptrauth",
    "ptrauth_address": "ptrauth",
    "ptrauth_generic": "ptrauth",
    "aarch32": "el1_32bit",
    "el2": "has_el2",
    "el2_e2h0": "has_el2_e2h0",
    "pmu_strict": "pmu_v3_strict",
}


def shape_feature(name: str) -> str:
    """Return the KVM name of a shape feature that a person wrote in any usual spelling.

    Raises:
        UnknownName: no shape feature is called so.

    >>> shape_feature("PAuth"), shape_feature("sve")
    ('ptrauth', 'sve')

    """
    key = name.strip().lower().replace("-", "_")
    key = _ALIASES.get(key, key)
    if key not in SHAPE_FEATURES:
        raise UnknownName("vCPU shape feature", name, tuple(sorted(SHAPE_FEATURES)))
    return key


@dataclass(frozen=True, slots=True)
class Shape:
    """A vCPU shape: the opt-in features, and whether MIDR/REVIDR/AIDR are writable.

    Limits, register list and writable fields all depend on it, so a host makes one offer per shape.
    ``imp_id_writable`` stands for KVM_CAP_ARM_WRITABLE_IMP_ID_REGS enabled on the VM.

    >>> Shape(frozenset({"sve", "pmu_v3"})).label
    'pmu_v3+sve'
    >>> Shape().label
    'base'
    """

    features: frozenset[str] = frozenset()
    imp_id_writable: bool = False

    @classmethod
    def of(cls, names: Iterable[str], *, imp_id_writable: bool = False) -> Shape:
        """Make a shape from names as people write them.

        Raises:
            UnknownName: one of the names is no shape feature.

        """
        return cls(frozenset(shape_feature(name) for name in names), imp_id_writable)

    @property
    def label(self) -> str:
        """The shape in a word: ``base``, ``pmu_v3+sve``, ``base+imp_id``."""
        return "+".join([*(sorted(self.features) or ["base"]), *(["imp_id"] if self.imp_id_writable else [])])

    def __repr__(self) -> str:
        """Show the label."""
        return f"Shape({self.label})"
