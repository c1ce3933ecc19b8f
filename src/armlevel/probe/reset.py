"""What a vCPU forgets when it is reset: a value that KVM took, and that is gone when the guest powers the vCPU on.

Userspace cannot power a vCPU on as a guest does (PSCI CPU_ON), but KVM resets it the same way when it is initialised
again. Linux before e016333745c7 ("KVM: arm64: Only reset vCPU-scoped feature ID regs once", in 6.10) resets CLIDR_EL1
then, which userspace may write since 6.3. Source: Linux arch/arm64/kvm/reset.c, kvm_reset_vcpu; sys_regs.c,
kvm_reset_sys_regs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from armlevel.probe.hypervisor import VcpuLike
from armlevel.profile import Accepts

__all__ = ["CLIDR", "forgets", "without_forgotten"]

CLIDR = "CLIDR_EL1"
# Bits of CLIDR_EL1 that say something of a further cache, or of who cares for one: which of them KVM lets be another.
_TRIED = (30, 18, 15, 12, 9, 6, 24, 27)


def forgets(vcpu: VcpuLike, register_id: int, bits: Iterable[int]) -> bool:
    """Tell whether a vCPU loses a value of the register, which KVM took, when it is reset; the limit is put back.

    ``bits`` are the vCPU's features. False as well where KVM takes no other value.
    """
    limit = vcpu.get(register_id)
    for bit in _TRIED:
        wanted = limit ^ 1 << bit
        if vcpu.write_and_read_back(register_id, [wanted]) == [wanted]:
            vcpu.init(bits)
            kept = vcpu.get(register_id) == wanted
            vcpu.set(register_id, limit)
            return not kept
    return False


def without_forgotten(accepts: Mapping[str, Accepts], register: str) -> dict[str, Accepts]:
    """Return the answers without those of a register that is forgotten: it takes its limit and nothing else."""
    return {name: answer for name, answer in accepts.items() if not name.startswith(f"{register}.")}
