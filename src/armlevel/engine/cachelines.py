"""The one thing about CCSIDR_EL1 that KVM looks at: no line may be shorter than the host's own."""

from __future__ import annotations

from armlevel.profile import Offer

__all__ = ["line_too_short"]

# CTR_EL0.IminLine and DminLine hold log2 of words, CCSIDR_EL1.LineSize log2 of bytes less 4 (DDI 0487); KVM refuses
# a smaller LineSize (Linux 7.3 arch/arm64/kvm/sys_regs.c, set_ccsidr and get_min_cache_line_size).
_WORDS_TO_LINE_SIZE = 2


def line_too_short(offer: Offer, register: str, value: int) -> bool:
    """Whether a value of ``CCSIDR_EL1[n]`` says a shorter line than the host's CTR_EL0; False for other registers.

    >>> from armlevel.profile import Shape
    >>> host = Offer(Shape(), limits={"CTR_EL0": 0x9444C004, "CCSIDR_EL1[0]": 0x1A})
    >>> line_too_short(host, "CCSIDR_EL1[0]", 0x1A), line_too_short(host, "CCSIDR_EL1[0]", 0x19)
    (False, True)
    """
    index = register.removeprefix("CCSIDR_EL1[").removesuffix("]")
    ctr = offer.limits.get("CTR_EL0")
    if not register.startswith("CCSIDR_EL1[") or ctr is None or value == offer.limits.get(register):
        return False
    words = ctr & 0xF if int(index) & 1 else ctr >> 16 & 0xF  # odd CSSELR_EL1: the instruction cache
    return (value & 7) < words - _WORDS_TO_LINE_SIZE
