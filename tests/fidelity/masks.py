"""What KVM itself calls writable (KVM_ARM_GET_REG_WRITABLE_MASKS), against what it does when tried.

A field without a writable bit takes its limit and nothing else. Of a writable one the masks do not say which values,
nor whether it can change at all, so that is unknown. Values that a row says are accepted and not kept are set apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.arch import Catalogue
from armlevel.kvm.vm import mask_index
from armlevel.profile import Host
from tests.fidelity.fields import SHORT, Tally, Wrong, accepts

__all__ = ["compare_masks"]


def compare_masks(host: Host, answers: Sequence[Sequence[int] | None], catalogue: Catalogue) -> Tally:
    """Compare the masks of each shape of a host with what was tried in it; a kernel without masks says nothing."""
    tally = Tally()
    by_row = {row.field for row in catalogue.ignored} | {
        n for row in catalogue.no_meaning for n in row.registers
    }
    for shape, masks in zip(host.shapes, answers, strict=True):
        offer = host.offer(shape)
        assert offer is not None
        for register, limit in offer.limits.items() if masks else ():
            row = catalogue.registers.get(register)
            if row is None or row.derived or row.encoding[2]:
                continue
            mask = (masks or ())[mask_index(row.encoding)]
            for field in row.fields:
                if field.width > SHORT:
                    continue
                own, open_ = field.get(limit), field.get(mask)
                told = accepts(offer, field, own)
                for value in range(1 << field.width):
                    truth = told.outcome(value)
                    tally.was[truth] += 1
                    if value == own:
                        continue
                    if open_ or (truth == "changed" and {register, field.subject} & by_row):
                        tally.unknown[field.subject] += 1
                    elif truth != "refused":
                        tally.wrong_no.append(
                            Wrong(host.name, shape.label, field.subject, own, value, "refused", truth)
                        )
    return tally
