"""A matrix as a picture: SVG that reads on light and on dark ground, and without colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape as in_markup

from armlevel.cli.output import escaped

__all__ = ["matrix_svg"]

_CELL = 26
_LETTER = 7.3  # pixels that a letter of the labels takes
_MARGIN = 12
# A letter of the matrix -> the class of its cell: the letter says it, the colour helps.
_CLASSES = {
    "P": "yes",
    "p": "yes",
    "S": "levelled",
    "L": "levelled",
    "l": "levelled",
    "r": "risk",
    "?": "unknown",
    ".": "no",
}
_STYLE = """
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
.in text { text-anchor: middle; font-weight: 600 }
rect { rx: 4px } .yes { fill: #4ac26b } .levelled { fill: #54aeff } .risk { fill: #d4a72c } .unknown { fill: #afb8c1 }
.no { fill: none; stroke: #8c959f; stroke-opacity: .35 } .self { fill: #8c959f; fill-opacity: .15 }
.mute { fill: #6e7781 } .note { font-size: 11px }
@media (prefers-color-scheme: dark) { .out text, text.dark { fill: #e6edf3 } text.mute { fill: #9198a1 } }
""".strip()


def matrix_svg(
    names: Sequence[str], symbols: Mapping[tuple[str, str], str], legend: Mapping[str, str]
) -> str:
    """Return a picture of who can go where.

    ``symbols`` maps (from, to) to a letter, ``legend`` a letter to what it means. Only letters that stand in the
    picture are explained. Columns are numbered; the numbers stand beside the names of the rows.

    >>> picture = matrix_svg(["a", "b"], {("a", "b"): "P", ("b", "a"): "."}, {"P": "may go", ".": "no"})
    >>> picture.startswith("<svg "), picture.count("<rect"), "may go" in picture
    (True, 6, True)
    """
    number = len(str(len(names)))
    left = _MARGIN + int(_LETTER * (max(map(len, names), default=0) + number + 2))
    top = _MARGIN + _CELL
    used = [letter for letter in legend if letter in symbols.values()]
    notes = max((len(legend[letter]) for letter in used), default=0)
    width = max(left + _CELL * len(names), _MARGIN + _CELL + int(6.8 * notes) + 8) + _MARGIN
    grid = top + _CELL * len(names)
    height = grid + _MARGIN + _CELL * len(used) + _MARGIN
    label = f"Who can go where, among {len(names)} hosts"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{_text(label)}">',
        f"<title>{_text(label)}</title>",
        f"<style>{_STYLE}</style>",
        *_heads(names, left, number),
        *_cells(names, symbols, left, top),
        *_legend(used, legend, grid + _MARGIN),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _heads(names: Sequence[str], left: int, number: int) -> Iterator[str]:
    yield '<g class="out">'
    for index, name in enumerate(names):
        y = _MARGIN + _CELL * (index + 1) + 17
        yield f'<text x="{_MARGIN}" y="{y}" xml:space="preserve">{index + 1:>{number}} {_text(name)}</text>'
        x = left + _CELL * index + _CELL // 2
        yield f'<text x="{x}" y="{_MARGIN + 17}" text-anchor="middle">{index + 1}</text>'
    yield "</g>"


def _cells(
    names: Sequence[str], symbols: Mapping[tuple[str, str], str], left: int, top: int
) -> Iterator[str]:
    yield '<g class="in">'
    for row, source in enumerate(names):
        for column, target in enumerate(names):
            letter = symbols.get((source, target), "")
            x, y = left + _CELL * column, top + _CELL * row
            told = f"<title>{_text(f'{source} to {target}: {letter or chr(45)}')}</title>"
            yield f"<g>{told}{_cell(x, y, letter)}</g>"
    yield "</g>"


def _cell(x: int, y: int, letter: str) -> str:
    kind = _CLASSES.get(letter, "self")
    box = f'<rect class="{kind}" x="{x + 1.5}" y="{y + 1.5}" width="{_CELL - 3}" height="{_CELL - 3}"/>'
    mute = ' class="mute"' if kind in ("no", "self") else ""
    middle = f'x="{x + _CELL // 2}" y="{y + 17}"'
    return box + (f"<text{mute} {middle}>{_text(letter)}</text>" if letter else "")


def _legend(used: Sequence[str], legend: Mapping[str, str], top: int) -> Iterator[str]:
    for index, letter in enumerate(used):
        y = top + _CELL * index
        yield f'<g class="in">{_cell(_MARGIN, y, letter)}</g>'
        words = _text(legend[letter])
        yield f'<text class="note dark" x="{_MARGIN + _CELL + 8}" y="{y + 17}">{words}</text>'


def _text(words: str) -> str:
    # No control character may stand in XML, and names in documents may hold anything.
    return in_markup(escaped(words))
