"""Whether a guest may move from one host to the other, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from armlevel.arch import Catalogue, load
from armlevel.cli.answers import exit_of, given_json, given_lines
from armlevel.cli.findings import Page
from armlevel.cli.inputs import guest_of, hosts_named
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Explain, Facts, Json, Tolerate, Vmm
from armlevel.cli.output import say, say_json, wrapped
from armlevel.documents import findings_object, remedy_object
from armlevel.engine import Move, Prediction, migrate, tolerance_named
from armlevel.engine.findings import RemedyKind
from armlevel.errors import UsageError
from armlevel.words.answers import judged_text
from armlevel.words.remedies import remedy_text
from armlevel.words.subjects import shape_text

__all__ = ["run"]

_SAID = 3
_MINOR = ("risk", "note")


def run(
    a: Annotated[str, typer.Argument(metavar="A", help="The host that the guest runs on.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The host that it would move to.")],
    guest: Annotated[
        str | None,
        typer.Option("--guest", metavar="GUEST", help="The guest; without it, A's passthrough guest."),
    ] = None,
    vmm: Vmm = "kvm",
    tolerate: Tolerate = None,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether a guest may move between two hosts, in both directions.

    The exit status is that of A to B. Judged is the vCPU: shape, registers, register list, firmware and facts; not the
    virtual interrupt controller, not the size of guest-physical addresses.
    """
    catalogue = load()
    hosts, given = hosts_named([a, b], fact or ())
    if len(hosts) != 2:
        raise UsageError(
            f"{len(hosts)} hosts are named, and a move is between two", hint="see armlevel matrix"
        )
    moving = guest_of(guest, catalogue) if guest is not None else None
    moves = migrate(
        hosts[0],
        hosts[1],
        catalogue,
        guest=moving,
        vmm=vmm,
        tolerate=tuple(tolerance_named(text, catalogue) for text in tolerate or ()),
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    if as_json:
        say_json({"moves": [_json(move) for move in moves]} | given_json(given))
    else:
        what = (
            f"guest {moving.name}, shape {shape_text(moving.shape)}"
            if moving
            else f"passthrough guest under {vmm}"
        )
        lines = [*wrapped(what), *given_lines(given)]
        for move in moves:
            lines += ["", *_move(move), *_why(move, catalogue, explain=explain)]
        say([*lines, *_ways(moves)])
    return exit_of([moves[0].answer])


def _move(move: Move) -> list[str]:
    parts = {part: arrive for part, (_, arrive) in move.verdict.parts.items()}
    judged = judged_text(parts, move.findings)
    return wrapped(f"{move.source} -> {move.target}: {move.answer}  (judged: {judged})", rest="    ")


# What findings suggest is left to the ways that were tried for the whole move.
_TRIED: tuple[RemedyKind, ...] = (
    *("leave-out", "level", "pin", "run", "tolerate", "upgrade-kernel"),
    *("vmm", "other-vmm", "without"),
)


def _why(move: Move, catalogue: Catalogue, *, explain: bool) -> list[str]:
    findings = [
        one for one in move.findings if explain or move.answer != "refused" or one.severity not in _MINOR
    ]
    page = Page(catalogue, explain=explain, sides=False, features=False)
    page = replace(page, skip=_TRIED) if move.ways else page
    lines = page.lines(findings)
    says = move.prediction.messages if move.prediction is not None and (explain or move.ways) else ()
    said: list[str] = []
    for number, text in enumerate(says):
        said += wrapped(text, " " * 11, " " * 13)
        if len(said) >= _SAID and not explain and number + 1 < len(says):
            said.append(f"{'':11}and {len(says) - number - 1} more: --explain")
            break
    if said:
        lines += ["  says     " + said[0].strip(), *said[1:]]
    return lines


def _ways(moves: Sequence[Move]) -> list[str]:
    # What helps both directions is told once; what helps one says which.
    stuck = [move for move in moves if move.ways]
    told: dict[str, list[Move]] = {}
    for move in stuck:
        for text in map(remedy_text, move.ways):
            told.setdefault(text, []).append(move)
    lines = [""] if told else []
    for text, some in sorted(told.items(), key=lambda pair: -len(pair[1])):
        one_way = " (that way only)" if len(some) < len(stuck) else ""
        lines += wrapped(text + one_way, "  remedy   ")
    return lines


def _json(move: Move) -> dict[str, Any]:
    return {
        "from": move.source,
        "to": move.target,
        "answer": move.answer,
        "parts": {part: arrive for part, (_, arrive) in move.verdict.parts.items()},
        "findings": findings_object(move.findings),
        "remedies": [remedy_object(way) for way in move.ways],
    } | ({} if move.prediction is None else {"prediction": _prediction_json(move.prediction)})


def _prediction_json(found: Prediction) -> dict[str, object]:
    return {
        "vmm": found.vmm,
        "outcome": found.outcome,
        "alive": found.alive,
        "harm": list(found.harm),
        "blocking": list(found.blocking),
        "counts": None if found.counts is None else list(found.counts),
        "messages": list(found.messages),
    }
