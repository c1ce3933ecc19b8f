"""The ioctl numbers, capabilities and feature bits of KVM on arm64, built from their parts.

Source: Linux 7.3 ``include/uapi/linux/kvm.h``, ``include/uapi/asm-generic/ioctl.h`` and
``arch/arm64/include/uapi/asm/kvm.h``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "API_VERSION",
    "CAPABILITIES",
    "CHECK_EXTENSION",
    "CREATE_DEVICE",
    "CREATE_VCPU",
    "CREATE_VM",
    "ENABLE_CAP",
    "FEATURE_BITS",
    "GET_API_VERSION",
    "GET_DEVICE_ATTR",
    "GET_ONE_REG",
    "GET_REG_LIST",
    "GET_VCPU_MMAP_SIZE",
    "HAS_DEVICE_ATTR",
    "IOCTLS",
    "KNOWN_CAPABILITIES",
    "KNOWN_DEVICES",
    "KNOWN_FEATURES",
    "KNOWN_REGISTER_GROUPS",
    "PREFERRED_TARGET",
    "REG_WRITABLE_MASKS",
    "RUN",
    "SET_DEVICE_ATTR",
    "SET_ONE_REG",
    "SET_USER_MEMORY_REGION",
    "VCPU_FINALIZE",
    "VCPU_INIT",
    "Ioctl",
]

_NONE, _WRITE, _READ = 0, 1, 2
_KVMIO = 0xAE

API_VERSION = 12


@dataclass(frozen=True, slots=True)
class Ioctl:
    """An ioctl: its name and, of its number, the direction, the bytes of its argument and the index.

    >>> hex(Ioctl("KVM_GET_ONE_REG", _WRITE, 16, 0xAB).number)
    '0x4010aeab'
    """

    name: str
    direction: int
    size: int
    index: int
    number: int = field(init=False)

    def __post_init__(self) -> None:
        """Compute the number that the kernel is called with: direction, size, KVM's type, index."""
        number = self.direction << 30 | self.size << 16 | _KVMIO << 8 | self.index
        object.__setattr__(self, "number", number)


GET_API_VERSION = Ioctl("KVM_GET_API_VERSION", _NONE, 0, 0x00)
CREATE_VM = Ioctl("KVM_CREATE_VM", _NONE, 0, 0x01)
CHECK_EXTENSION = Ioctl("KVM_CHECK_EXTENSION", _NONE, 0, 0x03)
GET_VCPU_MMAP_SIZE = Ioctl("KVM_GET_VCPU_MMAP_SIZE", _NONE, 0, 0x04)
CREATE_VCPU = Ioctl("KVM_CREATE_VCPU", _NONE, 0, 0x41)
SET_USER_MEMORY_REGION = Ioctl("KVM_SET_USER_MEMORY_REGION", _WRITE, 32, 0x46)
RUN = Ioctl("KVM_RUN", _NONE, 0, 0x80)
ENABLE_CAP = Ioctl("KVM_ENABLE_CAP", _WRITE, 104, 0xA3)
GET_ONE_REG = Ioctl("KVM_GET_ONE_REG", _WRITE, 16, 0xAB)
SET_ONE_REG = Ioctl("KVM_SET_ONE_REG", _WRITE, 16, 0xAC)
VCPU_INIT = Ioctl("KVM_ARM_VCPU_INIT", _WRITE, 32, 0xAE)
PREFERRED_TARGET = Ioctl("KVM_ARM_PREFERRED_TARGET", _READ, 32, 0xAF)
GET_REG_LIST = Ioctl("KVM_GET_REG_LIST", _READ | _WRITE, 8, 0xB0)
REG_WRITABLE_MASKS = Ioctl("KVM_ARM_GET_REG_WRITABLE_MASKS", _READ, 64, 0xB6)
VCPU_FINALIZE = Ioctl("KVM_ARM_VCPU_FINALIZE", _WRITE, 4, 0xC2)
CREATE_DEVICE = Ioctl("KVM_CREATE_DEVICE", _READ | _WRITE, 12, 0xE0)
SET_DEVICE_ATTR = Ioctl("KVM_SET_DEVICE_ATTR", _WRITE, 24, 0xE1)
GET_DEVICE_ATTR = Ioctl("KVM_GET_DEVICE_ATTR", _WRITE, 24, 0xE2)
HAS_DEVICE_ATTR = Ioctl("KVM_HAS_DEVICE_ATTR", _WRITE, 24, 0xE3)

