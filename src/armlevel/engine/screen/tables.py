"""What no bit can say: questions whose answer is a table, one entry for each pair of a guest's and a host's content.

Each has what decides it on either side, and is judged in full for the first pair of two contents. A part of the
question that is new needs an entry here and no more; one that has none is judged in full for every pair of kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from armlevel.engine.fields.cache_geometry import refused_geometry
from armlevel.engine.fields.partial import possible_midrs
from armlevel.engine.fields.vectors import REFUSED, RUNS, UNKNOWN, Marks
from armlevel.engine.findings import PARTS, Finding, Part
from armlevel.engine.parts.firmware import judge_firmware
from armlevel.engine.parts.machine import judge_machine, reach_of
from armlevel.engine.parts.register_list import judge_list
from armlevel.engine.parts.registers_certain import judge_certain
from armlevel.engine.parts.registers_judged import judge_implementation, silent, told_by_the_lists
from armlevel.engine.parts.shape_pmu import judge_counters
from armlevel.engine.parts.shape_unknown import judge_unknown
from armlevel.engine.parts.shape_vectors import cores_of_guest, impdef_pauth, judge_pauth, judge_vls, parts_of
from armlevel.engine.screen.views import GuestView, HostView, case_of
from armlevel.engine.verdict import judge
from armlevel.profile import IMPLEMENTATION_REGISTERS, whole_register

__all__ = ["TABLES", "Table", "host_firmware", "host_list", "in_full", "marks_of", "parts_without"]

Judge = Callable[[GuestView, HostView], Marks]


@dataclass(frozen=True, slots=True)
class Table:
    """One question: its part, what decides it in a guest and in a host, and who judges it.

    A guest or a host whose key is ``None`` has nothing to do with it.
    """

    name: str
    part: Part
    guest: Callable[[GuestView], Hashable]
    host: Callable[[HostView], Hashable]
    judge: Judge


def marks_of(findings: Sequence[Finding]) -> Marks:
    """Return what findings come to on each side."""
    start = arrive = RUNS
    for one in findings:
        mark = _MARKS.get(one.severity, RUNS)
        start = max(start, mark if "start" in one.applies else RUNS)
        arrive = max(arrive, mark if "arrive" in one.applies else RUNS)
    return Marks(start, arrive)


_MARKS = {"stops": REFUSED, "breaks": REFUSED, "unknown": UNKNOWN}


# ---- registers: the implementation, the cache geometry, and what one side did not record


def _guest_implementation(guest: GuestView) -> Hashable:
    shown = guest.guest.implementation
    return None if shown is None else shown.shown, guest.guest.possible.get("MIDR_EL1")


def _host_implementation(view: HostView) -> Hashable:
    host, offer = view.host, view.offer
    accepts = frozenset(
        (subject, some)
        for subject, some in offer.accepts.items()
        if subject.partition(".")[0] in IMPLEMENTATION_REGISTERS
    )
    return (
        offer.shape.imp_id_writable,
        offer.default,
        tuple(map(offer.limits.get, IMPLEMENTATION_REGISTERS)),
        accepts,
        frozenset(cpu.implementation for cpu in host.every_cpu),
        host.implementations,
        bool(host.other_cpus),
        possible_midrs(host),
        # Of a host with CPUs of several kinds, what it shows of caches hangs on its kernel.
        host.software.kernel if host.mixed else "",
    )


def _caches(values: dict[str, int]) -> Hashable:
    found = tuple(
        (name, value)
        for name, value in sorted(values.items())
        if name == "CLIDR_EL1" or name.startswith("CCSIDR_EL1[")
    )
    return found or None


def _guest_caches(guest: GuestView) -> Hashable:
    return _caches(dict(guest.guest.registers))


def _host_caches(host: HostView) -> Hashable:
    return host.offer.limits.get("CTR_EL0"), _caches(dict(host.offer.limits))


def _judge_caches(guest: GuestView, host: HostView) -> Marks:
    limits = host.offer.limits
    refused = any(
        name in limits and value != limits[name] and refused_geometry(host.offer, name, value)
        for name, value in guest.guest.registers.items()
    )
    return Marks(REFUSED, REFUSED) if refused else Marks(RUNS, RUNS)


def _guest_recorded(guest: GuestView) -> Hashable:
    return frozenset(guest.guest.registers), guest.gone, guest.guest.register_list


def _host_recorded(host: HostView) -> Hashable:
    return frozenset(host.offer.limits), host.offer.register_list


def _judge_recorded(guest: GuestView, host: HostView) -> Marks:
    limits, case = host.offer.limits, case_of(guest, host)
    open_ = (
        not guest.guest.registers
        or bool(silent(case))
        or any(
            name not in limits
            and name not in guest.gone
            and not told_by_the_lists(name, guest.guest, host.offer, guest.catalogue)
            for name in guest.guest.registers
        )
    )
    return Marks(UNKNOWN, UNKNOWN) if open_ else Marks(RUNS, RUNS)


def _whole(guest: GuestView) -> bool:
    return guest.guest.registers.keys() >= guest.catalogue.certain.registers


def _partly(guest: GuestView) -> Hashable:
    # What may be certain though it is not recorded on one side: all that the guest says of these fields.
    rows = guest.catalogue.certain
    registers = frozenset(
        (name, value) for name, value in guest.guest.registers.items() if name in rows.registers
    )
    possible = frozenset((name, some) for name, some in guest.guest.possible.items() if name in rows.keeps)
    return registers, possible, guest.tolerated.intersection(rows.keeps)


def _itself(host: HostView) -> Hashable:
    return host


_REGISTERS: tuple[Table, ...] = (
    Table(
        "implementation",
        "registers",
        _guest_implementation,
        _host_implementation,
        lambda guest, host: marks_of(judge_implementation(case_of(guest, host))),
    ),
    Table("cache-geometry", "registers", _guest_caches, _host_caches, _judge_caches),
    Table("recorded", "registers", _guest_recorded, _host_recorded, _judge_recorded),
    Table(
        "partial-hosts",
        "registers",
        _partly,
        lambda host: None if host.whole else host,
        lambda guest, host: marks_of(judge_certain(case_of(guest, host))),
    ),
    Table(
        "partial-guests",
        "registers",
        lambda guest: None if _whole(guest) else _partly(guest),
        _itself,
        lambda guest, host: marks_of(judge_certain(case_of(guest, host))),
    ),
)


# ---- shape


def _guest_counters(guest: GuestView) -> Hashable:
    return (guest.guest.pmu_counters,) if "pmu_v3" in guest.guest.shape.features else None


def _guest_lengths(guest: GuestView) -> Hashable:
    return (guest.guest.sve_vls,) if "sve" in guest.guest.shape.features else None


def _guest_pauth(guest: GuestView) -> Hashable:
    if not impdef_pauth(guest.known, guest.guest.shape):
        return None
    case = guest.policy.assume_same_impdef, guest.guest.tolerates
    return cores_of_guest(guest.guest), case


_SHAPE: tuple[Table, ...] = (
    Table(
        "lengths",
        "shape",
        _guest_lengths,
        lambda host: (host.offer.sve_vls,),
        lambda guest, host: marks_of(judge_vls(case_of(guest, host))),
    ),
    Table(
        "counters",
        "shape",
        _guest_counters,
        lambda host: (host.offer.pmu.get("counters"), host.host.mixed),
        lambda guest, host: marks_of(judge_counters(case_of(guest, host))),
    ),
    Table(
        "pointers",
        "shape",
        _guest_pauth,
        lambda host: (parts_of(host.host.implementations),),
        lambda guest, host: marks_of(judge_pauth(case_of(guest, host))),
    ),
    Table(
        "unknown",
        "shape",
        lambda guest: guest.guest.unknown or None,
        lambda _host: (),
        lambda guest, host: marks_of(judge_unknown(case_of(guest, host))),
    ),
)


# ---- register list and firmware, with what the guest shows where that decides


def _guest_list(guest: GuestView) -> Hashable:
    return guest.guest.register_list, guest.drops, guest.gone, guest.tolerated


def host_list(host: HostView) -> Hashable:
    """Return what decides which registers a host lists for a guest."""
    line = host.line
    return host.offer.register_list, None if line is None else line.name, host.drops


def _guest_firmware(guest: GuestView) -> Hashable:
    return (
        frozenset(guest.guest.firmware.items()),
        guest.guest.register_list,
        guest.raised,
        guest.policy.accept_weaker_mitigation,
        guest.guest.tolerates,
    )


def host_firmware(host: HostView) -> Hashable:
    """Return what decides which firmware registers a host has for a guest."""
    offer = host.offer
    names = map(whole_register, host.catalogue.firmware.keys() | offer.firmware.keys())
    tried = frozenset((name, offer.accepts[name]) for name in names if name in offer.accepts)
    return frozenset(offer.firmware.items()), tried, offer.register_list, host.raised


def _guest_machine(view: GuestView) -> Hashable:
    # Without a record of it nothing is asked.
    machine = view.guest.machine
    if machine is None:
        return None
    return machine, view.guest.facts.page_size, reach_of(view.guest, view.catalogue)


def _host_machine(view: HostView) -> Hashable:
    host = view.host
    return host.machine, host.facts.page_size, host.software.kvm_capabilities.get("STEAL_TIME")


_STATE: tuple[Table, ...] = (
    Table(
        "register-list",
        "list",
        _guest_list,
        host_list,
        lambda guest, host: marks_of(judge_list(case_of(guest, host))),
    ),
    Table(
        "firmware",
        "firmware",
        _guest_firmware,
        host_firmware,
        lambda guest, host: marks_of(judge_firmware(case_of(guest, host))),
    ),
    Table(
        "machine",
        "machine",
        _guest_machine,
        _host_machine,
        lambda guest, host: marks_of(judge_machine(guest.guest, host.host, guest.catalogue)),
    ),
)

#: All that is judged of a guest on a host by KVM alone, beside the bits.
TABLES: tuple[Table, ...] = (*_REGISTERS, *_SHAPE, *_STATE)


def parts_without(tables: Sequence[Table]) -> tuple[Part, ...]:
    """Return the parts of the question that neither a bit nor one of these tables knows.

    >>> parts_without(TABLES), parts_without([])
    ((), ('shape', 'list', 'firmware', 'machine'))
    """
    known = {"registers", "facts", *(table.part for table in tables)}
    return tuple(part for part in PARTS if part not in known)


def in_full(part: Part) -> Table:
    """Return a table of a part that has none: each pair of a guest and a host is an entry, judged in full."""

    def whole(guest: GuestView, host: HostView) -> Marks:
        return marks_of(judge(case_of(guest, host))[part])

    return Table(f"{part}-in-full", part, lambda guest: guest, lambda host: host, whole)
