"""What KVM itself calls writable (KVM_ARM_GET_REG_WRITABLE_MASKS), against what it does when tried.

The masks say which fields can be written, rows say which values such a field takes. Asked twice: on the kernel that it
is, and as if that kernel were of no measured line, where only what all measured lines agree on is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from armlevel.arch import Catalogue
from armlevel.profile import Host
from tests.fidelity.fields import Tally, compare_offer
from tests.fidelity.masked import masked_offer

__all__ = ["compare_masks"]

NOT_MEASURED = "8.99"  # a release of no line


def compare_masks(
    host: Host, answers: Sequence[Sequence[int] | None], catalogue: Catalogue, *, stranger: bool = False
) -> Tally:
    """Compare the masks of each shape of a host with what was tried in it; a kernel without masks says nothing.

    ``stranger`` takes the kernel for one that nobody measured.
    """
    tally = Tally()
    release = NOT_MEASURED if stranger else host.software.kernel
    assert release is not None  # every probe records it
    for shape, masks in zip(host.shapes, answers, strict=True):
        was = host.offer(shape)
        if was is None or masks is None:
            continue
        bare = replace(was, accepts={}, like=None)
        compare_offer(host.name, masked_offer(bare, masks, release, catalogue), was, catalogue, tally)
    return tally