IOCTLS: tuple[Ioctl, ...] = (
    GET_API_VERSION,
    CREATE_VM,
    CHECK_EXTENSION,
    GET_VCPU_MMAP_SIZE,
    CREATE_VCPU,
    SET_USER_MEMORY_REGION,
    RUN,
    ENABLE_CAP,
    GET_ONE_REG,
    SET_ONE_REG,
    VCPU_INIT,
    PREFERRED_TARGET,
    GET_REG_LIST,
    REG_WRITABLE_MASKS,
    VCPU_FINALIZE,
    CREATE_DEVICE,
    SET_DEVICE_ATTR,
    GET_DEVICE_ATTR,
    HAS_DEVICE_ATTR,
)

#: KVM_CAP_*, without the prefix: the capabilities that say something about what a guest can be.
CAPABILITIES: dict[str, int] = {
    "MAX_VCPUS": 66,
    "ARM_EL1_32BIT": 93,
    "ARM_PSCI_0_2": 102,
    "GUEST_DEBUG_HW_BPS": 119,
    "GUEST_DEBUG_HW_WPS": 120,
    "ARM_PMU_V3": 126,
    "VCPU_ATTRIBUTES": 127,
    "ARM_INJECT_SERROR_ESR": 158,
    "ARM_VM_IPA_SIZE": 165,
    "ARM_SVE": 170,
    "ARM_PTRAUTH_ADDRESS": 171,
    "ARM_PTRAUTH_GENERIC": 172,
    "ARM_NISV_TO_USER": 177,
    "STEAL_TIME": 187,
    "PTP_KVM": 198,
    "ARM_MTE": 205,
    "ARM_SYSTEM_SUSPEND": 216,
    "COUNTER_OFFSET": 227,
    "ARM_SUPPORTED_REG_MASK_RANGES": 230,
    "ARM_WRITABLE_IMP_ID_REGS": 239,
    "ARM_EL2": 240,
    "ARM_EL2_E2H0": 241,
    "ARM_CACHEABLE_PFNMAP_SUPPORTED": 243,
    "ARM_SEA_TO_USER": 245,
    "ARM_PMU_V3_STRICT": 251,
}

#: KVM_ARM_VCPU_*: the bits of kvm_vcpu_init.features[0].
FEATURE_BITS: dict[str, int] = {
    "POWER_OFF": 0,
    "EL1_32BIT": 1,
    "PSCI_0_2": 2,
    "PMU_V3": 3,
    "SVE": 4,
    "PTRAUTH_ADDRESS": 5,
    "PTRAUTH_GENERIC": 6,
    "HAS_EL2": 7,
    "HAS_EL2_E2H0": 8,
    "PMU_V3_STRICT": 9,
}

# What Linux 7.3 knows, by number. Whatever KVM has beyond is new: nobody can say yet what a guest depends on there.
#: KVM_CAP_*: 0 to 251 (include/uapi/linux/kvm.h).
KNOWN_CAPABILITIES = range(252)
#: KVM_DEV_TYPE_*: FSL_MPIC_20, 1, to ARM_VGIC_V5, 16 (include/uapi/linux/kvm.h).
KNOWN_DEVICES = range(1, 17)
#: KVM_ARM_VCPU_*: POWER_OFF, 0, to PMU_V3_STRICT, 9 (arch/arm64/include/uapi/asm/kvm.h).
KNOWN_FEATURES = range(10)
#: KVM_REG_ARM_*: bits 27..16 of a register id; 0x12 is a coprocessor's of 15 and 32 bits.
KNOWN_REGISTER_GROUPS = (0x10, 0x11, 0x13, 0x14, 0x15, 0x16)
