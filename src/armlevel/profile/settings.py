"""What is said to one host's KVM so that it shows a guest profile."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RegisterWrite", "VcpuSettings"]


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """One KVM_SET_ONE_REG: the register by name and id, and the value as it must be written on this host."""

    name: str
    kvm_id: int
    value: int


@dataclass(frozen=True, slots=True)
class VcpuSettings:
    """What makes one host's KVM show a guest profile.

    ``capabilities``  KVM_CAP_… to enable on the VM before the first vCPU
    ``features``      vCPU shape features, as KVM_ARM_VCPU_INIT takes them
    ``sve_vls``       vector lengths in bits, before KVM_ARM_VCPU_FINALIZE; None without SVE
    ``writes``        after each KVM_ARM_VCPU_INIT and before the first KVM_RUN, in this order: paint, CTR_EL0 before
                      the cache registers, ID registers before firmware (a workaround level depends on
                      ID_AA64PFR1_EL1.SSBS). A register that is as it should be and takes nothing else has no write
    ``expects``       every ID register of the profile as it reads afterwards on this host
    ``register_list`` KVM ids that may be sent to another host, in numerical order
    ``shows``         firmware levels that KVM checks and does not store: what must be sent as the guest was told it,
                      whatever this host's KVM answers
    ``psci``          the PSCI version, as KVM_REG_ARM_PSCI_VERSION holds it; None: as the host has it
    """

    guest: str
    host: str
    capabilities: tuple[str, ...]
    features: tuple[str, ...]
    sve_vls: tuple[int, ...] | None
    writes: tuple[RegisterWrite, ...]
    expects: tuple[RegisterWrite, ...]
    register_list: tuple[int, ...]
    shows: tuple[RegisterWrite, ...]
    psci: int | None
