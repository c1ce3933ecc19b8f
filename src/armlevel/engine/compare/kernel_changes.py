"""Which measured change of KVM explains a difference between two hosts of one CPU."""

from __future__ import annotations

from collections.abc import Iterable

from armlevel.arch import Catalogue, LineChange
from armlevel.engine.causes import cause_between
from armlevel.engine.compare.diff import Change
from armlevel.profile import Host

__all__ = ["known_between"]


def known_between(
    one: Host, two: Host, changes: Iterable[Change], catalogue: Catalogue
) -> tuple[tuple[LineChange, tuple[str, ...]], ...]:
    """Return each row that explains some of the changes, with what it explains; oldest first.

    Nothing where the hosts differ in more than their kernel, or one kernel is of no measured line.
    """
    lines = [catalogue.line(host.software.kernel) for host in (one, two)]
    if None in lines or cause_between([one, two]) != "kernel":
        return ()
    order = [line.name for line in catalogue.lines]
    older, newer = sorted((line.name for line in lines if line is not None), key=order.index)
    subjects = [change.subject for change in changes if change.identity]
    return tuple(
        (row, explained)
        for row in catalogue.line_changes
        if row.within(older, newer, order)
        and (explained := tuple(subject for subject in subjects if row.speaks_of(subject)))
    )
