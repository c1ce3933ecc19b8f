"""What this KVM has that the catalogue does not know: a guest of next year's VMM may depend on it."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator

from armlevel.errors import KvmError
from armlevel.kvm.numbers import (
    KNOWN_CAPABILITIES,
    KNOWN_DEVICES,
    KNOWN_FEATURES,
    KNOWN_REGISTER_GROUPS,
)
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.shapes import feature_bits
from armlevel.profile import Offer, Shape

__all__ = ["novelties"]

_FEATURE_BITS = 32  # of the first word; no kernel has used another
_CAPABILITIES = 1024
_DEVICES = 64


def novelties(kvm: KvmLike, offers: Iterable[Offer]) -> tuple[str, ...]:
    """Return the vCPU features, capabilities, devices and groups of registers that nobody here knows, by KVM's prefix.

    ``offers`` are those of the host, whole: their lists tell the groups.
    """
    some = list(offers)
    largest = max((offer.shape for offer in some), key=lambda shape: len(shape.features), default=Shape())
    groups = {register >> 16 & 0xFFF for offer in some for register in offer.register_list or ()}
    with kvm.create_vm() as vm:
        return (
            *(f"KVM_ARM_VCPU {bit}" for bit in _new_features(kvm, largest)),
            *(
                f"KVM_CAP {number}"
                for number in range(_CAPABILITIES)
                if number not in KNOWN_CAPABILITIES and vm.extension_at(number)
            ),
            *(
                f"KVM_DEV_TYPE {number}"
                for number in range(_DEVICES)
                if number not in KNOWN_DEVICES and vm.has_device(number)
            ),
            *(f"KVM_REG_ARM {group:#x}" for group in sorted(groups) if group not in KNOWN_REGISTER_GROUPS),
        )


def _new_features(kvm: KvmLike, largest: Shape) -> Iterator[int]:
    for bit in range(_FEATURE_BITS):
        if bit not in KNOWN_FEATURES and any(_takes(kvm, shape, bit) for shape in (Shape(), largest)):
            yield bit


def _takes(kvm: KvmLike, shape: Shape, bit: int) -> bool:
    # A feature may need others, so it is tried alone and beside all that this host can have together.
    with kvm.create_vm() as vm:
        try:
            vm.create_vcpu().init((*feature_bits(shape), bit))
        except KvmError as exc:
            if exc.code not in (errno.EINVAL, errno.ENOENT):
                raise
            return False
    return True
