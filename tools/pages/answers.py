"""What one KVM does with the values of a field, in a few words; the same words for CPUs that show other values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from armlevel.arch import Field
from armlevel.engine.fields.domains import accepts_of
from armlevel.profile import Offer

__all__ = ["WORDS", "among", "merged", "passthrough", "shown", "takes", "together"]

#: The words of :func:`takes` -> what they mean.
WORDS = {
    "own": "the value that a fresh vCPU shows, and no other",
    "less": "that, and every value that promises less",
    "down to N": "that, and what promises less, but not below N",
    "any": "every value",
    "also N": "that, and N",
    "N becomes M": "N is accepted, and M is kept",
    "-": "the register is not there",
}
_ENUMERATED = 8


def shown(offer: Offer, field: Field) -> str:
    """Return the value that a fresh vCPU shows."""
    value = offer.limits.get(field.register)
    if value is None:
        return "-"
    limit = field.get(value)
    return str(limit) if field.width <= _ENUMERATED else f"{limit:#x}"


def takes(offer: Offer, field: Field) -> str | None:
    """Return which values KVM takes; None where there is nothing to tell: no other is taken, and none promises less."""
    value = offer.limits.get(field.register)
    if value is None:
        return "-"
    limit = field.get(value)
    accepts = accepts_of(offer, field, limit)
    if accepts.values is None:
        return "any"
    others = accepts.values - {limit}
    if field.width <= _ENUMERATED and len(others) + 1 == 1 << field.width:
        return "any"
    # Wider fields are tried at a few values only.
    every = range(1 << field.width) if field.width <= _ENUMERATED else sorted(others)
    less = frozenset(v for v in every if _less(field, v, limit))
    becomes = [f"{asked} becomes {kept}" for asked, kept in accepts.changed[:2]]
    if not others:
        return "; ".join(["own", *becomes]) if less or becomes else None
    if others == less:
        word = "less"
    elif others < less and others == {v for v in less if v >= min(others)}:
        word = f"down to {min(others)}"
    else:
        word = f"also {_runs(sorted(others))}"
    return "; ".join([word, *becomes])


def _less(field: Field, value: int, limit: int) -> bool:
    this, that = (field.order.rank(one, width=field.width) for one in (value, limit))
    return this is not None and that is not None and this < that


def _runs(values: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def merged(cells: Mapping[str, str | None]) -> str:
    """Return one cell for many CPUs: the commonest answer, then the others with the CPUs that give them.

    >>> merged({"a": "less", "b": "less", "c": "own", "d": None})
    'less; own (c)'
    """
    by_answer: dict[str, list[str]] = {}
    for cpu, cell in cells.items():
        if cell is not None:
            by_answer.setdefault(cell, []).append(cpu)
    ordered = sorted(by_answer.items(), key=lambda item: -len(item[1]))
    return "; ".join(
        answer if index == 0 else f"{answer} ({among(cpus, len(cells))})"
        for index, (answer, cpus) in enumerate(ordered)
    )


def among(cpus: Sequence[str], total: int) -> str:
    """Return which CPUs these are."""
    return "all" if len(cpus) == total else ", ".join(sorted(cpus))


def passthrough(name: str) -> tuple[object, ...]:
    """Return a key that sorts ``CCSIDR_EL1[10]`` behind ``CCSIDR_EL1[9]``."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))


def together(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Put rows of numbered names with the same cells into one row.

    >>> together([("X[1]", "new"), ("X[2]", "new"), ("X[3]", "new"), ("Y", "new")])
    [('X[1..3]', 'new'), ('Y', 'new')]
    """
    listed: list[tuple[str, ...]] = []
    runs: dict[tuple[str, ...], list[int]] = {}
    for name, *cells in sorted(rows, key=lambda row: passthrough(row[0])):
        numbered = re.fullmatch(r"(.*)\[(\d+)\]", name)
        if numbered is None:
            listed.append((name, *cells))
            continue
        key = (numbered[1], *cells)
        if key in runs and runs[key][-1] + 1 == int(numbered[2]):
            runs[key].append(int(numbered[2]))
        else:
            runs[key] = [int(numbered[2])]
            listed.append((f"{numbered[1]}[{numbered[2]}]", *cells))
    ends = {(f"{stem}[{run[0]}]", *cells): run[-1] for (stem, *cells), run in runs.items()}
    return [
        (f"{row[0][:-1]}..{ends[row]}]", *row[1:]) if ends.get(row, -1) > int(_index(row[0])) else row
        for row in listed
    ]


def _index(name: str) -> str:
    found = re.search(r"\[(\d+)\]$", name)
    return found[1] if found else "-1"
