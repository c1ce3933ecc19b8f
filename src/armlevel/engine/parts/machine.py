"""What stands around a guest's vCPUs: given to it where it started, and given by the same command line on a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from armlevel.engine.findings import Finding, Side
from armlevel.engine.parts.machine_asked import judge_asked
from armlevel.engine.parts.machine_gic import judge_gic
from armlevel.engine.parts.machine_given import steal_time_on
from armlevel.engine.parts.machine_map import MemoryMap, memory_map
from armlevel.engine.parts.machine_values import BOTH, block_finding, given_value, machine_finding, printed
from armlevel.engine.reasons import Reason
from armlevel.engine.values import State, named
from armlevel.profile import Guest, GuestMachine, Host, HostMachine

if TYPE_CHECKING:
    from armlevel.arch import Around, Catalogue

__all__ = ["judge_machine", "reach_of", "steal_time_block"]

#: How many bits a guest's CPU says that it addresses (Arm ARM DDI 0487, ID_AA64MMFR0_EL1.PARange).
_REACH = "ID_AA64MMFR0_EL1.PARANGE"
_BITS = {0: 32, 1: 36, 2: 40, 3: 42, 4: 44, 5: 48, 6: 52, 7: 56}


def judge_machine(
    guest: Guest, host: Host, catalogue: Catalogue, there: GuestMachine | None = None
) -> list[Finding]:
    """Compare what a guest was given with what its VMM gives it on ``host``; nothing if no machine is recorded.

    ``there`` is what the VMM is asked for on ``host``, where that is not what the guest was started with.
    """
    machine = guest.machine
    if machine is None:
        return []
    row = catalogue.around.get(machine.vmm or "")
    if row is None:
        why = () if machine.vmm is None else (Reason("vmm-not-known"),)
        return [
            machine_finding("vmm", "unknown", machine.vmm, host.name, named(*catalogue.around), because=why)
        ]
    asked = machine if there is None else there
    return [
        *(() if there is None else judge_asked(machine, there, host, row)),
        *judge_gic(machine, asked, host, row, catalogue),
        *(_judge_map(guest, asked, host, row, catalogue) if row.board else ()),
        *_judge_memory(guest, asked, host, row, catalogue),
        *_judge_counter(host),
    ]


# ---- memory


def _judge_map(
    guest: Guest, asked: GuestMachine, host: Host, row: Around, catalogue: Catalogue
) -> Iterator[Finding]:
    machine = guest.machine or GuestMachine()
    bits = None if host.machine is None else host.machine.ipa_bits
    here = None if bits is None else memory_map(asked, bits, catalogue)
    if bits is None or here is None or machine.windows is None:
        # The host's largest size is not recorded, or what the guest's map is made of.
        offer = given_value(None if bits is None or machine.windows is None else bits)
        needs = None if here is None and bits is not None else machine.windows
        why = () if bits is None else (Reason("map-not-known"),)
        yield machine_finding("windows", "unknown", needs, host.name, offer, because=why)
    elif here.excess:
        yield machine_finding(
            "memory",
            "stops",
            asked.maxmem,
            host.name,
            given_value(bits),
            because=(Reason("memory-exceeds", (bits,)),),
            cause="silicon",
            messages=printed(row, "memory", bits=bits, excess=here.excess),
        )
    else:
        off = [one.name for one in catalogue.windows if not (asked.highmem and getattr(asked, one.key))]
        yield from _judge_windows(machine, here, off, host, catalogue)
        yield from _judge_reach(guest, asked, here, host, catalogue)


def _judge_windows(
    machine: GuestMachine, here: MemoryMap, off: Sequence[str], host: Host, catalogue: Catalogue
) -> Iterator[Finding]:
    had = machine.windows or {}
    bits = (host.machine or HostMachine()).ipa_bits or 0
    for row in catalogue.windows:
        was, now = had.get(row.name), here.windows.get(row.name)
        if was == now or not _is_used(row.name, machine, catalogue):
            continue
        # A window that the guest never had does it no harm; that of PCI configuration is then below its memory.
        applies: tuple[Side, ...] = ("start",) if was is None and row.name != "ecam" else BOTH
        moved = was is not None and now is not None
        yield machine_finding(
            "windows",
            "breaks",
            {} if was is None else {row.name: was},
            host.name,
            given_value({} if now is None else {row.name: now}),
            because=(
                Reason("window-elsewhere")
                if moved
                else Reason("window-off")
                if row.name in off
                else Reason("window-lost", (bits,)),
            ),
            cause="vmm" if row.name in off else "silicon",
            applies=applies,
        )


def reach_of(guest: Guest, catalogue: Catalogue) -> int | None:
    """Return how many bits of address a guest's CPU says that it has; None if that is not recorded."""
    field = catalogue.fields[_REACH]
    register = guest.registers.get(field.register)
    return None if register is None else _BITS.get(field.get(register))


