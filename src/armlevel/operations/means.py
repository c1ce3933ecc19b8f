"""Which means a person asks for, and whether a VMM has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from armlevel.arch import load
from armlevel.engine import MEANS, Answer, MeansName, Policy, switches_named
from armlevel.engine.moves.means_of_hosts import StockMeans, stock_means
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.errors import UnknownName, UsageError
from armlevel.profile import Host

__all__ = ["MEANS", "StockMeans", "means_named", "means_object", "stock_means_of", "switches_named"]


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


def stock_means_of(hosts: Sequence[Host], answer: Answer, policy: Policy) -> StockMeans | None:
    """Return the cheapest means by which a guest may go anywhere among hosts; None if it is not known that one does."""
    found = stock_means(hosts, load(), policy=policy)
    return found or (StockMeans("preload") if answer == "runs" else None)


def means_object(means: StockMeans | None) -> dict[str, Any] | None:
    """Return a means as an answer records it."""
    if means is None:
        return None
    return {"name": means.name, "switches": means.switches or None, "vmm": means.vmm or None}
