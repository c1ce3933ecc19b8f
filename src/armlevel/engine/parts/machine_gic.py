"""A guest's interrupt controller: the version that its VMM takes on a host, and what KVM takes of its identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from armlevel.engine.findings import Finding
from armlevel.engine.names import Name
from armlevel.engine.parts.machine_given import NO_GIC, UNKNOWN_GIC, gic_on
from armlevel.engine.parts.machine_values import given_value, machine_finding, printed
from armlevel.engine.reasons import Reason
from armlevel.engine.values import State
from armlevel.profile import GuestMachine, Host, HostMachine, TriedField
from armlevel.profile.guest_machine import GIC_VERSIONS

if TYPE_CHECKING:
    from armlevel.arch import Around, Catalogue, CpuInterface

__all__ = ["judge_gic"]


def judge_gic(
    machine: GuestMachine, asked: GuestMachine, host: Host, row: Around, catalogue: Catalogue
) -> Iterator[Finding]:
    """Compare a guest's interrupt controller with the one that ``host`` gives it, and what KVM takes of it there.

    ``asked`` is what the VMM is asked for there: as a rule what the guest was started with.
    """
    there = host.machine or HostMachine()
    version = gic_on(asked, there, row)
    yield from _version(machine, asked, version, host, row)
    if UNKNOWN_GIC not in (version, machine.gic) and version == machine.gic:
        yield from _its(machine, asked, host, row)
        if version == 3:
            yield from _cpu_interface(machine, there, host, row, catalogue)
            yield from _revision(machine, there, host, row)
    yield from _nested(machine, there, host)


def _version(
    machine: GuestMachine, asked: GuestMachine, version: int | None, host: Host, row: Around
) -> Iterator[Finding]:
    if version is UNKNOWN_GIC or machine.gic is None:
        offer = State("not-recorded") if version is UNKNOWN_GIC else given_value(version)
        yield machine_finding("gic", "unknown", machine.gic, host.name, offer)
    elif version == NO_GIC:
        wanted = asked.gic_asked if asked.gic_asked in GIC_VERSIONS else str(machine.gic)
        errno = (host.machine.gic or {}).get(f"v{wanted}", "") if host.machine is not None else ""
        messages = printed(row, "gic", version=wanted) if asked.gic_asked in GIC_VERSIONS else ()
        why = (Reason("gic-not-here", (Name(errno),)),)
        yield machine_finding(
            "gic",
            "stops",
            machine.gic,
            host.name,
            State("no"),
            because=why,
            cause="kernel",
            messages=messages,
        )
    elif version != machine.gic:
        why = (Reason("gic-taken-there", (Name(str(asked.gic_asked)), Name(f"GICv{version}"))),)
        yield machine_finding(
            "gic",
            "stops",
            machine.gic,
            host.name,
            given_value(version),
            because=why,
            cause="vmm",
            messages=printed(row, f"gic-{machine.gic}"),
        )


def _its(machine: GuestMachine, asked: GuestMachine, host: Host, row: Around) -> Iterator[Finding]:
    # It comes with every GICv3 of KVM: whether a guest has one is the VMM's choice.
    if machine.its is None or asked.its is None:
        yield machine_finding("its", "unknown", machine.its, host.name, given_value(asked.its))
    elif machine.its and not asked.its:
        yield machine_finding(
            "its",
            "stops",
            machine.its,
            host.name,
            State("no"),
            because=(Reason("its-not-asked"),),
            cause="vmm",
            messages=printed(row, "its"),
        )
    elif asked.its and not machine.its:
        why = (Reason("its-more"),)
        yield machine_finding("its", "note", machine.its, host.name, State("yes"), because=why, cause="vmm")
    elif machine.its:
        has = None if host.machine is None else host.machine.has_gic("its")
        if has is None:
            yield machine_finding("its", "unknown", machine.its, host.name, given_value(None))
        elif not has:
            yield machine_finding("its", "stops", machine.its, host.name, State("no"), cause="kernel")


def _cpu_interface(
    machine: GuestMachine, there: HostMachine, host: Host, row: Around, catalogue: Catalogue
) -> Iterator[Finding]:
    held, tried = machine.icc_ctlr or {}, there.icc_ctlr or {}
    names = [one.field for one in catalogue.cpu_interface]
    missing = [name for name in names if name not in held or name not in tried]
    if missing:
        needs = {name: held[name] for name in names if name in held} or None
        shown = {name: tried[name].shown for name in names if name in tried} or None
        offer = given_value(None if set(missing) - {*tried} else shown)
        yield machine_finding(
            "icc_ctlr", "unknown", needs if not set(missing) - {*held} else None, host.name, offer
        )
        return
    other = {one.field for one in catalogue.cpu_interface if held[one.field] != tried[one.field].shown}
    refused = {
        one.field for one in catalogue.cpu_interface if not _takes(one, held[one.field], tried[one.field])
    }
    if "ICC_CTLR_EL1" not in row.writes:
        refused = set()
    for some in (refused, other - refused):
        fields = [name for name in names if name in some]
        if not fields:
            continue
        needs = {name: held[name] for name in fields}
        offer = given_value({name: tried[name].shown for name in fields})
        stops = some is refused
        code: Reason = Reason("cpu-interface-of-hardware")
        if stops:
            code = Reason("cpu-interface-refused", (Name(", ".join(fields)),))
        yield machine_finding(
            "icc_ctlr",
            "stops" if stops else "risk",
            needs,
            host.name,
            offer,
            because=(code,),
            cause="silicon",
            applies=("arrive",),
            messages=printed(row, "cpu-interface") if stops else (),
        )
    if other:
        needs = {name: held[name] for name in names if name in other}
        offer = given_value({name: tried[name].shown for name in names if name in other})
        why = (Reason("cpu-interface-other"),)
        yield machine_finding(
            "icc_ctlr", "breaks", needs, host.name, offer, because=why, cause="silicon", applies=("start",)
        )


def _takes(one: CpuInterface, value: int, tried: TriedField) -> bool:
    # What was tried decides; of a value that nobody tried, the rule of KVM's source.
    answer = tried.takes(value)
    if answer is not None:
        return answer
    return value == tried.shown or (one.lower and value < tried.shown)


def _revision(machine: GuestMachine, there: HostMachine, host: Host, row: Around) -> Iterator[Finding]:
    held, tried = machine.gicd_iidr, there.gicd_iidr
    if "GICD_IIDR" not in row.writes:
        if held is not None and tried is not None and held != tried.shown:
            why, offer = (Reason("iidr-changed"),), given_value(tried.shown)
            yield machine_finding("gicd_iidr", "note", held, host.name, offer, because=why, cause="kernel")
        return
    takes = None if held is None or tried is None else tried.takes(held)
    if takes is None:
        offer = given_value(None if tried is None else tried.shown)
        yield machine_finding("gicd_iidr", "unknown", held, host.name, offer)
    elif not takes:
        why = (Reason("iidr-refused"),)
        offer = given_value(None if tried is None else tried.shown)
        yield machine_finding("gicd_iidr", "stops", held, host.name, offer, because=why, cause="kernel")


def _nested(machine: GuestMachine, there: HostMachine, host: Host) -> Iterator[Finding]:
    if machine.virtualization is None:
        yield machine_finding("virtualization", "unknown", None, host.name, given_value(None))
    if not machine.virtualization:
        return
    if machine.ich_vtr is None or there.ich_vtr is None:
        yield machine_finding("ich_vtr", "unknown", machine.ich_vtr, host.name, given_value(there.ich_vtr))
    elif machine.ich_vtr != there.ich_vtr:
        why, offer = (Reason("nested-gic-differs"),), given_value(there.ich_vtr)
        yield machine_finding(
            "ich_vtr", "stops", machine.ich_vtr, host.name, offer, because=why, cause="silicon"
        )
