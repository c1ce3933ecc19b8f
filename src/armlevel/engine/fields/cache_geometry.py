"""What KVM looks at in a cache geometry as a whole: no line shorter than the host's, no less cleaning than it needs."""

from __future__ import annotations

from armlevel.engine.reasons import ReasonCode
from armlevel.profile import Offer

__all__ = ["refused_geometry"]

# CTR_EL0.IminLine and DminLine hold log2 of words, CCSIDR_EL1.LineSize log2 of bytes less 4 (DDI 0487); KVM refuses
# a smaller LineSize (Linux 7.3 arch/arm64/kvm/sys_regs.c, set_ccsidr and get_min_cache_line_size).
_WORDS_TO_LINE_SIZE = 2


def refused_geometry(offer: Offer, register: str, value: int) -> ReasonCode | None:
    """Return why the host refuses a whole CCSIDR_EL1[n] or CLIDR_EL1 value that its fields alone allow; or None."""
    if line_too_short(offer, register, value):
        return "line-too-short"
    if cleans_too_little(offer, register, value):
        return "cleans-too-little"
    return None


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


def cleans_too_little(offer: Offer, register: str, value: int) -> bool:
    """Whether a CLIDR_EL1 says that nothing needs cleaning, on a host whose CTR_EL0.IDC says otherwise.

    That is LoC = 0, or LoUIS and LoUU both 0 (Linux 7.3 arch/arm64/kvm/sys_regs.c, set_clidr). Each of the two alone
    may be 0, so what the host does with single fields does not tell; tried on Cortex-A72 with 6.12, 6.18 and 7.3.

    >>> from armlevel.profile import Shape
    >>> host = Offer(Shape(), limits={"CTR_EL0": 0x8444C004, "CLIDR_EL1": 0xA200023})
    >>> cleans_too_little(host, "CLIDR_EL1", 0x2000023), cleans_too_little(host, "CLIDR_EL1", 0x2200023)
    (True, False)
    """
    ctr = offer.limits.get("CTR_EL0")
    if register != "CLIDR_EL1" or ctr is None or ctr >> 28 & 1 or value == offer.limits.get(register):
        return False
    loc, louis, louu = value >> 24 & 7, value >> 21 & 7, value >> 27 & 7
    return not loc or not louis | louu
