"""What a probe asks of KVM, as types: ``armlevel.kvm`` is one that answers, the tests have others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from armlevel.kvm.vcpu import Exit
from armlevel.kvm.vgic import Attribute

__all__ = ["GicLike", "KvmLike", "VcpuLike", "VmLike"]


class VcpuLike(Protocol):
    """A vCPU of a scratch VM; see :class:`armlevel.kvm.vcpu.Vcpu`."""

    def init(self, bits: Iterable[int]) -> None:
        """Initialise the vCPU with feature bits."""

    def finalize_sve(self) -> None:
        """Fix the vector lengths."""

    def registers(self) -> tuple[int, ...]:
        """Return the register list."""

    def get(self, register_id: int, what: str = "") -> int:
        """Return a register."""

    def set(self, register_id: int, value: int, what: str = "") -> None:
        """Write a register; KvmError if refused."""

    def write_and_read_back(self, register_id: int, values: Sequence[int]) -> list[int | None]:
        """Write each value in turn; return what is there afterwards, None where refused."""

    def choose_pmu(self, kind: int) -> None:
        """Choose the physical PMU."""

    def enable_pmu(self, *, irq: bool) -> None:
        """Initialise the PMU."""

    def finalize(self) -> None:
        """Give the VM its final identity; run nothing."""

    def run(self) -> Exit:
        """Run the guest until it exits to userspace."""


class GicLike(Protocol):
    """An interrupt controller; see :class:`armlevel.kvm.vgic.Device`."""

    def initialise(self) -> None:
        """Initialise the interrupt controller."""

    def get(self, register: Attribute) -> int:
        """Return a register; KvmError if there is none such."""

    def set(self, register: Attribute, value: int) -> None:
        """Write a register; KvmError if refused."""


class VmLike(Protocol):
    """A scratch VM; see :class:`armlevel.kvm.vm.Vm`."""

    def enable(self, name: str) -> None:
        """Enable a capability."""

    def extension(self, name: str) -> int:
        """Ask for a capability."""

    def extension_at(self, number: int) -> int:
        """Ask for a capability by its number."""

    def has_device(self, number: int) -> bool:
        """Tell whether this host has devices of a type by its number."""

    def create_vcpu(self) -> VcpuLike:
        """Create the next vCPU."""

    def writable_masks(self) -> tuple[int, ...] | None:
        """Return KVM's masks of writable bits."""

    def has_vgic(self, kind: str) -> bool:
        """Tell whether this host has such an interrupt controller for guests."""

    def create_vgic(self, kind: str) -> GicLike:
        """Create such an interrupt controller."""

    def add_memory(self, guest_address: int, content: bytes) -> None:
        """Give the guest memory."""


class KvmLike(Protocol):
    """KVM; see :class:`armlevel.kvm.device.Kvm`."""

    def create_vm(self, ipa_bits: int = 0) -> AbstractContextManager[VmLike]:
        """Create a VM that is gone when the block ends."""
