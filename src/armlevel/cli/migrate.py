"""Whether a guest may move from one host to the other, and back."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli.answers import exit_of, findings_json, given_json, given_lines, judged_text
from armlevel.cli.findings import Page
from armlevel.cli.inputs import guest_of, hosts_named, vmm_of
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Explain, Facts, Json, Vmm
from armlevel.cli.output import say, say_json, wrapped
from armlevel.cli.subjects import shape_text
from armlevel.engine import Move, migrate
from armlevel.errors import UsageError

__all__ = ["run"]


def run(
    a: Annotated[str, typer.Argument(metavar="A", help="The host that the guest runs on.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The host that it would move to.")],
    guest: Annotated[
        str | None,
        typer.Option("--guest", metavar="GUEST", help="The guest; without it, A's passthrough guest."),
    ] = None,
    vmm: Vmm = "kvm",
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether a guest may move between two hosts, in both directions.

    The exit status is that of A to B.
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
        vmm=vmm_of(vmm),
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
        page = Page(catalogue, explain=explain, sides=False)
        lines = [*wrapped(what), *given_lines(given)]
        for move in moves:
            lines += ["", *_move(move), *page.lines(move.findings)]
        say(lines)
    return exit_of([moves[0].answer])


def _move(move: Move) -> list[str]:
    parts = {part: arrive for part, (_, arrive) in move.verdict.parts.items()}
    judged = judged_text(parts, move.findings)
    return wrapped(f"{move.source} -> {move.target}: {move.answer}  (judged: {judged})", rest="    ")


def _json(move: Move) -> dict[str, object]:
    return {
        "from": move.source,
        "to": move.target,
        "answer": move.answer,
        "parts": {part: arrive for part, (_, arrive) in move.verdict.parts.items()},
        "findings": findings_json(move.findings),
    }
