"""In which order the destination comes to what stops a guest: what comes first is all that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.engine.findings import Finding, Part

__all__ = ["stopped_by"]

# QEMU's destination makes the machine, or ends; then it compares blocks of memory; then it reads the devices in the
# order in which they were made, vCPUs before the interrupt controller; registers are set when all has been read.
_AT_THE_START = {"gic-not-here", "memory-exceeds"}
_IN_MEMORY = {"blocks-rounded", "steal-time-other", "steal-time-block", "asked-otherwise"}


def stopped_by(machine: Sequence[Finding], *, listed: bool) -> Mapping[Part, Sequence[Finding]] | None:
    """Return the findings about the machine that end a move before the registers are set; None if none does.

    ``listed`` says that the guest's list of registers is taken: a vCPU whose list is not ends before the devices.
    """
    stops = [finding for finding in machine if finding.severity == "stops"]
    for codes in (_AT_THE_START, _IN_MEMORY):
        first = [finding for finding in stops if codes.intersection(one.code for one in finding.because)]
        if first:
            return {"machine": first}
    return {"machine": stops} if stops and listed else None