def _judge_reach(
    guest: Guest, asked: GuestMachine, here: MemoryMap, host: Host, catalogue: Catalogue
) -> Iterator[Finding]:
    # QEMU follows the host's size, and a levelled guest is told of fewer bits: it faults where it reaches beyond them.
    bits = reach_of(guest, catalogue)
    for row in catalogue.windows:
        start = here.windows.get(row.name)
        if bits is None or start is None or not _is_used(row.name, asked, catalogue):
            continue
        size = row.size if not row.size_key else getattr(asked, row.size_key)
        if start + size > 1 << bits:
            yield machine_finding(
                "windows",
                "breaks",
                {row.name: start},
                host.name,
                given_value(bits),
                because=(Reason("window-out-of-reach", (bits,)),),
                cause="shape",
                applies=("start",),
            )


def _is_used(window: str, machine: GuestMachine, catalogue: Catalogue) -> bool:
    # A GICv2, and a GICv3 of few vCPUs, has no second window of redistributors.
    few = machine.vcpus is not None and machine.vcpus <= catalogue.board.redistributors
    return window != "redistributors" or not (few or machine.gic == 2)


# ---- time


def steal_time_block(vcpus: int, page: int, catalogue: Catalogue) -> int:
    """Return the bytes of memory that QEMU has for stolen time on a host with pages of this size.

    >>> from armlevel.arch import load
    >>> [steal_time_block(vcpus, page, load()) for vcpus in (64, 65) for page in (4096, 16384)]
    [4096, 16384, 8192, 16384]
    """
    return -(-vcpus * catalogue.board.steal_time // page) * page


def _judge_steal_time(
    guest: Guest, asked: GuestMachine, host: Host, row: Around, catalogue: Catalogue
) -> Iterator[Finding]:
    machine = guest.machine or GuestMachine()
    has, gets = machine.steal_time, steal_time_on(asked, host)
    if has is None or gets is None:
        yield machine_finding("steal_time", "unknown", has, host.name, given_value(gets))
    elif has and not gets:
        why = (Reason("steal-time-other"),)
        yield machine_finding(
            "steal_time",
            "stops",
            has,
            host.name,
            State("no"),
            because=why,
            cause="vmm" if asked.steal_time_asked == "off" else "kernel",
            messages=printed(row, "steal-time"),
        )
    elif has and row.rounds_blocks:
        yield from _judge_block(guest.facts.page_size, machine, host, row, catalogue)


def _judge_memory(
    guest: Guest, asked: GuestMachine, host: Host, row: Around, catalogue: Catalogue
) -> Iterator[Finding]:
    stolen = list(_judge_steal_time(guest, asked, host, row, catalogue))
    yield from stolen
    was, now = guest.facts.page_size, host.facts.page_size
    if not row.rounds_blocks or (was is not None and was == now):
        return
    if was is None or now is None:
        yield machine_finding("memory", "unknown", was, host.name, given_value(now), applies=("arrive",))
    elif was > now:
        # The block of stolen time was made before that of the ACPI tables, and is read first.
        first = any(one.severity == "stops" for one in stolen)
        said = () if first else printed(row, "pages", was=hex(was), now=hex(now))
        yield block_finding("memory", was, now, host.name, "blocks-rounded", "kernel", said)


def _judge_block(
    was: int | None, machine: GuestMachine, host: Host, row: Around, catalogue: Catalogue
) -> Iterator[Finding]:
    now = host.facts.page_size
    if was is not None and was == now:
        return
    if was is None or now is None or machine.vcpus is None:
        needs = None if machine.vcpus is None else was
        yield machine_finding("steal_time", "unknown", needs, host.name, given_value(now))
        return
    before, after = (steal_time_block(machine.vcpus, page, catalogue) for page in (was, now))
    # QEMU rounds what arrives up to its own host's pages before it compares (qemu_ram_resize): larger ones take it.
    before = -(-before // now) * now
    if before != after:
        said = printed(row, "steal-time-block", was=hex(before), now=hex(after))
        yield block_finding("steal_time", before, after, host.name, "steal-time-block", "kernel", said)


def _judge_counter(host: Host) -> Iterator[Finding]:
    if (host.machine or HostMachine()).counter_offset is False:
        why = (Reason("physical-counter-jumps"),)
        yield machine_finding(
            "counter_offset",
            "risk",
            True,  # noqa: FBT003 - a value of the record
            host.name,
            State("no"),
            because=why,
            cause="kernel",
            applies=("arrive",),
        )
