"""The registers of a vCPU as the library wrote them down, right before it first ran."""

from __future__ import annotations

__all__ = ["read_dump"]


def read_dump(text: str) -> dict[int, int]:
    r"""Return KVM register id -> value; empty if the file is not whole.

    The library writes it when the first vCPU of the VM is about to run its first instruction: on the destination of a
    migration that is the state that arrived, as KVM of that host has it.

    >>> read_dump("0x603000000013c020 0x1100000011111112\nend\n")
    {6931039826524487712: 1224979098931106066}
    >>> read_dump("0x603000000013c020 0x11")
    {}
    """
    *lines, end = text.splitlines() or [""]
    if end != "end":
        return {}
    pairs = (line.split(" ") for line in lines)
    return {int(register, 16): int(value, 16) for register, value in pairs}
