"""Who can go where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from armlevel.cli.answers import given_lines
from armlevel.cli.files import beside
from armlevel.cli.levelled import group_lines
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Facts, Force, HostFiles, Json, Tolerate, Vmm
from armlevel.cli.output import say, say_json, wrapped
from armlevel.cli.terminal import page_width
from armlevel.documents import write_output
from armlevel.operations import Answer, Cell, Finding, Part
from armlevel.operations.matrix import letter_of, matrix
from armlevel.operations.named import hosts_named
from armlevel.operations.policies import policy_of
from armlevel.words.answers import against_text, part_text, unknown_text

__all__ = ["run"]

_LEGEND = {
    "P": "a passthrough guest may go",
    "L": "only a levelled guest may (armlevel baseline)",
    "p": "as P, as far as it is recorded",
    "l": "as L, as far as it is recorded",
    "r": "the registers have a baseline; what forbids the move: ",
}
_NAME = 40
_REST = {"?": "cannot say", ".": "no"}


def run(
    hosts: HostFiles,
    vmm: Vmm = "kvm",
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    tolerate: Tolerate = None,
    svg: Annotated[
        str,
        typer.Option(
            "--svg", metavar="FILE", help="Write the matrix as a picture, too; - is standard output."
        ),
    ] = "",
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Show who can go where: each host's passthrough guest, and what levelling two hosts would change.

    The exit status is 0 when it ran, whatever the answers.
    """
    there, given = hosts_named(hosts, fact or ())
    policy = policy_of(
        there,
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    found = matrix(there, policy, vmm=vmm, given=given)
    cells, letters = found.cells, found.letters
    if svg:
        from armlevel.cli.svg import matrix_svg

        write_output(svg, matrix_svg(found.hosts, letters, _meanings(cells)), force=force)
    if as_json:
        with beside(svg):
            say_json(found.document())
        return found.status
    lines = [*given_lines(given), *_grid(found.hosts, letters), *_legend(cells)]
    lines += _judged(cells)
    lines += _one_way(cells, found.hosts)
    lines += group_lines(found.groups)
    with beside(svg):
        say(lines)
    return found.status


def _grid(names: Sequence[str], symbols: Mapping[tuple[str, str], str]) -> list[str]:
    """Return the grid; where it would not fit the page, hosts that move alike share a row and a column."""
    labels = [_shortened(name) for name in names]
    shown = list(names)
    if len(names) > _room(labels):
        kinds = _alike(names, symbols)
        shown = [kind[0] for kind in kinds]
        labels = [_shortened(kind[0]) + (f" +{len(kind) - 1}" if len(kind) > 1 else "") for kind in kinds]
    widest, number, room = max(map(len, labels)), len(str(len(shown))), _room(labels)
    lines: list[str] = []
    for start in range(0, len(shown), room):
        targets = shown[start : start + room]
        heads = "".join(f" {start + i + 1:>{number}}" for i in range(len(targets)))
        lines += [f"{'from, to:':{widest + number + 1}}{heads}"]
        for index, (source, label) in enumerate(zip(shown, labels, strict=True)):
            row = "".join(f" {symbols.get((source, target), '-'):>{number}}" for target in targets)
            lines.append(f"{index + 1:>{number}} {label:{widest}}{row}")
    if len(shown) < len(names):
        lines.append(
            f"{len(names)} hosts; +3 says that three more go and come as this one, and to and from it"
        )
    return lines


def _room(labels: Sequence[str]) -> int:
    number = len(str(len(labels)))
    return (page_width() - max(map(len, labels)) - number - 1) // (number + 1)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME // 2 - 2]}...{name[-(_NAME // 2 - 1) :]}"


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


def _meanings(cells: Sequence[Cell]) -> dict[str, str]:
    forbidden = against_text(f for cell in cells if letter_of(cell) == "r" for f in cell.conflicts)
    return {**_LEGEND, "r": _LEGEND["r"] + forbidden, **_REST}


def _legend(cells: Sequence[Cell]) -> list[str]:
    shown = {letter_of(cell) for cell in cells}
    texts = {symbol: text for symbol, text in _meanings(cells).items() if symbol in _LEGEND}
    lines = [
        line for symbol, text in texts.items() if symbol in shown for line in wrapped(text, f"  {symbol}  ")
    ]
    return [
        *lines,
        "  " + "    ".join(f"{symbol}  {text}" for symbol, text in _REST.items() if symbol in shown),
    ]


def _judged(cells: Sequence[Cell]) -> list[str]:
    parts: dict[Part, Answer] = {}
    findings: list[Finding] = []
    for cell in cells:
        answers = dict(cell.passthrough_parts)
        for part, answer in answers.items():
            parts[part] = "unknown" if "unknown" in (answer, parts.get(part)) else answer
        findings += [finding for finding in cell.findings if answers.get(finding.part) == "unknown"]
    judged = [part_text(part) for part, answer in parts.items() if answer != "unknown"]
    partly = [part_text(part) for part, answer in parts.items() if answer == "unknown"]
    text = f"judged: {', '.join(judged) or 'nothing'}"
    if partly:
        what = unknown_text(findings)
        text += f"; not for every pair: {', '.join(partly)}{f' ({what})' if what else ''}"
    return wrapped(text, rest="    ")


def _one_way(cells: Sequence[Cell], names: Sequence[str]) -> list[str]:
    runs = {(cell.source, cell.target) for cell in cells if cell.passthrough == "runs"}
    edges = [
        f"{a} -> {b}"
        for a, b in sorted(runs, key=lambda e: (names.index(e[0]), names.index(e[1])))
        if (b, a) not in runs
    ]
    return wrapped("; ".join(edges), "  one way   ") if edges else []
