"""Whether a guest may move from one host to the other, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from armlevel.arch import Catalogue, load
from armlevel.cli import progress
from armlevel.cli.answers import given_lines
from armlevel.cli.findings import Page, means_lines
from armlevel.cli.options import (
    AcceptWeaker,
    AssumeSameImpdef,
    Explain,
    Facts,
    Json,
    Key,
    Means,
    Switches,
    Tolerate,
    Vmm,
)
from armlevel.cli.output import meant, say, say_json, wrapped
from armlevel.errors import UsageError
from armlevel.operations import Move
from armlevel.operations.migrate import MovesResult, arrival_parts, machine_asked, migrate
from armlevel.operations.named import guest_named, hosts_named
from armlevel.operations.policies import policy_of
from armlevel.words.answers import judged_text, left_out_text, not_judged_text, part_text
from armlevel.words.remedies import remedy_text
from armlevel.words.subjects import shape_text, subject_text

__all__ = ["run"]

_SAID = 3
_LONG = 24
_MINOR = ("risk", "note")


def run(
    a: Annotated[str, typer.Argument(metavar="A", help="The host that the guest runs on.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The host that it would move to.")],
    guest: Annotated[
        str | None,
        typer.Option("--guest", metavar="GUEST", help="The guest; without it, A's passthrough guest."),
    ] = None,
    key: Key = None,
    vmm: Vmm = "kvm",
    means: Means = "",
    switches: Switches = "",
    command: Annotated[
        str,
        typer.Option(
            "--command", metavar="FILE", help="What QEMU is started with on A: its command line, or a domain."
        ),
    ] = "",
    command_there: Annotated[
        str, typer.Option("--command-there", metavar="FILE", help="... and on B, where it is another one.")
    ] = "",
    tolerate: Tolerate = None,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Say whether a guest may move between two hosts, in both directions.

    The exit status is that of A to B. Judged is the vCPU: shape, registers, register list, firmware and facts; and the
    machine (interrupt controller, memory map, stolen time) of a guest that records what it was given, or whose VMM's
    command line is given.
    """
    progress.begin("judging both directions")
    hosts, given = hosts_named([a, b], fact or ())
    if key and guest is None:
        raise UsageError("--key without --guest", hint="it says whose signature a frozen GUEST has to have")
    moving = guest_named(guest, keys=key or ()) if guest is not None else None
    policy = policy_of(
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    switched = bool(switches) or moving is not None
    around = tuple(
        machine_asked(file, switched=switched) if file else None for file in (command, command_there)
    )
    found = migrate(
        hosts,
        moving,
        policy,
        vmm=vmm,
        means=means,
        switches=switches,
        machines=(around[0], around[1]),
        given=given,
    )
    if as_json:
        say_json(found.document())
    else:
        there, back = found.moves
        answers = f"{there.source} -> {there.target} {meant(there.answer)}, back {meant(back.answer)}"
        open_ = not_judged_text(arrival_parts(there), (there.answer, back.answer))
        lines = wrapped(f"predicted: {answers}; {_what(found, vmm)}{open_}", rest="    ")
        lines += given_lines(given)
        for move in found.moves:
            lines += [
                *([""] if move is back else []),
                *_move(move),
                *_any(found, move, explain=explain),
                *_why(move, load(), explain=explain),
                *means_lines(found.ways_of(move)),
            ]
        # A and B are what the usage of this verb calls them: a long path would hide the rest of the command.
        short = (text if len(text) < _LONG else letter for letter, text in (("A", a), ("B", b)))
        typed = dict(zip((host.name for host in hosts), short, strict=True))
        say([*lines, *_ways(found.moves, typed)])
    return found.status


def _what(found: MovesResult, vmm: str) -> str:
    if found.guest is not None:
        return f"guest {found.guest.name}, shape {shape_text(found.guest.shape)}"
    switches = found.moves[0].switches
    return f"passthrough guest under {vmm}" + (f" with {switches}" if switches else "")


def _move(move: Move) -> list[str]:
    judged = judged_text(arrival_parts(move), move.findings)
    return wrapped(f"{move.source} -> {move.target}: {meant(move.answer)}  (judged: {judged})", rest="    ")


def _any(moves: MovesResult, move: Move, *, explain: bool) -> list[str]:
    # Those that run there may have been started anywhere. The guest that is started now is one: where that one may not
    # go, it is said already that not every guest may.
    found = moves.any_guest(move) if explain or move.answer != "refused" else None
    if found is None:
        return []
    if found.answer == "runs":
        but = f" ({left_out_text(found.not_judged)})" if found.not_judged else ""
        return wrapped(f"any guest there may go, wherever it was started{but}", "  any      ")
    parts = [part_text(part) for part, answer in found.parts if answer == found.answer]
    text = "not every guest there may go" if found.answer == "refused" else "not known of any guest there"
    names = f" ({', '.join(map(subject_text, found.about))})" if explain and found.about else ""
    return wrapped(f"{text}: {', '.join(parts)}{names}", "  any      ")


def _why(move: Move, catalogue: Catalogue, *, explain: bool) -> list[str]:
    findings = [
        one for one in move.findings if explain or move.answer != "refused" or one.severity not in _MINOR
    ]
    page = Page(catalogue, explain=explain, sides=False, features=False)
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


def _ways(moves: Sequence[Move], typed: Mapping[str, str]) -> list[str]:
    # What helps both directions is told once; what helps one says which.
    stuck = [move for move in moves if move.ways]
    told: dict[str, list[Move]] = {}
    for move in stuck:
        for text in (remedy_text(way, typed) for way in move.ways):
            told.setdefault(text, []).append(move)
    lines = [""] if told else []
    for text, some in told.items():
        one_way = " (that way only)" if len(some) < len(stuck) else ""
        lines += wrapped(text + one_way, "  remedy   ")
    return lines
