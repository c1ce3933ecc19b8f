"""Is this machine's KVM able to give a guest exactly this CPU? Tried, not computed."""

from __future__ import annotations

from armlevel.cli.options import GuestFile, Json, Key
from armlevel.cli.output import meant, say, say_json, wrapped
from armlevel.operations.named import guest_named
from armlevel.operations.verify import VerifyResult, verify
from armlevel.words.applied import difference_text, note_text

__all__ = ["report", "run"]


def run(guest: GuestFile, key: Key = None, as_json: Json = False) -> int:
    """Give a scratch VM the guest's CPU, and compare.

    Everything is written, frozen, and read back; then a few guest instructions read the ID registers themselves.
    """
    return report(verify(guest_named(guest, keys=key or ())), as_json=as_json)


def report(found: VerifyResult, *, as_json: bool) -> int:
    """Say what became of a profile that was applied; exit 1 if anything is different."""
    if as_json:
        say_json(found.document())
    else:
        say(_lines(found))
    return found.status


def _lines(found: VerifyResult) -> list[str]:
    guest, applied, where = found.guest, found.applied, found.host or "this machine"
    told = f"{len(guest.registers)} registers written and read back, {len(applied.read)} read by guest instructions"
    notes = [line for one in applied.notes for line in wrapped(note_text(one), "  ", "    ")]
    if not applied.differences:
        return [
            f"{guest.name} on {where}: {meant('runs')}",
            *wrapped(f"{told}, interrupt controller {applied.gic}; all as the profile says", "  "),
            *notes,
        ]
    lines = [
        f"{guest.name} on {where}: {meant(found.answer)}",
        *wrapped(f"{told}; {len(applied.differences)} differences:", "  "),
    ]
    for one in applied.differences:
        lines += wrapped(difference_text(one), "  ", "    ")
    return [*lines, *notes]
