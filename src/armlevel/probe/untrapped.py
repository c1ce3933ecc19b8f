"""What a guest reads from the hardware though KVM keeps another value: no fault of the profile that was applied.

While a VM's CTR_EL0 is that of the host, KVM need not trap its reads (the rows of ``arch/data/kvm/leaks.toml`` say
where), so a guest may see two fields as the silicon has them:

``TminLine``  which KVM always shows as 0;
``IDC``       0, where Linux shows 1 because CLIDR_EL1 says that nothing needs cleaning (Arm DDI 0487, CTR_EL0.IDC). A
              guest that cleans all the same loses time and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["leaked", "nothing_to_clean"]


class _Seen(Protocol):
    @property
    def subject(self) -> str: ...
    @property
    def wanted(self) -> int | None: ...
    @property
    def seen(self) -> str: ...


def nothing_to_clean(clidr: int) -> bool:
    """Tell whether a CLIDR_EL1 value says that data need no cleaning for instructions: LoC = 0, or LoUIS = LoUU = 0.

    >>> nothing_to_clean(0x82000023), nothing_to_clean(0xA200023)  # Cortex-A76 and A72 as QEMU has them
    (True, False)
    """
    loc, louis, louu = clidr >> 24 & 7, clidr >> 21 & 7, clidr >> 27 & 7
    return not loc or not louis | louu


def leaked(difference: _Seen, read: Mapping[str, int]) -> bool:
    """Tell whether a difference is only what the hardware shows; ``read`` is what guest instructions read."""
    if difference.seen != "guest":
        return False
    if difference.subject == "CTR_EL0.TminLine":
        return True
    wanted_more = difference.subject == "CTR_EL0.IDC" and difference.wanted == 1
    return wanted_more and nothing_to_clean(read.get("CLIDR_EL1", 1 << 24 | 1 << 21))
