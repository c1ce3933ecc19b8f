"""On which side of a new line each known change of KVM lies, and which differences no row explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from armlevel.arch import Catalogue
from armlevel.engine import Change, diff
from armlevel.engine.compare.kernel_changes import known_between
from armlevel.profile import Host
from armlevel.words.changes import change_text
from kernels.text import Texts, move_change

__all__ = ["Placed", "place_changes", "unexplained"]

Hosts = Mapping[str, Host]  # by CPU model


@dataclass(slots=True)
class Placed:
    """The rows with each change on its side, what was decided, and what needs a person."""

    texts: Texts
    decided: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def place_changes(texts: Texts, line: str, sides: tuple[Hosts, Hosts, Hosts], catalogue: Catalogue) -> Placed:
    """Return the texts with ``line`` as the end or the beginning of each change between its neighbours.

    ``sides``  the hosts of the line before, of the line itself, and of the line after
    """
    order = [one.name for one in catalogue.lines]
    at, found = order.index(line), Placed(texts)
    if not 0 < at < len(order) - 1:
        return found
    ends = (order[at - 1], order[at + 1])
    since_then, until_then = (_pairs(sides[0], sides[1], catalogue), _pairs(sides[1], sides[2], catalogue))
    for number, row in enumerate(catalogue.line_changes):
        if (row.until, row.since) != ends:
            continue
        new, old = (
            any(row.speaks_of(one.subject) for one in changes) for changes in (since_then, until_then)
        )
        what = f"{', '.join(row.subjects)}: {row.why}"
        if new == old:
            found.unsure.append(f"{what}: {line} is like {'neither' if new else 'both'} of its neighbours")
            continue
        found.texts = move_change(found.texts, number, "since" if new else "until", line)
        found.decided.append(f"{what}: {'already' if new else 'not yet'} on {line}")
    return found


def unexplained(one: Hosts, two: Hosts, catalogue: Catalogue) -> Iterator[str]:
    """Say each difference between two lines that no row of between.toml explains, with how many CPUs have it."""
    found: dict[str, list[str]] = {}
    for cpu in sorted(set(one) & set(two)):
        changes = [change for change in diff(one[cpu], two[cpu], catalogue) if change.identity]
        known = {
            subject
            for _row, subjects in known_between(one[cpu], two[cpu], changes, catalogue)
            for subject in subjects
        }
        for change in changes:
            if change.subject not in known:
                found.setdefault(_words(change), []).append(cpu)
    yield from (f"{words} ({len(cpus)} CPUs)" for words, cpus in found.items())


def _words(change: Change) -> str:
    before, after = (
        change_text(side, change.subject) or "not listed" for side in (change.before, change.after)
    )
    return f"{change.part}: {change.subject} {before} → {after}"


def _pairs(one: Hosts, two: Hosts, catalogue: Catalogue) -> Sequence[Change]:
    return [
        change
        for cpu in set(one) & set(two)
        for change in diff(one[cpu], two[cpu], catalogue)
        if change.identity
    ]
