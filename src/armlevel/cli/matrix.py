"""Who can go where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.answers import given_lines
from armlevel.cli.files import beside
from armlevel.cli.grid import grid_lines, in_groups
from armlevel.cli.levelled import group_lines
from armlevel.cli.options import (
    AcceptWeaker,
    AssumeSameImpdef,
    Facts,
    Force,
    HostFiles,
    Json,
    Means,
    Names,
    Tolerate,
    Vmm,
)
from armlevel.cli.output import say, say_json, wrapped
from armlevel.documents import write_output
from armlevel.operations import Answer, Cell, Finding, Part
from armlevel.operations.matrix import MatrixResult, matrix
from armlevel.operations.named import hosts_named
from armlevel.operations.policies import policy_of
from armlevel.words.answers import ALL_BUT_MACHINE, against_text, part_text, unknown_text
from armlevel.words.subjects import hosts_text, listed_few

__all__ = ["run"]

_LEGEND = {
    "P": "a passthrough guest may go",
    "S": "a guest started with switches may: ",
    "L": "only a levelled guest may (armlevel baseline)",
    "p": "as P, as far as it is recorded",
    "l": "as L, as far as it is recorded",
    "r": "the registers have a baseline; what forbids the move: ",
}
_EDGES = 2
_LEVELLING = ("sysreg", "preload")
_REST = {"?": "cannot say", ".": "no"}


def run(
    hosts: HostFiles,
    vmm: Vmm = "kvm",
    means: Means = "",
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
    names: Names = False,
    as_json: Json = False,
) -> int:
    """Show who can go where: each host's passthrough guest, and what levelling two hosts would change.

    The exit status is 0 when it ran, whatever the answers.
    """
    progress.begin("judging every move")
    there, given = hosts_named(hosts, fact or ())
    policy = policy_of(
        there,
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    found = matrix(there, policy, vmm=vmm, means=means, given=given, step=progress.step)
    cells, letters = found.cells, found.letters
    if svg:
        from armlevel.cli.svg import matrix_svg

        write_output(svg, matrix_svg(found.hosts, letters, _meanings(found)), force=force)
    if as_json:
        with beside(svg):
            say_json(found.document())
        return found.status
    hosts_there = in_groups(found.hosts, found.groups)
    lines = [*_answer(found), *given_lines(given)]
    lines += grid_lines(hosts_there, letters, every=names)
    lines += [*_legend(found), *_judged(cells), *_one_way(cells, hosts_there, every=names)]
    lines += group_lines(found.groups, every=names)
    with beside(svg):
        say(lines)
    return found.status


def _answer(found: MatrixResult) -> list[str]:
    names, letters = found.hosts, found.letters
    count = Counter(letters.values())
    runs, open_ = count["P"], sum(count[letter] for letter in "psl?")
    counts = [f"passthrough {runs}"] if found.means not in _LEVELLING else []
    counts += [f"with switches {count['S']} more"] if count["S"] else []
    more = " more" if counts else ""
    counts += [f"levelled {count['L']}{more}"] if found.means not in ("passthrough", "switches") else []
    text = f"{len(names)} hosts, {len(letters)} moves: {', '.join(counts)}"
    text += f"; means {found.means} alone" if found.means is not None else ""
    return wrapped(f"{text}, {open_} cannot be said" if open_ else text, rest="    ")


def _meanings(found: MatrixResult) -> dict[str, str]:
    of = list(zip(found.letters.values(), found.cells, strict=True))
    forbidden = against_text(f for letter, cell in of if letter == "r" for f in cell.conflicts)
    switches = dict.fromkeys(cell.switches or "another VMM" for letter, cell in of if letter == "S")
    options = listed_few(list(switches), 3)
    legend = _LEGEND | (
        {"L": "a levelled guest may (armlevel baseline)"} if found.means in _LEVELLING else {}
    )
    return {**legend, "S": _LEGEND["S"] + options, "r": _LEGEND["r"] + forbidden, **_REST}


def _legend(found: MatrixResult) -> list[str]:
    shown = set(found.letters.values())
    texts = {symbol: text for symbol, text in _meanings(found).items() if symbol in _LEGEND}
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
        if "unknown" in answers.values():  # findings are worked out for who reads them
            findings += [finding for finding in cell.findings if answers.get(finding.part) == "unknown"]
    judged = any(answer != "unknown" for answer in parts.values())
    partly = [part_text(part) for part, answer in parts.items() if answer == "unknown"]
    text = f"judged: {ALL_BUT_MACHINE if judged else 'nothing'}"
    if partly:
        what = unknown_text(findings)
        text += f"; not for every pair: {', '.join(partly)}{f' ({what})' if what else ''}"
    return wrapped(text, rest="    ")


def _one_way(cells: Sequence[Cell], names: Sequence[str], *, every: bool) -> list[str]:
    runs = {(cell.source, cell.target) for cell in cells if cell.passthrough == "runs"}
    targets: dict[str, list[str]] = {}
    for a, b in sorted(runs, key=lambda e: (names.index(e[0]), names.index(e[1]))):
        if (b, a) not in runs:
            targets.setdefault(a, []).append(b)
    edges = [f"{a} -> {hosts_text(some, every=every)}" for a, some in targets.items()]
    few = edges if every else edges[:_EDGES]
    more = f"; and from {len(edges) - len(few)} more hosts (--names)" if len(few) < len(edges) else ""
    return wrapped(f"{'; '.join(few)}{more}", "  one way   ") if edges else []
