"""A command line of the destination that is not the one that the guest was started with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from armlevel.engine.findings import Finding
from armlevel.engine.parts.machine_values import block_finding, given_value, machine_finding, printed
from armlevel.engine.reasons import Reason
from armlevel.profile import GuestMachine, Host

if TYPE_CHECKING:
    from armlevel.arch import Around

__all__ = ["judge_asked"]

#: What has to be asked for alike; what becomes of a guest where it is not, nobody measured.
_ALIKE = ("vmm", "vcpus", "slots", "virtualization", "backing_page")


def judge_asked(machine: GuestMachine, there: GuestMachine, host: Host, row: Around) -> Iterator[Finding]:
    """Compare what a guest was started with and what its VMM is asked for on ``host``, but for what is judged there."""
    for name in _ALIKE:
        was, now = getattr(machine, name), getattr(there, name)
        if was != now:
            why = (Reason("asked-otherwise"),)
            yield machine_finding(name, "unknown", was, host.name, given_value(now), because=why)
    if machine.memory is None or there.memory is None:
        yield machine_finding("memory", "unknown", machine.memory, host.name, given_value(there.memory))
    elif machine.memory != there.memory:
        was, now = machine.memory, there.memory
        said = printed(row, "memory-block", was=hex(was), now=hex(now))
        yield block_finding("memory", was, now, host.name, "asked-otherwise", "vmm", said)
