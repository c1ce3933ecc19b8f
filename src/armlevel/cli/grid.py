"""The matrix on a terminal: a letter for each move, rows from, columns to, hosts of a group beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.cli.output import Meaning, meant, wide, wrapped
from armlevel.cli.terminal import page_width
from armlevel.operations import Grouping

__all__ = ["grid_lines", "in_groups"]

#: What a letter means, for its colour.
_MEANINGS: dict[str, Meaning] = {
    "P": "yes",
    "p": "yes",
    "S": "levelled",
    "s": "levelled",
    "L": "levelled",
    "l": "levelled",
    "r": "risk",
    "?": "unknown",
}
_TITLE = "rows: from; columns: to"
_NAME = 40
_DENSE_NAME = 26


def in_groups(names: Sequence[str], groups: Grouping) -> list[str]:
    """Return the names so that the hosts of a group stand together, the largest group first."""
    places: dict[str, None] = {}
    for group in sorted(groups.groups, key=lambda one: -len(one.hosts)):
        places.update(dict.fromkeys(name for name in names if name in group.hosts))
    return [*places, *(name for name in names if name not in places)]


def grid_lines(
    names: Sequence[str], symbols: Mapping[tuple[str, str], str], *, every: bool = False
) -> list[str]:
    """Return the grid; where it would not fit the page, hosts that move alike share a row and a column.

    Where that is too wide as well, a column is one letter, and its number is written downwards.
    """
    kinds = [[name] for name in names]
    if len(names) > _room(names, _NAME, 0) and not every:
        kinds = _alike(names, symbols)
    shown = [kind[0] for kind in kinds]
    labels = [kind[0] + (f" +{len(kind) - 1}" if len(kind) > 1 else "") for kind in kinds]
    dense = len(shown) > _room(labels, _NAME, len(kinds))
    lines = _dense(shown, labels, symbols) if dense else _loose(shown, labels, symbols)
    # Beside the numbers of the columns if there is room.
    beside = f"{lines[0]}   {_TITLE}"
    lines = [beside, *lines[1:]] if wide(beside) <= page_width() else [_TITLE, *lines]
    if len(shown) < len(names):
        lines += wrapped(
            f"{len(names)} hosts; +3: three more come and go as this one, and between them (--names)"
        )
    return lines


def _loose(shown: Sequence[str], labels: Sequence[str], symbols: Mapping[tuple[str, str], str]) -> list[str]:
    number = len(str(len(shown)))
    cut = [_shortened(label, _NAME) for label in labels]
    widest = max(map(wide, cut))
    heads = "".join(f" {place + 1:>{number}}" for place in range(len(shown)))
    lines = [f"{'':{number + 1 + widest}}{heads}"]
    for place, (source, label) in enumerate(zip(shown, cut, strict=True)):
        row = "".join(" " * number + _letter(symbols.get((source, target), "-")) for target in shown)
        lines.append(f"{place + 1:>{number}} {label}{' ' * (widest - wide(label))}{row}")
    return lines


def _dense(shown: Sequence[str], labels: Sequence[str], symbols: Mapping[tuple[str, str], str]) -> list[str]:
    number = len(str(len(shown)))
    cut = [_shortened(label, _DENSE_NAME) for label in labels]
    left = number + 2 + max(map(wide, cut))
    room = max(page_width() - left, 1)
    lines: list[str] = []
    for start in range(0, len(shown), room):
        targets = range(start, min(start + room, len(shown)))
        for digit in range(number):
            # Tens stand where they change; each one stands.
            texts = (f"{place + 1:>{number}}"[digit] for place in targets)
            lines.append(" " * left + "".join(texts))
        for place, (source, label) in enumerate(zip(shown, cut, strict=True)):
            row = "".join(_letter(symbols.get((source, shown[target]), "-")) for target in targets)
            lines.append(f"{place + 1:>{number}} {label}{' ' * (left - number - 1 - wide(label))}{row}")
    return lines


def _letter(letter: str) -> str:
    return meant(letter, _MEANINGS[letter]) if letter in _MEANINGS else letter


def _room(labels: Sequence[str], longest: int, total: int) -> int:
    number = len(str(total or len(labels)))
    widest = min(max(map(wide, labels)), longest)
    return (page_width() - widest - number - 1) // (number + 1)


def _shortened(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most // 2 - 2]}...{name[-(most // 2 - 1) :]}"


def _alike(names: Sequence[str], symbols: Mapping[tuple[str, str], str]) -> list[list[str]]:
    kinds: list[list[str]] = []
    for name in names:
        for kind in kinds:
            first = kind[0]
            together = symbols[name, first] == symbols[first, name] and symbols[name, first] in "Pp"
            if together and all(
                symbols[name, other] == symbols[first, other]
                and symbols[other, name] == symbols[other, first]
                for other in names
                if other not in (name, first)
            ):
                kind.append(name)
                break
        else:
            kinds.append([name])
    return kinds
