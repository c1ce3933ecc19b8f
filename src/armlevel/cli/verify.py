"""Is this machine's KVM able to give a guest exactly this CPU? Tried, not computed."""

from __future__ import annotations

from armlevel.arch import load
from armlevel.cli.inputs import guest_of
from armlevel.cli.options import GuestFile, Json
from armlevel.cli.output import say, say_json, wrapped
from armlevel.documents import findings_object
from armlevel.engine import Finding
from armlevel.engine.findings import Part, Severity
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_fact, about_register
from armlevel.engine.values import named, offered
from armlevel.kvm.device import Kvm
from armlevel.probe.apply import Applied, Difference, apply_guest
from armlevel.probe.machine import read_machine
from armlevel.profile import Guest
from armlevel.words.reasons import reason_text

__all__ = ["report", "run"]

_HERE = "this machine"
_SEEN = {"kvm": Reason("read-from-kvm"), "guest": Reason("read-by-guest")}


def run(guest: GuestFile, as_json: Json = False) -> int:
    """Give a scratch VM the guest's CPU, and compare.

    Everything is written, frozen, and read back; then a few guest instructions read the ID registers themselves.
    """
    catalogue = load()
    wanted = guest_of(guest, catalogue)
    machine = read_machine()
    with Kvm() as kvm:
        applied = apply_guest(kvm, wanted, catalogue, pmu=machine.pmu)
    return report(wanted, applied, _HERE, as_json=as_json)


def report(wanted: Guest, applied: Applied, where: str, *, as_json: bool) -> int:
    """Say what became of a profile that was applied; exit 1 if anything is different."""
    if as_json:
        found = [_finding(one, where) for one in applied.differences]
        found += [_finding(one, where, "note") for one in applied.notes]
        say_json(
            {
                "guest": wanted.name,
                "host": where,
                "answer": "refused" if applied.differences else "runs",
                "gic": applied.gic,
                "read": {name: f"{value:#018x}" for name, value in applied.read.items()},
                "findings": findings_object(found),
            }
        )
    else:
        say(_lines(wanted, applied, where))
    return int(bool(applied.differences))


def _finding(one: Difference, where: str, severity: Severity = "stops") -> Finding:
    part: Part = "facts" if one.subject.startswith("facts.") else "registers"
    return Finding(
        about_fact(one.subject.removeprefix("facts.")) if part == "facts" else about_register(one.subject),
        part,
        severity,
        (named(one.wanted),),
        offered((where, named(one.found))),
        applies=("start",),
        because=(_SEEN[one.seen],),
    )


def _lines(guest: Guest, applied: Applied, where: str) -> list[str]:
    told = f"{len(guest.registers)} registers written and read back, {len(applied.read)} read by guest instructions"
    notes = [
        line
        for one in applied.notes
        for line in wrapped(
            f"note: {one.subject} is {one.found} to the guest: KVM does not hide it", "  ", "    "
        )
    ]
    if not applied.differences:
        return [
            f"{guest.name} on {where}: runs",
            *wrapped(f"{told}, interrupt controller {applied.gic}; all as the profile says", "  "),
            *notes,
        ]
    lines = [
        f"{guest.name} on {where}: refused",
        *wrapped(f"{told}; {len(applied.differences)} differences:", "  "),
    ]
    for one in applied.differences:
        lines += wrapped(
            f"{one.subject}: the profile says {one.wanted}, {reason_text(_SEEN[one.seen])}: {one.found}",
            "  ",
            "    ",
        )
    return [*lines, *notes]
