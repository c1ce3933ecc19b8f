"""Which registers of a guest's state this host does not list, and whether its VMM forgives that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from armlevel.kvm.ids import own_names
from armlevel.onefile.codes import Severity
from armlevel.onefile.found import Found
from armlevel.onefile.here import Here
from armlevel.onefile.rows import LetRow, Rows
from armlevel.probe.vmms import version_of
from armlevel.profile import Guest

__all__ = ["missing_registers", "sets_of"]

_NUMBERS = re.compile(r"\d+")


def missing_registers(guest: Guest, listed: Iterable[int], rows: Rows, here: Here) -> Iterator[Found]:
    """Return each register that the guest's state carries and this host, made to show that guest, does not list.

    What one version of a VMM refuses another forgives; which this host has is asked only where it matters.
    """
    if guest.register_list is None:
        yield Found("not-recorded", "unknown", "register list", remedy="probe")
        return
    missing = sorted(set(guest.register_list).difference(listed))
    let = {number: row for number in missing if (row := _let(number, guest, rows)) is not None}
    sets = sets_of(here.emulator, rows) if let else frozenset()
    for number in missing:
        name = _name(number, rows) or f"{number:#018x}"
        forgives = frozenset(let[number].vmms) & sets if number in let else frozenset()
        if forgives and forgives == sets:
            yield Found("list-let", "note", name, "listed", "not listed", "kernel")
        else:
            severity: Severity = "unknown" if forgives else "stops"
            yield Found("list-lacks", severity, name, "listed", "not listed", "kernel", "restart")


def _name(number: int, rows: Rows) -> str | None:
    return rows.names.get(number) or own_names().get(number)


def _let(number: int, guest: Guest, rows: Rows) -> LetRow | None:
    name = _name(number, rows)
    for row in rows.lets:
        if row.register == name and (row.value is None or guest.firmware.get(name) == row.value):
            return row
    return None


def sets_of(emulator: str, rows: Rows) -> frozenset[str]:
    """Return the sets of behaviour that the VMM of this path may have; none where none is named."""
    if not emulator:
        return frozenset()
    family = "firecracker" if "firecracker" in emulator.rpartition("/")[2] else "qemu"
    sets = [row for row in rows.vmms if row.family == family]
    version = tuple(map(int, _NUMBERS.findall(version_of(emulator))[:3]))
    fit = [
        row
        for row in sets
        if any(since <= version and (not before or version < before) for since, before in row.versions)
    ]
    return frozenset(row.name for row in (fit if version and fit else sets))
