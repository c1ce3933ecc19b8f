"""What a comparison of two hosts or guests leaves open, because one of them does not record it."""

from __future__ import annotations

from collections.abc import Iterator

from armlevel.arch import Catalogue, known_of
from armlevel.engine.compare.around import not_compared_around, not_compared_machines
from armlevel.engine.compare.diff import events_of, guest_to_compare
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.engine.not_recorded import not_recorded
from armlevel.engine.parts.shape_pmu import EVENTS
from armlevel.kvm import id_of
from armlevel.profile import IMPLEMENTATION_REGISTERS, Guest, Host

__all__ = ["not_compared"]


def not_compared(one: Host | Guest, two: Host | Guest, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what :func:`diff` did not compare although a guest may see it: each is recorded on one side at most.

    Raises:
        UsageError: a host has no offer at all.

    """
    before, after = guest_to_compare(one, catalogue), guest_to_compare(two, catalogue)
    found = [
        *_registers(before, after, catalogue),
        *_shape(before, after),
        *_firmware(before, after),
        *_facts(before, after),
    ]
    if before.register_list is None or after.register_list is None:
        found.append("register list")
    if isinstance(one, Host) and isinstance(two, Host):
        found += _of_hosts(one, two, before, after)
    else:
        found += not_compared_machines(before.machine, after.machine, catalogue)
    return tuple(dict.fromkeys(found))


def _registers(before: Guest, after: Guest, catalogue: Catalogue) -> Iterator[str]:
    ours, theirs = before.id_registers, after.id_registers
    # What a guest cannot use is left out of its profile, and means nothing.
    gone = {
        name
        for guest in (before, after)
        for name in meaningless(known_of(catalogue, guest.registers), catalogue)
    }
    if not before.registers and not after.registers:
        yield "ID registers"
    for name in dict.fromkeys([*IMPLEMENTATION_REGISTERS, *ours, *theirs]):
        if name in IMPLEMENTATION_REGISTERS:
            if name not in ours or name not in theirs:
                yield name
        elif (
            name not in gone
            and (name in ours) != (name in theirs)
            and not _only_one_lists(name, before, after)
        ):
            yield name
    # What neither has a value of is in one of their lists.
    yield from (
        one.key
        for guest in (before, after)
        for one in not_recorded(guest, catalogue)
        if one.kind == "register"
    )


def _only_one_lists(name: str, before: Guest, after: Guest) -> bool:
    # Then the register list says which side has it, and nothing is left open.
    if before.register_list is None or after.register_list is None:
        return False
    register = id_of(name)
    return (register in before.register_list) != (register in after.register_list)


def _shape(before: Guest, after: Guest) -> Iterator[str]:
    both = before.shape.features & after.shape.features
    if "sve" in both and (before.sve_vls is None or after.sve_vls is None):
        yield "sve_vls"

    if "pmu_v3" in both and (before.pmu_counters is None or after.pmu_counters is None):
        yield "pmu.counters"


def _of_hosts(one: Host, two: Host, before: Guest, after: Guest) -> Iterator[str]:
    if one.facts.page_size is None or two.facts.page_size is None:
        yield "facts.page_size"
    yield from not_compared_around(one, two)
    if "pmu_v3" in before.shape.features & after.shape.features:
        recorded = events_of(one, before).keys() & events_of(two, after).keys()
        if not recorded >= EVENTS.keys():
            yield "pmu.events"


def _firmware(before: Guest, after: Guest) -> Iterator[str]:
    if not before.firmware or not after.firmware:
        yield "firmware"
        return
    for name in sorted({*before.firmware} ^ {*after.firmware}):
        if not _only_one_lists(name, before, after):
            yield name


def _facts(before: Guest, after: Guest) -> Iterator[str]:
    mte = "mte" in before.shape.features & after.shape.features
    for name in ("cntfrq_hz", "dczid", *(("gmid",) if mte else ())):
        if getattr(before.facts, name) is None or getattr(after.facts, name) is None:
            yield f"facts.{name}"
