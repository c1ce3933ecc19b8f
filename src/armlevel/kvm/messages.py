"""What programs call KVM's registers in their messages."""

from __future__ import annotations

from armlevel.kvm.ids import RegisterId, group_of, name_of

__all__ = ["qemu_name_of"]


def qemu_name_of(register_id: int) -> str:
    """Return a register as QEMU names it in messages.

    >>> (
    ...     qemu_name_of(0x603000000013C4F6),
    ...     qemu_name_of(0x6030000000140000),
    ...     qemu_name_of(0x6030000000160003),
    ...     qemu_name_of(0x6020000000110002),
    ... )
    ('system register op0:3 op1:0 crn:9 crm:14 op2:6', 'fw reg 0', 'fw feat reg 3', 'demuxed reg 6020000000110002')
    """
    group, index = group_of(register_id), register_id & 0xFFFF
    if group == "system":
        op0, op1, crn, crm, op2 = RegisterId.decode(register_id).encoding
        return f"system register op0:{op0} op1:{op1} crn:{crn} crm:{crm} op2:{op2}"
    words = {
        "firmware": f"fw reg {index:x}",
        "bitmap": f"fw feat reg {index:x}",
        "demux": f"demuxed reg {register_id:x}",
    }
    return words.get(group, name_of(register_id))
