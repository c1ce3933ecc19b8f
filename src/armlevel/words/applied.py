"""What a scratch VM that was given a guest's CPU is like, in words: what differs, and what the profile does not say."""

from __future__ import annotations

import errno

from armlevel.probe.apply import Difference

__all__ = ["difference_text", "note_text"]

_SEEN = {"kvm": "read back from KVM", "guest": "read by the guest itself (MRS)"}


def difference_text(one: Difference) -> str:
    """Return a difference as a sentence's worth.

    >>> difference_text(Difference("CTR_EL0.IDC", "differs", "guest", 1, 0))
    'CTR_EL0.IDC: the profile says 1, read by the guest itself (MRS): 0'
    >>> difference_text(Difference("ID_AA64ISAR0_EL1", "refused", "kvm", 0x31, None, 22))
    'ID_AA64ISAR0_EL1: the profile says 0x31, KVM refuses it (EINVAL)'
    >>> difference_text(Difference("AIDR_EL1", "not-recorded", "guest", None, None))
    'AIDR_EL1: not recorded in the profile, so not compared'
    """
    subject = f"{one.subject} (reserved bits)" if one.code == "reserved" else one.subject
    if one.wanted is None:
        return f"{subject}: not recorded in the profile, so not compared"
    return f"{subject}: the profile says {_value(one.subject, one.wanted)}, {_found(one)}"


def note_text(one: Difference) -> str:
    """Return what a guest sees though KVM keeps another value, and no profile could help it."""
    shown = "not there" if one.found is None else _value(one.subject, one.found)
    return f"note: {one.subject} is {shown} to the guest: KVM does not hide it"


def _found(one: Difference) -> str:
    if one.code == "refused":
        if one.found is not None:
            return f"KVM refuses it; it offers {_value(one.subject, one.found)}"
        name = errno.errorcode.get(one.errno or 0)
        return f"KVM refuses it ({name})" if name else "KVM refuses it"
    found = "no such register" if one.found is None else _value(one.subject, one.found)
    return f"{_SEEN[one.seen]}: {found}"


def _value(subject: str, value: int) -> str:
    # Fields and facts are numbers; a register is known by its digits.
    return str(value) if "." in subject else f"{value:#x}"
