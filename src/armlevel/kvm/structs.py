"""KVM's structures as their bytes: one packer each, sizes as the kernel has them.

Source: Linux 7.3 ``include/uapi/linux/kvm.h`` and ``arch/arm64/include/uapi/asm/kvm.h``.
"""

from __future__ import annotations

import struct

__all__ = [
    "CREATE_DEVICE_ARG",
    "DEVICE_ATTR",
    "ENABLE_CAP_ARG",
    "MEMORY_REGION",
    "ONE_REG",
    "REG_MASK_RANGE",
    "VCPU_INIT_ARG",
]

VCPU_INIT_ARG = struct.Struct("<I7I")  # target, features[7]
ONE_REG = struct.Struct("<QQ")  # id, address of the value
ENABLE_CAP_ARG = struct.Struct("<II4Q64x")  # cap, flags, args[4], pad
REG_MASK_RANGE = struct.Struct("<QI13I")  # address of the masks, range, reserved[13]
CREATE_DEVICE_ARG = struct.Struct("<III")  # type, fd, flags
DEVICE_ATTR = struct.Struct("<IIQQ")  # flags, group, attr, address of the value
MEMORY_REGION = struct.Struct("<IIQQQ")  # slot, flags, guest address, bytes, host address
