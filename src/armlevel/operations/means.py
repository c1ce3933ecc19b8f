"""Which means a person asks for, and whether a VMM has it."""

from __future__ import annotations

from armlevel.arch import load
from armlevel.engine import MEANS, MeansName, switches_named
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.errors import UnknownName, UsageError

__all__ = ["MEANS", "means_named", "switches_named"]


def means_named(text: str, vmm: str) -> MeansName | None:
    """Return a means by its name; None for an empty text.

    Raises:
        UnknownName: no means is called so.
        UsageError: the VMM does not have it.

    >>> means_named("Switches", "qemu-11.1"), means_named("", "kvm")
    ('switches', None)
    """
    word = text.strip().lower()
    if not word:
        return None
    named = next((name for name in MEANS if name == word), None)
    if named is None:
        raise UnknownName("means", text, MEANS)
    row = load().means[named]
    if restorer_named(vmm, load()).family not in row.families:
        others = [
            one.name for one in load().means.values() if restorer_named(vmm, load()).family in one.families
        ]
        raise UsageError(f"--means {named}: {vmm} has no such means", hint=f"it has {', '.join(others)}")
    return named
